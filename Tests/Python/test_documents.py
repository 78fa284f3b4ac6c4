"""What documents and the package say of themselves."""

import os
import re
import subprocess
import sys

import pytest
import schedulers
from documents import run
from support import ROOT, optional


def in_new_python(*arguments):
    """What another Python says that finds the same packages."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, env=environment)


@pytest.mark.parametrize("name,least", [("Docs/Python.md", 8), ("Sources/Python/README.md", 1)])
def test_the_examples_run(name, least, monkeypatch):
    optional("diffusers")
    monkeypatch.chdir(ROOT)
    assert run(ROOT / name) >= least


def test_the_version_is_the_librarys():
    swift = (ROOT / "Sources/Schedulers/Version.swift").read_text()
    assert f'version = "{schedulers.__version__}"' in swift
    assert schedulers._library.version() == schedulers.__version__
    made = in_new_python("-m", "schedulers", "--version")
    assert made.stdout.startswith(f"schedulers {schedulers.__version__}, library {schedulers.__version__} at ")


def test_nothing_but_numpy_is_imported():
    program = (
        "import sys, schedulers, schedulers.training; print({'torch', 'jax', 'mlx', 'diffusers'} & set(sys.modules))"
    )
    made = in_new_python("-c", program)
    assert made.stdout.strip() == "set()", made.stderr


def test_everything_public_is_documented():
    """And says the shape of the arrays that it takes."""
    import inspect

    import schedulers.noise
    import schedulers.training

    for module in (schedulers, schedulers.noise, schedulers.training):
        for name in module.__all__:
            value = getattr(module, name)
            if not inspect.isclass(value) and not inspect.isfunction(value):
                continue
            assert value.__doc__, name
            for key, member in vars(value).items() if inspect.isclass(value) else ():
                if not key.startswith("_") and inspect.isfunction(member):
                    assert member.__doc__, f"{name}.{key}"
    for function in (schedulers.Plan.sample, schedulers.Run, schedulers.training.mix):
        assert re.search(r"\[N, (C, )?\.\.\.\]", function.__doc__)
