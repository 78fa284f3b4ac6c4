"""The functions that losses are made of, for NumPy and torch."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np

from ..errors import ArgumentError


class _NumPy:
    """NumPy's functions, which lack two."""

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    @staticmethod
    def erf(x: Any) -> Any:
        return np.asarray(np.frompyfunc(math.erf, 1, 1)(x), dtype=np.float64)

    @staticmethod
    def erfc(x: Any) -> Any:
        return np.asarray(np.frompyfunc(math.erfc, 1, 1)(x), dtype=np.float64)


class _Torch:
    """torch's, under NumPy's names."""

    def __getattr__(self, name: str) -> Any:
        torch = sys.modules["torch"]
        return getattr(torch.special if name == "erfc" else torch, name)


NUMPY, TORCH = _NumPy(), _Torch()


def is_torch(x: Any) -> bool:
    """Whether an array is a tensor of torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(x, torch.Tensor)


def functions(x: Any) -> Any:
    """The functions of an array's module."""
    return TORCH if is_torch(x) else NUMPY


def wide(x: Any, name: str) -> Any:
    """An array in the type that losses are computed in: float64 of NumPy; of torch its own, but float32 at least."""
    if is_torch(x):
        return x.float() if x.element_size() < 4 or not x.is_floating_point() else x
    try:
        return np.asarray(x, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"{name} is no array of NumPy or torch: {error}") from None


def differentiable(value: Any, *pairs: tuple[Any, Any]) -> Any:
    """A value whose gradients are known: for each pair of an input of torch and the derivative by it.

    Its numbers are `value`; second derivatives are not to be had. With arrays of NumPy it is the value.
    """
    if not is_torch(value):
        return value
    inputs = [pair for pair in pairs if is_torch(pair[0]) and pair[0].requires_grad]
    return _known_gradients().apply(value, *(part for pair in inputs for part in pair)) if inputs else value


_function: Any = None


def _known_gradients() -> Any:
    """The function of torch's autograd that does so."""
    global _function
    if _function is None:
        torch = sys.modules["torch"]
        once: Any = __import__("torch.autograd.function", fromlist=["once_differentiable"]).once_differentiable

        class KnownGradients(torch.autograd.Function):  # type: ignore[name-defined, misc]
            @staticmethod
            def forward(ctx: Any, value: Any, *parts: Any) -> Any:
                ctx.save_for_backward(*parts[1::2])
                return value.clone()

            @staticmethod
            @once  # type: ignore[untyped-decorator]
            def backward(ctx: Any, gradient: Any) -> Any:
                found: list[Any] = [None]
                for derivative in ctx.saved_tensors:
                    found += [gradient * derivative, None]
                return tuple(found)

        _function = KnownGradients
    return _function
