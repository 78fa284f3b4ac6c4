"""Samples, targets and weights at a noise level of each sample."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from .. import _arrays, _library, _native
from .._json import dumps
from ..errors import ArgumentError, RequestError

A = TypeVar("A")
# A number for each sample: a list, or an array of any kind.
Numbers = Any
# The factors of x0 and epsilon in what a network is to answer, of signal and noise.
TARGETS: dict[str, Callable[[Any, Any], tuple[Any, Any]]] = {
    "epsilon": lambda signal, noise: (0 * signal, 0 * noise + 1),
    "x0": lambda signal, noise: (0 * signal + 1, 0 * noise),
    "v": lambda signal, noise: (-noise, signal),
    "flow": lambda signal, noise: (0 * signal - 1, 0 * noise + 1),
    "reverseFlow": lambda signal, noise: (0 * signal + 1, 0 * noise - 1),
}


def mix(x0: A, epsilon: A, signal: Numbers, noise: Numbers) -> A:
    """Noisy samples: signal·x0 + noise·epsilon, with a signal and a noise for each sample.

    - `x0`, `epsilon`: data and standard normal noise, [N, ...], arrays of NumPy, torch, JAX or MLX.
    - `signal`, `noise`: N numbers each, 0 or more, such as `schedule.signals[t]` and `schedule.noises[t]`.

    Source: Ho et al. 2020, https://arxiv.org/abs/2006.11239, equation 4.
    """
    levels = checked_levels(x0, epsilon, signal, noise)
    if _is_plain(x0):
        return _made("schedulers_mix", (), x0, epsilon, *levels)  # type: ignore[no-any-return]
    return combination(x0, epsilon, *levels)


def target(prediction: str, x0: A, epsilon: A, signal: Numbers, noise: Numbers) -> A:
    """What a network is to answer for the sample that `mix` makes of the same.

    `prediction` is `"epsilon"`, `"x0"`, `"v"` (signal·epsilon − noise·x0), `"flow"` (epsilon − x0) or `"reverseFlow"`.
    """
    levels = checked_levels(x0, epsilon, signal, noise)
    if prediction not in TARGETS:
        raise RequestError(f"there is no prediction {prediction!r}; known are {', '.join(TARGETS)}")
    if _is_plain(x0):
        return _made("schedulers_target", (_library.encoded(prediction),), x0, epsilon, *levels)  # type: ignore[no-any-return]
    return combination(x0, epsilon, *TARGETS[prediction](*levels))


def weights(
    weighting: str,
    signal: Numbers,
    noise: Numbers,
    *,
    prediction: str = "epsilon",
    like: Any = None,
    **parameters: float,
) -> Any:
    """How much the squared error of each sample counts: N numbers, by its level.

    - `weighting`: `"uniform"`, `"minSNR"` (gamma), `"softMinSNR"` (gamma), `"p2"` (k, gamma), `"debiased"`, `"edm"`
      (sigma_data), `"sigmaSquareRoot"` or `"cosMap"`; `parameters` are those in brackets.
    - `prediction`: what the network answers. An error of x0 is another one of epsilon.
    - `like`: an array whose kind, type and device the weights have; NumPy's float64 if None.
    """
    signal, noise = numbers(signal, "signal"), numbers(noise, "noise")
    if signal.shape != noise.shape:
        raise ArgumentError(f"{len(signal)} signals and {len(noise)} noises; give as many of both")
    if "sigma_data" in parameters:
        parameters["sigmaData"] = parameters.pop("sigma_data")
    request = dumps({"weighting": weighting, "prediction": prediction, **parameters}, "the weighting")
    made = np.empty(len(signal))
    if len(signal):
        place = (signal.ctypes.data, noise.ctypes.data, made.ctypes.data)
        _library.call("schedulers_weights", _library.encoded(request), len(signal), *place)
    return made if like is None else _arrays.check(like, "like").adopt(made, like)


def combination(x0: A, epsilon: A, a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> A:
    """a·x0 + b·epsilon with numbers for each sample, by the arrays' own operators."""
    kind = _arrays.check(x0, "the data")
    x, e = kind.wide(x0), kind.wide(epsilon)
    shape = (-1,) + (1,) * (len(x.shape) - 1)
    first, second = kind.adopt(a, x).reshape(shape), kind.adopt(b, x).reshape(shape)
    return kind.cast(first * x + second * e, x0)  # type: ignore[no-any-return]


def checked_levels(
    x0: Any, epsilon: Any, signal: Numbers, noise: Numbers
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The levels of a batch, if there is one for each sample and the arrays fit."""
    _arrays.check(x0, "the data")
    _arrays.check_like(epsilon, x0, x0.shape, "the noise")
    signal, noise = numbers(signal, "signal"), numbers(noise, "noise")
    if not len(signal) == len(noise) == x0.shape[0]:
        raise ArgumentError(f"{len(signal)} signals and {len(noise)} noises for a batch of {x0.shape[0]} samples")
    for name, values in (("signal", signal), ("noise", noise)):
        if not (np.isfinite(values).all() and (values >= 0).all()):
            raise ArgumentError(
                f"{name} {values[~(np.isfinite(values) & (values >= 0))][0]} must be finite and 0 or more"
            )
    return signal, noise


def numbers(values: Numbers, name: str) -> npt.NDArray[np.float64]:
    """One number for each sample as an array of NumPy, from a device too."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
    try:
        found = np.ascontiguousarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"{name} holds no numbers: {error}") from None
    if found.ndim != 1:
        raise ArgumentError(f"{name} has {found.ndim} dimensions; give a number for each sample")
    return found


def _is_plain(x: Any) -> bool:
    return type(x) is np.ndarray and _native.scalar(x.dtype) is not None and x.size > 0


def _made(name: str, first: tuple[Any, ...], x0: Any, epsilon: Any, signal: Any, noise: Any) -> Any:
    """What a function of the library makes of data and noise."""
    x0 = np.ascontiguousarray(x0, dtype=x0.dtype.newbyteorder("="))
    epsilon, made = _native.fitting(epsilon, x0), np.empty_like(x0)
    sizes = (_native.scalar(x0.dtype), x0.shape[0], _arrays.size_of(x0.shape))
    places = (array.ctypes.data for array in (signal, noise, x0, epsilon, made))
    _library.call(name, *first, *sizes, *places)
    return made
