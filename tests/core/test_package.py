"""The pack under its alias, with nothing but torch."""

import importlib
import sys


def test_core_is_importable_without_comfyui():
    assert importlib.import_module("concept_attention.core").__file__
    assert "comfy" not in sys.modules
