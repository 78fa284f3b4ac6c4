"""diffusers' scheduler classes by name, one of which imports torchsde, and that for a Brownian tree from which no recipe draws."""

import importlib
import sys
import types


def scheduler(name):
    import diffusers

    if name != "DPMSolverSDEScheduler":
        return getattr(diffusers, name)
    is_missing = "torchsde" not in sys.modules
    if is_missing:
        sys.modules["torchsde"] = types.ModuleType("torchsde")
    try:
        return getattr(importlib.import_module("diffusers.schedulers.scheduling_dpmsolver_sde"), name)
    finally:
        if is_missing:
            del sys.modules["torchsde"]


class BrownianPath:
    """The noise of DPMSolverSDEScheduler: what a path does from one sigma to another, which may begin with what it did before.

    `draw` makes the part of it that is fresh."""

    def __init__(self, draw):
        self.draw, self.last = draw, None

    def __call__(self, start, end):
        fresh, made = self.draw(), None
        if self.last and self.last[0] == start:
            share = float((start - self.last[1]) / (start - end))
            made = share**0.5 * self.last[2] + (1 - share) ** 0.5 * fresh
        self.last = (start, end, fresh)
        return fresh if made is None else made
