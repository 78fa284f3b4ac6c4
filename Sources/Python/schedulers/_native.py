"""Runs by the C library, in one pass over an array's memory."""

from __future__ import annotations

import math
import sys
from ctypes import byref, c_int32, c_size_t
from typing import Any

import numpy as np

from . import _library
from ._arrays import Array, arrays
from .errors import ArgumentError

SCALARS = {np.dtype(np.float32): 0, np.dtype(np.float64): 1, np.dtype(np.float16): 2}


def view(x: Array) -> np.ndarray:
    """The memory of an array on the CPU as an array of NumPy.

    Raises `ArgumentError` where the library cannot work on it: it takes contiguous arrays of NumPy, and tensors of
    torch that need no gradient, in float16, float32 or float64.
    """
    kind = arrays(x)
    if kind.name == "torch":
        torch = kind.xp
        if torch.compiler.is_compiling() or (torch.is_grad_enabled() and x.requires_grad):
            raise ArgumentError("the library keeps no gradients; use in_place=False")
        try:
            x = x.detach().numpy()
        except (RuntimeError, TypeError) as error:
            raise ArgumentError(f"the library cannot work on this tensor: {error}") from None
    elif kind.name != "numpy":
        raise ArgumentError(f"the library cannot work on an array of {kind.name}; use in_place=False")
    if type(x) is not np.ndarray:
        raise ArgumentError(f"the library works on plain arrays, and this one is of type {type(x).__name__}")
    if x.dtype not in SCALARS or not x.dtype.isnative:
        raise ArgumentError(f"the library works on float16, float32 and float64, not on {x.dtype}")
    if not (x.flags.c_contiguous and x.flags.aligned):
        raise ArgumentError("the array is not contiguous; make it so with numpy.ascontiguousarray or .contiguous()")
    if x.size == 0:
        raise ArgumentError(f"the array of shape {x.shape} has no elements")
    return x


def fitting(x: Array, like: np.ndarray) -> np.ndarray:
    """The numbers of an array in contiguous memory and another's type, which may be its own memory."""
    if arrays(x).name == "torch":
        x = x.detach().to(arrays(x).xp.from_numpy(like[:0]).dtype).contiguous().resolve_conj().resolve_neg().numpy()
    return np.ascontiguousarray(x, dtype=like.dtype)


def loses_gradient(output: Array) -> bool:
    """Whether an output has a gradient that the library would lose."""
    torch = sys.modules.get("torch")
    return bool(torch and isinstance(output, torch.Tensor) and output.requires_grad and torch.is_grad_enabled())


class Native:
    """A run that the library holds."""

    def __init__(self, plan: _library.Handle, sample: np.ndarray, handle: _library.Handle | None = None) -> None:
        self.scalar, self.samples = SCALARS[sample.dtype], sample.shape[0]
        self.size, self.plan = math.prod(sample.shape[1:]), plan
        self.handle = handle or _library.run(plan, self.scalar, self.samples, self.size)
        # Looked up once, for the sake of small arrays.
        self.step, self.error = _library.library().schedulers_run_advance, _library.Error()

    def advance(self, sample: np.ndarray, output: np.ndarray, noise: Any, denoised: np.ndarray | None) -> None:
        """Makes the next sample in the place of this one. `noise` is an array, a source's handle, or None."""
        if np.may_share_memory(sample, output):
            output = output.copy()
        if noise is not None and isinstance(noise, np.ndarray) and np.may_share_memory(sample, noise):
            noise = noise.copy()
        room = None if denoised is None else denoised.ctypes.data
        if isinstance(noise, _library.Handle):
            name = "schedulers_run_advance_drawing"
            _library.call(name, self.handle, sample.ctypes.data, output.ctypes.data, noise, room)
            return
        drawn = None if noise is None else noise.ctypes.data
        status = self.step(self.handle, sample.ctypes.data, output.ctypes.data, drawn, room, byref(self.error))
        if status:
            raise _library.failure(status, self.error)

    def check(self, output: np.ndarray) -> None:
        """Raises `NotFiniteError` if an output holds NaN or an infinity."""
        _library.call("schedulers_run_check", self.handle, output.ctypes.data)

    def limit(self, threads: int) -> None:
        """How many threads a step may use."""
        _library.call("schedulers_run_set_threads", self.handle, c_int32(threads))

    def fork(self, sample: np.ndarray) -> Native:
        return Native(self.plan, sample, self.handle.copy())

    def state(self) -> bytes:
        """What the run holds, to be gone on with in another process."""
        size = c_size_t()
        _library.call("schedulers_run_state_size", self.handle, byref(size))
        room = np.empty(size.value, np.uint8)
        _library.call("schedulers_run_save", self.handle, room.ctypes.data, size)
        return room.tobytes()

    def restore(self, state: bytes) -> None:
        """Goes to where `state` was made."""
        room = np.frombuffer(state, np.uint8)
        _library.call("schedulers_run_restore", self.handle, room.ctypes.data, c_size_t(len(state)))
