"""These tests need diffusers, and find the package and its library as the others do."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
collect_ignore = [] if __import__("importlib.util").util.find_spec("diffusers") else ["."]
if collect_ignore:
    collect_ignore_glob = ["test_*.py"]
else:
    import diffusers

    diffusers.logging.set_verbosity_error()


@pytest.fixture(params=["library", "operators"])
def engine(request, monkeypatch):
    """What takes the steps: the C library, or torch's operators, which serve other devices and gradients."""
    if request.param == "operators":
        from schedulers.diffusers import _engines

        monkeypatch.setattr(_engines, "takes", lambda *_: False)
    return request.param
