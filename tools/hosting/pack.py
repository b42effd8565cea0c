"""The checkout as a Python package under a fixed name, for code that runs outside ComfyUI."""

import importlib.machinery
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
ALIAS = "concept_attention"


def register() -> ModuleType:
    """Register the checkout as `concept_attention` without running its `__init__.py`.

    `from concept_attention.core import decode` then works with torch alone.
    """
    spec = importlib.machinery.ModuleSpec(ALIAS, loader=None, is_package=True)
    spec.submodule_search_locations = [str(ROOT)]
    module = importlib.util.module_from_spec(spec)
    sys.modules[ALIAS] = module
    return module


def run_entry_point() -> ModuleType:
    """Run the real `__init__.py` inside the registered package; ComfyUI must be importable."""
    module = sys.modules.get(ALIAS) or register()
    spec = importlib.util.spec_from_file_location(
        ALIAS, ROOT / "__init__.py", submodule_search_locations=[str(ROOT)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"{ROOT / '__init__.py'} cannot be loaded")
    module.__spec__, module.__file__ = spec, spec.origin
    spec.loader.exec_module(module)
    return module
