"""Makes the checkout importable as the package `concept_attention`, whatever its folder is called.

The root `__init__.py` is not run here: it needs ComfyUI, and `tests/core` needs torch only.
`tests/host/conftest.py` runs it. The root never goes on `sys.path`, where our `nodes/` would hide
ComfyUI's `nodes.py`.
"""

import os
import sys

# Before torch: worker threads that spin while they wait cost a shared machine most of its time.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from hosting import pack

if pack.ALIAS not in sys.modules:
    pack.register()
