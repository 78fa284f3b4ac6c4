"""Installs a wheel where there is nothing but NumPy, and no Swift, and runs the documents' examples: WHEEL."""

import os
import pathlib
import subprocess
import sys
import tempfile
import venv

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENTS = ("README.md", "Sources/Python/README.md", "Docs/Python.md")


def main(wheel):
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = pathlib.Path(folder) / "bin/python"
        # No variable names the library, a checkout or another Python, and no path leads to Swift.
        environment = {"PATH": "/usr/bin:/bin", "HOME": folder, "LANG": "C.UTF-8"}
        environment |= {
            key: value for key, value in os.environ.items() if key.lower().endswith("_proxy") or "PIP_" in key
        }

        def run(*command):
            made = subprocess.run([python, *command], env=environment, cwd=ROOT, capture_output=True, text=True)
            if made.returncode:
                sys.exit(f"wheel: {' '.join(map(str, command))}: {made.stdout}{made.stderr}")
            return made.stdout.strip()

        run("-m", "pip", "install", "--quiet", "--only-binary", ":all:", pathlib.Path(wheel).resolve())
        installed = {line.split("==")[0] for line in run("-m", "pip", "freeze").splitlines()}
        others = {name for name in installed if not name.startswith("schedulers")} - {"numpy", "pip", "setuptools"}
        if others:
            sys.exit(f"wheel: it brings {', '.join(sorted(others))} along")
        print(run("-m", "schedulers", "--version"))
        if folder not in run("-m", "schedulers", "--version"):
            sys.exit("wheel: the library is not the wheel's own")
        run("-c", "import importlib.resources as r; assert (r.files('schedulers') / 'py.typed').is_file()")
        print(run("Tests/Python/documents.py", *DOCUMENTS))


main(*sys.argv[1:])
