"""mu as diffusers' pipelines make it of the size of a picture.

`shifts.json`: for each call of `calculate_shift` (Flux) and of `compute_empirical_mu` (Flux.2) its arguments and mu. The
functions are taken out of their modules by name, which need transformers as a whole.
"""

import ast
import functools
import importlib.util
import json
import math
import pathlib

TOKENS = (1, 256, 1024, 3952, 4096, 4300, 4301, 16384)


@functools.cache
def parsed(module):
    """The statements of a module of diffusers that need not be imported."""
    root = pathlib.Path(importlib.util.find_spec("diffusers").origin).parent
    return ast.parse((root / module).read_text()).body


def function(module, name):
    """A function of such a module, or a table of it."""
    import torch

    named = lambda node: [target.id for target in getattr(node, "targets", [])] + [getattr(node, "name", None)]
    found = [node for node in parsed(module) if name in named(node)]
    space = {"math": math, "torch": torch, "List": list}
    exec(compile(ast.Module(found, []), module, "exec"), space)
    return space[name]


def shifts():
    line = function("pipelines/flux/pipeline_flux.py", "calculate_shift")
    empirical = function("pipelines/flux2/pipeline_flux2.py", "compute_empirical_mu")
    constants = [(256, 4096, 0.5, 1.15), (1024, 4096, 0.95, 2.05), (256, 8192, 0.5, 0.9)]
    lines = [[tokens, *four, line(tokens, *four)] for tokens in TOKENS for four in constants]
    empiricals = [[tokens, steps, empirical(tokens, steps)] for tokens in TOKENS for steps in (4, 10, 28, 50, 200)]
    return json.dumps({"calculate_shift": lines, "compute_empirical_mu": empiricals}, indent=0) + "\n"


FILES = {"shifts.json": shifts}
