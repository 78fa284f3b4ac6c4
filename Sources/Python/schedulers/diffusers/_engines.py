"""What takes the steps of a run: the C library where it can, torch's operators elsewhere."""

from __future__ import annotations

import torch

from ..errors import StateError
from ._moves import Moves
from ._native import NativeRun, takes
from ._operators import OperatorRun

Engine = NativeRun | OperatorRun


def engine(
    last: Engine | None, moves: Moves, x: torch.Tensor, output: torch.Tensor, noise: torch.Tensor | None
) -> Engine:
    """What takes the next step. A run whose steps need earlier ones stays with what it began with."""
    if isinstance(last, NativeRun) and last.goes_on(x, output, noise):
        return last
    if last is not None and moves.has_memory:
        if isinstance(last, OperatorRun) or last.can_copy(x, output, noise):
            return last
        raise StateError(
            f"a run that began with a tensor of shape {tuple(last.shape)} on the CPU without gradients goes on with "
            f"one of {tuple(x.shape)} on {x.device}; call set_timesteps to begin another"
        )
    return NativeRun(moves, x, output) if takes(x, output, noise, moves.learns_variance) else OperatorRun(moves)
