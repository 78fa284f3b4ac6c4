"""Runs by the C library, in one pass over an array's memory."""

from __future__ import annotations

import sys
from ctypes import addressof, byref, c_char, c_size_t
from typing import Any

import numpy as np

from . import _library
from ._arrays import Array, arrays, size_of
from .errors import ArgumentError, StateError

# The types that the library knows, by the last part of their names.
SCALARS = {"float32": 0, "float64": 1, "float16": 2}
_dtypes: dict[Any, int] = {np.dtype(name): code for name, code in SCALARS.items()}


def scalar(dtype: Any) -> int | None:
    """The library's number of a type of NumPy or torch."""
    found = _dtypes.get(dtype)
    if found is None and str(dtype).startswith("torch."):
        found = SCALARS.get(str(dtype)[6:])
        if found is not None:
            _dtypes[dtype] = found
    return found


def address(x: Array, name: str = "the array") -> int:
    """Where the numbers of an array lie.

    Raises `ArgumentError` where the library cannot work on them: it takes plain contiguous arrays of NumPy, and tensors
    of torch on the CPU that need no gradient, in float16, float32 or float64.
    """
    if type(x) is np.ndarray:
        if scalar(x.dtype) is None or not x.dtype.isnative:
            raise ArgumentError(f"{name} is of type {x.dtype}; the library works on float16, float32 and float64")
        if not (x.flags.c_contiguous and x.flags.aligned):
            raise ArgumentError(f"{name} is not contiguous; make it so with numpy.ascontiguousarray")
        # The quick way is for what can be written to.
        if x.flags.writeable and x.size:
            return addressof(c_char.from_buffer(x))  # type: ignore[arg-type]
        return int(x.ctypes.data)
    torch = sys.modules.get("torch")
    if torch is None or type(x) is not torch.Tensor:
        kind = f"{type(x).__module__}.{type(x).__qualname__}"
        raise ArgumentError(f"{name} is of type {kind}; the library works on plain arrays of NumPy and torch")
    if not x.is_cpu or x.layout is not torch.strided:
        raise ArgumentError(f"{name} is on {x.device}, {x.layout}; the library works on strided tensors on the CPU")
    if scalar(x.dtype) is None:
        raise ArgumentError(f"{name} is of type {x.dtype}; the library works on float16, float32 and float64")
    if x.requires_grad and torch.is_grad_enabled():
        raise ArgumentError(f"{name} needs a gradient, which the library would lose; use in_place=False")
    if not x.is_contiguous() or x.is_neg():
        raise ArgumentError(f"{name} is not contiguous; make it so with .contiguous()")
    try:
        found, room = x.data_ptr(), x.untyped_storage().nbytes()
    except RuntimeError as error:
        raise ArgumentError(f"{name} has no memory of its own: {error}") from None
    if room < (x.storage_offset() + x.numel()) * x.element_size():
        raise ArgumentError(f"{name} has a storage of {room} bytes, which does not hold its numbers")
    return int(found)


def fitting(x: Array, like: Array) -> Array:
    """The numbers of an array in contiguous memory and another's type, which may be its own memory."""
    if type(x) is type(like) and x.dtype == like.dtype:
        if type(x) is np.ndarray:
            return x if x.flags.c_contiguous and x.flags.aligned and x.dtype.isnative else np.ascontiguousarray(x)
        if x.is_contiguous() and not x.requires_grad and not x.is_neg():
            return x
    if arrays(x).name == "torch":
        return x.detach().to(like.dtype).contiguous().resolve_neg()
    return np.require(x, like.dtype, ["C", "A", "E"])


def loses_gradient(output: Array) -> bool:
    """Whether an output has a gradient that the library would lose."""
    torch = sys.modules.get("torch")
    return bool(torch and isinstance(output, torch.Tensor) and output.requires_grad and torch.is_grad_enabled())


class Native:
    """A run that the library holds, on arrays of one shape and type."""

    def __init__(self, plan: _library.Handle, like: Array, handle: _library.Handle | None = None) -> None:
        shape, code = tuple(like.shape), scalar(like.dtype)
        assert code is not None
        self.plan, self.handle = plan, handle or _library.run(plan, code, shape[0], size_of(shape))
        self.bytes = shape[0] * size_of(shape) * like.dtype.itemsize
        # Looked up once, for the sake of small arrays.
        library, self.error = _library.library(), _library.Error()
        self.place = byref(self.error)
        self.step, self.drawing = library.schedulers_run_advance, library.schedulers_run_advance_drawing
        self.step_to = library.schedulers_run_advance_to

    def advance(
        self,
        sample: Array,
        output: Array,
        noise: Array | _library.Handle | None,
        following: Array | None,
        denoised: Array | None,
    ) -> None:
        """Makes the next sample in `following`, or else in the place of this one, and x̂0 in `denoised`.

        `noise` is an array or None, or the handle of a source if `following` is None.
        """
        x = address(sample, "the sample")
        output, out = self.apart(output, sample, x, "the output")
        room = None if denoised is None else address(denoised, "the room for x0")
        if isinstance(noise, _library.Handle):
            status = self.drawing(self.handle, x, out, noise, room, self.place)
        else:
            z = None
            if noise is not None:
                noise, z = self.apart(noise, sample, x, "the noise")
            if following is None:
                status = self.step(self.handle, x, out, z, room, self.place)
            else:
                status = self.step_to(self.handle, x, out, z, address(following), room, self.place)
        if status:
            raise _library.failure(status, self.error)

    def apart(self, values: Array, sample: Array, x: int, name: str) -> tuple[Array, int]:
        """Numbers in memory that the sample has no part of, and where they lie; the first must be held meanwhile."""
        values = fitting(values, sample)
        place = address(values, name)
        if place < x + self.bytes and x < place + 2 * self.bytes:
            values = values.copy() if type(values) is np.ndarray else values.clone()
            place = address(values, name)
        return values, place

    def limit(self, threads: int) -> None:
        """How many threads a step may use."""
        _library.call("schedulers_run_set_threads", self.handle, threads)

    def fork(self, like: Array) -> Native:
        """The same run, to be gone on with apart."""
        return Native(self.plan, like, self.handle.copy())

    def state(self) -> bytes:
        """What the run holds, to be gone on with in another process."""
        size = c_size_t()
        _library.call("schedulers_run_state_size", self.handle, byref(size))
        room = np.empty(size.value, np.uint8)
        _library.call("schedulers_run_save", self.handle, room.ctypes.data, size)
        return room.tobytes()

    def restore(self, state: bytes) -> None:
        """Goes to where `state` was made."""
        if not isinstance(state, bytes):
            raise StateError(f"the state of a run is of type {type(state).__name__}, not bytes; pickle it again")
        room = np.frombuffer(state, np.uint8)
        _library.call("schedulers_run_restore", self.handle, room.ctypes.data, c_size_t(len(state)))
