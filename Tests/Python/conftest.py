"""What the tests of the Python package share. They run on the package in Sources/Python, or on an installed one if
SCHEDULERS_INSTALLED is set, and on the library that SCHEDULERS_LIBRARY names, or else that `make c` builds."""

import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
if not os.environ.get("SCHEDULERS_INSTALLED"):
    sys.path.insert(0, str(ROOT / "Sources/Python"))
    os.environ.setdefault("SCHEDULERS_LIBRARY", str(ROOT / ".build/c/libschedulers.so"))
sys.path.insert(0, str(pathlib.Path(__file__).parent))
