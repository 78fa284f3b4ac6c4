"""Standard normal noise: this library's own, and what other libraries draw from a seed.

A source draws one array after another. Docs/Noise.md says how exactly each is the one that it is named after.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar, overload

import numpy as np
import numpy.typing as npt

from . import _arrays, _library, _native
from ._json import dumps
from .errors import ArgumentError, StateError
from .steps import Query

__all__ = [
    "Brownian",
    "JAX",
    "MLX",
    "Noise",
    "NumPy",
    "NumPyLegacy",
    "Philox",
    "Source",
    "Torch",
    "TorchCUDA",
    "TorchSDE",
]

A = TypeVar("A")
Shape = Sequence[int]
# The sigmas between which a step goes.
Interval = tuple[float, float]


class Source:
    """A source of standard normal numbers that the C library holds.

    It can be forked, and pickled at any place. Two threads may not draw from one at a time: `fork` it for each.
    """

    # Whether it needs to be told between which sigmas a step goes.
    needs_interval = False
    # Whether it stands for a generator of torch, which some schedulers of diffusers draw from in vain.
    follows = False

    def __init__(self, **request: Any) -> None:
        self.request = request
        self.handle = _library.made("noise", dumps(request, "the noise source"))
        self._lock = threading.Lock()

    @overload
    def next(
        self, shape: Shape, *, dtype: npt.DTypeLike = ..., interval: Interval | None = ...
    ) -> npt.NDArray[Any]: ...
    @overload
    def next(self, shape: Shape, *, like: A, interval: Interval | None = ...) -> A: ...
    def next(
        self,
        shape: Shape,
        *,
        dtype: npt.DTypeLike = np.float32,
        like: Any = None,
        interval: Interval | None = None,
    ) -> Any:
        """The next draw, an array of a shape [N, ...] of NumPy in a dtype: float16, float32 or float64.

        - `like`: an array of NumPy, torch, JAX or MLX: the draw is one of its kind, in its type, on its device.
        - `interval`: the sigmas of the step that it is for, from and to, which a Brownian path needs.
        """
        if interval is None and self.needs_interval:
            raise ArgumentError(f"{self!r} needs the interval of the step, the sigmas from and to")
        values = _room(shape, dtype, like)
        with self.used():
            sizes, sigmas = (values.shape[0], _arrays.size_of(values.shape)), map(float, interval or (0.0, 0.0))
            scalar = _native.scalar(values.dtype)
            _library.call("schedulers_noise_next", self.handle, scalar, *sizes, *sigmas, _native.address(values))
        return values if like is None else _arrays.arrays(like).adopt(values, like)

    @contextmanager
    def used(self) -> Iterator[None]:
        """Keeps a second thread out."""
        if not self._lock.acquire(blocking=False):
            raise StateError("the source is in use by another thread; fork it for each")
        try:
            yield
        finally:
            self._lock.release()

    def fork(self: S) -> S:
        """A source that goes on as this one would."""
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__, handle=self.handle.copy(), _lock=threading.Lock())
        return copy

    def __getstate__(self) -> dict[str, Any]:
        with self.used():
            state = {key: value for key, value in self.__dict__.items() if key not in ("handle", "_lock")}
            return {**state, "now": _library.text("schedulers_noise_json", self.handle)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        handle = _library.made("noise", state.pop("now"))
        self.__dict__.update(state, handle=handle, _lock=threading.Lock())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.request.items() if k != 'source')})"


S = TypeVar("S", bound=Source)
# What `noise=` of a run takes.
Noise = Source | Callable[[tuple[int, ...], Query], Any]


class Philox(Source):
    """The library's own noise: every number has an address, and the same bits on every machine.

    A sample's noise does not depend on the batch that it is in: `first_sample` is the address of the first. With
    `seeds`, each sample has the noise of its own seed.
    """

    def __init__(self, seed: int = 0, *, seeds: Sequence[int] | None = None, first_sample: int = 0) -> None:
        self.seed = _seed(seed)
        if seeds is not None:
            super().__init__(source="philox", seeds=[_seed(s) for s in seeds])
        else:
            super().__init__(source="philox", seed=self.seed, firstSample=_seed(first_sample, "a sample"))

    def normal(
        self,
        shape: Shape,
        *,
        sample: int = 0,
        draw: int = 0,
        dtype: npt.DTypeLike = np.float32,
        like: Any = None,
    ) -> Any:
        """Noise by its address: the numbers of draw `draw`, for samples `sample`, `sample` + 1, ... of the seed.

        `shape` is [N, ...]. The source stays where it is.
        """
        values = _room(shape, dtype, like)
        address = (_seed(draw, "a draw"), _seed(sample, "a sample"))
        samples, size = values.shape[0], _arrays.size_of(values.shape)
        place = _native.address(values)
        _library.call("schedulers_normals", self.seed, *address, _native.scalar(values.dtype), samples, size, place)
        return values if like is None else _arrays.arrays(like).adopt(values, like)


class Torch(Source):
    """`torch.randn` on the processor after `torch.manual_seed(seed)`, bit for bit.

    `precision` is torch's dtype, which chooses the stream: `"float32"`, `"float64"`, `"float16"` or `"bfloat16"`. With
    `seeds` each sample has a generator of its own.
    """

    follows = True

    def __init__(self, seed: int = 0, *, seeds: Sequence[int] | None = None, precision: str = "float32") -> None:
        seeded = {"seed": _seed(seed)} if seeds is None else {"seeds": [_seed(s) for s in seeds]}
        super().__init__(source="torch-cpu", precision=precision, **seeded)


class TorchCUDA(Source):
    """`torch.randn` on a CUDA device, such as `"a100"`, `"h100"` or `"rtx4090"`, to about 1e-6."""

    follows = True

    def __init__(self, seed: int = 0, *, device: str = "a100") -> None:
        super().__init__(source="torch-cuda", seed=_seed(seed), device=device)


class TorchSDE(Source):
    """`BrownianTreeNoiseSampler` of diffusers and k-diffusion, between the smallest and the largest sigma of a run."""

    needs_interval = True
    follows = True

    def __init__(self, seed: int = 0, *, sigmas: Interval) -> None:
        super().__init__(source="torch-sde", seed=_seed(seed), sigmas=list(map(float, sigmas)))


class NumPy(Source):
    """`numpy.random.default_rng(seed).standard_normal`, in `precision` `"float64"` or `"float32"`."""

    def __init__(self, seed: int = 0, *, precision: str = "float64") -> None:
        super().__init__(source="numpy", seed=_seed(seed), precision=precision)


class NumPyLegacy(Source):
    """`numpy.random.RandomState(seed).randn`."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__(source="numpy-legacy", seed=_seed(seed))


