"""Runs of a plan by the C library: tensors in the processor's memory, without gradients, in one pass."""

from __future__ import annotations

from ctypes import byref

import torch

from .. import _library
from ._moves import Moves
from ._operators import combination

SCALARS = {torch.float32: 0, torch.float64: 1, torch.float16: 2}


def takes(x: torch.Tensor, output: torch.Tensor, noise: torch.Tensor | None, learns_variance: bool) -> bool:
    """Whether the library can take a step on these tensors."""
    if x.dtype is not output.dtype or x.dtype not in SCALARS or type(x) is not torch.Tensor:
        return False
    if not (x.is_cpu and output.is_cpu) or type(output) is not torch.Tensor or x.layout is not torch.strided:
        return False
    if torch.is_grad_enabled() and (x.requires_grad or output.requires_grad or noise is not None and noise.requires_grad):
        return False
    if x.shape != output.shape and not (
            learns_variance and output.shape == (x.shape[0], 2 * x.shape[1], *x.shape[2:])):
        return False
    return not torch.compiler.is_compiling() and x.ndim > 0 and x.numel() > 0 and (
        not learns_variance or x.shape != output.shape)


class NativeRun:
    """What the library holds of a run on tensors of one shape and type."""

    def __init__(self, moves: Moves, x: torch.Tensor) -> None:
        self.moves, self.shape, self.dtype = moves, x.shape, x.dtype
        plan = moves.plan.handle
        self.handle = _library.run(plan, SCALARS[x.dtype], x.shape[0], x.numel() // x.shape[0])
        library = _library.library()
        # Looked up once, for the sake of small tensors.
        self.step, self.run, self.error = library.schedulers_run_advance_to, self.handle.pointer.value, _library.Error()
        self.failed = byref(self.error)
        self.call = 0

    def goes_on(self, x: torch.Tensor, output: torch.Tensor) -> bool:
        """Whether tensors fit, if only by a copy into the run's own type."""
        return x.shape == self.shape and x.is_cpu and output.is_cpu and not (
            torch.is_grad_enabled() and (x.requires_grad or output.requires_grad))

    def fits(self, x: torch.Tensor) -> bool:
        return x.dtype is self.dtype and x.shape == self.shape

    def advance(
        self, i: int, x: torch.Tensor, output: torch.Tensor, noise: torch.Tensor | None, wants_denoised: bool,
        kind: torch.dtype,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """The sample after step i, in the type `kind`, and the clipped x̂0 if it is wanted."""
        if i != self.call:
            _library.call("schedulers_run_seek", self.run, i)
        x, output = x.to(self.dtype).contiguous(), output.to(self.dtype).contiguous()
        if noise is not None:
            noise = noise.to(x.dtype).expand_as(x).contiguous()
        next = torch.empty_like(x)
        denoised = torch.empty_like(x) if wants_denoised else None
        status = self.step(
            self.run, x.data_ptr(), output.data_ptr(), None if noise is None else noise.data_ptr(), next.data_ptr(),
            None if denoised is None else denoised.data_ptr(), self.failed)
        if status:
            raise _library.failure(status, self.error)
        self.call = i + 1
        return next if kind is self.dtype else next.to(kind), denoised

    def advance_with_rest(
        self, i: int, x: torch.Tensor, output: torch.Tensor, noise: torch.Tensor | None, scale: float,
        kind: torch.dtype,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The sample after step i, and what it is without noise, divided by a number."""
        next, denoised = self.advance(i, x, output, noise, True, kind)
        assert denoised is not None
        a, f, d = self.moves.steps[i].others
        terms = [(a / scale, x), (f / scale, output), (d / scale, denoised)]
        return next, combination(terms, torch.promote_types(kind, torch.float32)).to(kind)
