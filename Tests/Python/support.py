"""Fixtures, arrays of every kind, and networks."""

from __future__ import annotations

import functools
import json
import pathlib
from typing import Any

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
UNIT = 2.0**-53


@functools.cache
def numbers(file: str) -> dict[str, np.ndarray]:
    """The arrays of a file of Fixtures/Data."""
    from safetensors.numpy import load_file

    return load_file(ROOT / f"Fixtures/Data/{file}.safetensors")


def optional(name: str) -> Any:
    """A module that a test needs, which is skipped without it."""
    return pytest.importorskip(name)


class Kind:
    """Arrays of a module, made from those of NumPy and back."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.xp = optional({"numpy": "numpy", "torch": "torch", "jax": "jax.numpy", "mlx": "mlx.core"}[name])

    def array(self, values: np.ndarray, dtype: str | None = None) -> Any:
        dtype = dtype or str(values.dtype)
        if self.name == "numpy":
            return values.astype(dtype)
        if self.name == "torch":
            return self.xp.from_numpy(values.copy()).to(getattr(self.xp, dtype))
        if self.name == "jax":
            return self.xp.asarray(values, dtype=getattr(self.xp, dtype))
        return self.xp.array(values.astype(np.float32)).astype(getattr(self.xp, dtype))

    def double(self, array: Any) -> np.ndarray:
        if self.name == "torch":
            return array.detach().double().numpy()
        if self.name == "numpy":
            return array.astype(np.float64)
        return np.asarray(array.astype(self.xp.float32)).astype(np.float64)

    def twice(self, array: Any) -> Any:
        """An array beside itself in its channels."""
        join = self.xp.cat if self.name == "torch" else self.xp.concatenate
        return join([array, array], 1)


def classes() -> dict[str, list[dict[str, Any]]]:
    """Every class of diffusers that is read, with its options."""
    return json.loads((ROOT / "Fixtures/Data/diffusers-options.json").read_text())
