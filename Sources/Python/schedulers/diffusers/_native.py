"""Runs of a plan by the C library: tensors in the processor's memory, without gradients, in one pass."""

from __future__ import annotations

from ctypes import byref, c_size_t, create_string_buffer
from typing import Any

import torch

from .. import _library
from ._moves import Moves
from ._operators import combination

SCALARS = {torch.float32: 0, torch.float64: 1, torch.float16: 2}


def takes(x: torch.Tensor, output: torch.Tensor, noise: torch.Tensor | None, learns_variance: bool) -> bool:
    """Whether the library can take a step on these tensors."""
    return (
        x.dtype is output.dtype
        and x.dtype in SCALARS
        and type(x) is torch.Tensor is type(output)
        and x.is_cpu
        and output.is_cpu
        and x.layout is torch.strided is output.layout
        and x.ndim > 0
        and x.numel() > 0
        and output.shape == ((x.shape[0], 2 * x.shape[1], *x.shape[2:]) if learns_variance and x.ndim > 1 else x.shape)
        and not has_gradient(x, output, noise)
        and not torch.compiler.is_compiling()
    )


def has_gradient(x: torch.Tensor, output: torch.Tensor, noise: torch.Tensor | None) -> bool:
    return torch.is_grad_enabled() and (
        x.requires_grad or output.requires_grad or noise is not None and noise.requires_grad
    )


class NativeRun:
    """What the library holds of a run on tensors of one shape and type."""

    def __init__(self, moves: Moves, x: torch.Tensor, output: torch.Tensor) -> None:
        handle = _library.run(moves.handle, SCALARS[x.dtype], x.shape[0], x.numel() // x.shape[0])
        if torch.get_num_threads() == 1:
            _library.call("schedulers_run_set_threads", handle, 1)
        self._hold(handle, moves, x.dtype, x.shape, output.shape, 0)

    def _hold(self, handle: _library.Handle, *what: Any) -> None:
        self.handle, self.what = handle, what
        self.moves, self.dtype, self.shape, self.output_shape, self.call = what
        # Looked up once, for the sake of small tensors.
        self.step, self.run = _library.library().schedulers_run_advance_to, handle.pointer.value
        self.error = _library.Error()
        self.failed = byref(self.error)

    def __deepcopy__(self, memo: Any) -> NativeRun:
        copy = NativeRun.__new__(NativeRun)
        copy._hold(self.handle.copy(), *self.what[:-1], self.call)
        return copy

    def __getstate__(self) -> tuple[Any, ...]:
        size = c_size_t()
        _library.call("schedulers_run_state_size", self.handle, byref(size))
        kept = create_string_buffer(size.value)
        _library.call("schedulers_run_save", self.handle, kept, size)
        return *self.what[:-1], self.call, kept.raw

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        moves, dtype, shape, output_shape, call, kept = state
        self.__init__(moves, torch.empty(shape, dtype=dtype, device="cpu"), torch.empty(output_shape))  # type: ignore
        _library.call("schedulers_run_restore", self.handle, kept, c_size_t(len(kept)))
        self.call = call

    def goes_on(self, x: torch.Tensor, output: torch.Tensor, noise: torch.Tensor | None) -> bool:
        """Whether tensors are as those with which it began."""
        return (
            x.dtype is self.dtype is output.dtype
            and type(x) is torch.Tensor
            and x.is_cpu
            and output.is_cpu
            and x.shape == self.shape
            and output.shape == self.output_shape
            and not has_gradient(x, output, noise)
        )

    def can_copy(self, x: torch.Tensor, output: torch.Tensor, noise: torch.Tensor | None) -> bool:
        """Whether the run goes on if tensors are copied into its own type."""
        fits = x.is_cpu and output.is_cpu and x.shape == self.shape and output.shape == self.output_shape
        return fits and not has_gradient(x, output, noise)

    def advance(
        self,
        i: int,
        x: torch.Tensor,
        output: torch.Tensor,
        noise: torch.Tensor | None,
        wants_denoised: bool,
        kind: torch.dtype,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """The sample after step i, in the type `kind`, and the clipped x̂0 if it is wanted."""
        if i != self.call:
            _library.call("schedulers_run_seek", self.run, i)
        if x.dtype is not self.dtype or output.dtype is not self.dtype:
            x, output = x.to(self.dtype), output.to(self.dtype)
        x, output = x.contiguous(), output.contiguous()
        place, spoken = x.data_ptr(), output.data_ptr()
        if spoken == place:  # the library wants memory of its own for each
            output = output.clone()
            spoken = output.data_ptr()
        drawn = None
        if noise is not None:
            noise = noise.to(self.dtype).expand_as(x).contiguous()
            if (drawn := noise.data_ptr()) in (place, spoken):
                noise = noise.clone()
                drawn = noise.data_ptr()
        next = torch.empty_like(x)
        denoised = torch.empty_like(x) if wants_denoised else None
        status = self.step(
            self.run,
            place,
            spoken,
            drawn,
            next.data_ptr(),
            None if denoised is None else denoised.data_ptr(),
            self.failed,
        )
        if status:
            raise _library.failure(status, self.error)
        self.call = i + 1
        return next if kind is self.dtype else next.to(kind), denoised

    def advance_with_rest(
        self,
        i: int,
        x: torch.Tensor,
        output: torch.Tensor,
        noise: torch.Tensor | None,
        scale: float,
        kind: torch.dtype,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The sample after step i, and what it is without noise, divided by a number."""
        next, denoised = self.advance(i, x, output, noise, True, kind)
        assert denoised is not None
        a, f, d = self.moves.steps[i].others
        terms = [(a / scale, x), (f / scale, output), (d / scale, denoised)]
        return next, combination(terms, torch.promote_types(kind, torch.float32)).to(kind)
