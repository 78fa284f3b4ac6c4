"""Arrays of NumPy, torch, JAX and MLX behind the few operations that a run needs.

A module other than NumPy's is never imported: it is looked up among those that the caller has imported.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .errors import ArgumentError

Array = Any
Term = tuple[float, Array]


class Arrays:
    """Arrays of NumPy, JAX and MLX, whose modules have the same names.

    Floats of two bytes are added up in float32, and rounded once.
    """

    def __init__(self, name: str, xp: Any) -> None:
        self.name, self.xp = name, xp

    def is_float(self, x: Array) -> bool:
        """Whether the elements are real floating-point numbers."""
        if self.name == "numpy":
            return bool(x.dtype.kind == "f")
        return bool(self.xp.issubdtype(x.dtype, self.xp.floating))

    def wide(self, x: Array) -> Array:
        """The array in the type that sums are made in."""
        is_narrow = (x.dtype.size if self.name == "mlx" else x.dtype.itemsize) < 4
        return x.astype(self.xp.float32) if is_narrow else x

    def cast(self, x: Array, like: Array) -> Array:
        """The array in another's type."""
        return x if x.dtype == like.dtype else x.astype(like.dtype)

    def total(self, terms: Iterable[Term], like: Array) -> Array:
        """The sum of factor times array, in memory of its own. Factors of 0 have no part in it."""
        result = None
        for factor, value in terms:
            if factor != 0:
                if result is None:
                    result = self.wide(value) * factor
                else:
                    result += self.wide(value) * factor
        return result if result is not None else self.xp.zeros_like(self.wide(like))

    def clip(self, x: Array, lower: Any, upper: Any) -> Array:
        """Each element between two bounds, numbers or arrays; NaN stays."""
        return self.xp.clip(x, lower, upper)

    def exp(self, x: Array) -> Array:
        return self.xp.exp(x)

    def sqrt(self, x: Array) -> Array:
        return self.xp.sqrt(x)

    def sorted_rows(self, x: Array) -> Array:
        """The magnitudes of each sample, [N, size], in rising order."""
        return self.xp.sort(self.xp.abs(x).reshape(x.shape[0], -1), axis=-1)

    def adopt(self, values: np.ndarray, like: Array) -> Array:
        """Numbers of NumPy as an array of this kind, in another's type and on its device."""
        if self.name == "numpy":
            return values.astype(like.dtype, copy=False)
        if self.name == "jax":
            return self.xp.asarray(values, dtype=like.dtype)
        return self.xp.array(values).astype(like.dtype)

    def copy(self, x: Array) -> Array:
        return x.copy() if self.name == "numpy" else x * 1

    def empty(self, like: Array) -> Array:
        """Room for an array like another."""
        return self.xp.empty_like(like)

    def same_place(self, x: Array, y: Array) -> bool:
        """Whether two arrays are on one device."""
        if self.name != "jax" or not (hasattr(x, "sharding") and hasattr(y, "sharding")):
            return True
        # What is traced by jit has no device yet.
        tracer = sys.modules["jax"].core.Tracer
        return isinstance(x, tracer) or isinstance(y, tracer) or bool(x.devices() == y.devices())


class Torch(Arrays):
    """Tensors of torch, on any device. Gradients flow through every operation."""

    def is_float(self, x: Array) -> bool:
        return bool(x.is_floating_point())

    def wide(self, x: Array) -> Array:
        return x.float() if x.element_size() < 4 else x

    def cast(self, x: Array, like: Array) -> Array:
        return x.to(like.dtype)

    def total(self, terms: Iterable[Term], like: Array) -> Array:
        # One kernel for a term: torch multiplies and adds at once, and widens on the way.
        result = None
        for factor, value in terms:
            if factor != 0:
                result = self.wide(value) * factor if result is None else self.xp.add(result, value, alpha=factor)
        return result if result is not None else self.xp.zeros_like(self.wide(like))

    def clip(self, x: Array, lower: Any, upper: Any) -> Array:
        return x.clamp(lower, upper)

    def sorted_rows(self, x: Array) -> Array:
        return x.abs().reshape(x.shape[0], -1).sort(dim=-1).values

    def adopt(self, values: np.ndarray, like: Array) -> Array:
        return self.xp.from_numpy(values).to(device=like.device, dtype=like.dtype)

    def copy(self, x: Array) -> Array:
        return x.detach().clone()

    def same_place(self, x: Array, y: Array) -> bool:
        return bool(x.device == y.device)


_NUMPY = Arrays("numpy", np)
_found: dict[type, Arrays] = {np.ndarray: _NUMPY}


def arrays(x: Array, name: str = "the sample") -> Arrays:
    """The operations of an array's kind.

    Raises `ArgumentError` for what is no array of NumPy, torch, JAX or MLX.
    """
    found = _found.get(type(x))
    if found is None:
        found = _found[type(x)] = _look_up(x, name)
    return found


def _look_up(x: Array, name: str) -> Arrays:
    if isinstance(x, np.ndarray):
        return _NUMPY
    if (torch := sys.modules.get("torch")) is not None and isinstance(x, torch.Tensor):
        return Torch("torch", torch)
    if (jax := sys.modules.get("jax")) is not None and isinstance(x, jax.Array):
        return Arrays("jax", jax.numpy)
    if (mlx := sys.modules.get("mlx.core")) is not None and isinstance(x, mlx.array):
        return Arrays("mlx", mlx)
    kind = f"{type(x).__module__}.{type(x).__qualname__}"
    raise ArgumentError(f"{name} is of type {kind}; give an array of NumPy, torch, JAX or MLX")


def check(x: Array, name: str) -> Arrays:
    """The operations of an array of floating-point numbers with a batch."""
    kind = arrays(x, name)
    if not kind.is_float(x):
        raise ArgumentError(f"{name} has elements of type {x.dtype}; give float16, bfloat16, float32 or float64")
    if len(x.shape) == 0:
        raise ArgumentError(f"{name} has no dimensions; its first one must be the batch")
    return kind


def check_like(x: Array, sample: Array, shape: Sequence[int], name: str) -> None:
    """Raises `ArgumentError` unless an array is of the sample's kind, on its device and of a shape."""
    if type(x) is type(sample) and x.shape == shape and x.dtype == sample.dtype and arrays(x).same_place(x, sample):
        return
    kind = check(x, name)
    if kind is not arrays(sample):
        raise ArgumentError(f"{name} is an array of {kind.name} and the sample one of {arrays(sample).name}")
    if tuple(x.shape) != tuple(shape):
        raise ArgumentError(f"{name} has the shape {tuple(x.shape)}, where {tuple(shape)} is needed")
    if not kind.same_place(x, sample):
        raise ArgumentError(f"{name} is on {x.device} and the sample on {sample.device}; move one of them")


def size_of(shape: Sequence[int]) -> int:
    """How many elements a sample of a batch has."""
    return math.prod(shape[1:])


def is_compiling() -> bool:
    """Whether torch.compile is following the program, which knows no locks and no foreign functions."""
    torch = sys.modules.get("torch")
    return torch is not None and bool(torch.compiler.is_compiling())
