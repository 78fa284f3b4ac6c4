"""The names of every class and function of guided-diffusion's diffusion code, by file, which Docs/FromGuidedDiffusion.md must list."""

import ast
import json
import pathlib

FOUND = ["gaussian_diffusion.py", "respace.py", "resample.py", "losses.py"]


def names(checkout):
    listed = {}
    for file in FOUND:
        tree = ast.parse((pathlib.Path(checkout) / "guided_diffusion" / file).read_text())
        defined = [node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
        # Nested helpers are no part of the interface, nor are the methods of Python itself.
        listed[file] = sorted({name for name in defined if not name.startswith("__") and name not in ("process_xstart", "_warmed_up")})
    return json.dumps(listed, indent=1) + "\n"


GUIDED = {"guided-names.json": names}