class JAX(Source):
    """`jax.random.normal`: for each draw `key, subkey = jax.random.split(key)`, and the numbers of the subkey."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__(source="jax", seed=_seed(seed))


class MLX(Source):
    """`mx.random.normal` after `mx.random.seed(seed)`."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__(source="mlx", seed=_seed(seed))


class Brownian(Source):
    """A Brownian path over sigma: the noise of a step depends on where the step begins and ends.

    So a seed gives nearly the same image with 20 steps as with 200.
    """

    needs_interval = True

    def __init__(self, seed: int = 0, *, first_sample: int = 0) -> None:
        super().__init__(source="brownian", seed=_seed(seed), firstSample=_seed(first_sample, "a sample"))


def _seed(seed: int, name: str = "a seed") -> int:
    if not isinstance(seed, (int, np.integer)) or not 0 <= seed < 1 << 64:
        raise ArgumentError(f"{seed!r} is not {name}; give a whole number from 0 to 2^64 - 1")
    return int(seed)


def _room(shape: Shape, dtype: npt.DTypeLike, like: Any) -> np.ndarray:
    """An array to draw into: of a dtype, or of the one that holds another array's numbers."""
    try:
        if like is not None:
            # What the library does not know is drawn in float32.
            name = str(_arrays.check(like, "like") and like.dtype).rpartition(".")[2]
            dtype = name if name in ("float64", "float16") else "float32"
        kind, sizes = np.dtype(dtype), tuple(int(n) for n in shape)
        if _native.scalar(kind) is not None and len(sizes) > 0 and min(sizes) > 0:
            return np.empty(sizes, kind)
    except (TypeError, ValueError, MemoryError, OverflowError) as error:
        raise ArgumentError(f"there is no noise of shape {shape!r} and dtype {dtype!r}: {error}") from None
    raise ArgumentError(f"noise of shape {sizes} and dtype {kind}; give sizes above 0, and float16, float32 or float64")
