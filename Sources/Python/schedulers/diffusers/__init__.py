"""Schedulers for pipelines of diffusers.

    from schedulers.diffusers import Scheduler

    pipe.scheduler = Scheduler.from_config(pipe.scheduler.config)                          # the mathematics
    pipe.scheduler = Scheduler.from_config(pipe.scheduler.config, fidelity="diffusers")    # the same pictures, sooner

`schedulers.diffusers.EulerDiscreteScheduler` and the others are the classes by their names in diffusers, for another
than the pipeline's own: `EulerDiscreteScheduler.from_config(pipe.scheduler.config)`.
"""

from __future__ import annotations

import functools
import inspect
import typing
from typing import Any

import diffusers
from diffusers.utils.outputs import BaseOutput

from ._adapter import Scheduler
from ._traits import TRAITS

__all__ = ["NAMES", "Scheduler", "class_for"]

# The classes of diffusers that have plans.
NAMES = tuple(TRAITS)


def class_for(name: str) -> type[Scheduler]:
    """The class that steps by plans and is the diffusers class of a name."""
    if name not in TRAITS:
        raise ValueError(f"{name!r} is no class that has plans; there are {', '.join(NAMES)}")
    original = getattr(diffusers, name, None)
    if original is None:
        raise ValueError(f"diffusers {diffusers.__version__} has no {name}; install 0.42.1")
    return derived(original)


@functools.cache
def derived(original: Any) -> type[Scheduler]:
    """The class of an original."""
    setting, stepping = inspect.signature(original.set_timesteps), inspect.signature(original.step)
    names = tuple(stepping.parameters)[4:]
    allowed = frozenset(names)

    @functools.wraps(original.__init__)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        self._is_ready = False
        original.__init__(self, *args, **kwargs)
        self._is_ready = True

    @functools.wraps(original.set_timesteps)
    def set_timesteps(self: Any, *args: Any, **kwargs: Any) -> None:
        given = setting.bind(self, *args, **kwargs)
        original.set_timesteps(self, *args, **kwargs)
        given.apply_defaults()
        self._set(dict(given.arguments))

    @functools.wraps(original.step)
    def step(self: Any, model_output: Any, timestep: Any, sample: Any, *args: Any, **kwargs: Any) -> Any:
        if args:
            kwargs.update(zip(names, args, strict=False))
        if not kwargs.keys() <= allowed:
            stepping.bind(self, model_output, timestep, sample, **kwargs)
        return self._take(model_output, timestep, sample, kwargs)

    body: dict[str, Any] = {
        "__module__": original.__module__,  # so that a saved pipeline is one of diffusers
        "__doc__": f"{original.__name__} of diffusers, stepped by plans: see schedulers.diffusers.Scheduler.",
        "__init__": __init__,
        "set_timesteps": set_timesteps,
        "step": step,
        "_original": original,
        "_traits": TRAITS[original.__name__],
        "_names": names,
        "_answers": staticmethod(answers(original)),
    }
    if scales(original):

        @functools.wraps(original.scale_model_input)
        def scale_model_input(self: Any, sample: Any, timestep: Any) -> Any:
            return self._scaled(sample, timestep)

        body["scale_model_input"] = scale_model_input
    if isinstance(getattr(original, "init_noise_sigma", None), property):
        body["init_noise_sigma"] = property(initial_scale)
    return type(original.__name__, (Scheduler, original), body)


def scales(original: Any) -> bool:
    """Whether networks of a class are given scaled samples: it must be told at which timestep."""
    if not hasattr(original, "scale_model_input"):
        return False
    timestep = inspect.signature(original.scale_model_input).parameters.get("timestep")
    return timestep is not None and timestep.default is inspect.Parameter.empty


def initial_scale(self: Any) -> Any:
    """The deviation of the first sample."""
    if self._state is not None and self.fidelity == "corrected":
        return self._state.whole.initial_scale
    return self._original.init_noise_sigma.fget(self)


def answers(original: Any) -> type:
    """The class of what `step` returns under a name."""
    hint = typing.get_type_hints(original.step).get("return")
    for one in typing.get_args(hint):
        if isinstance(one, type) and issubclass(one, BaseOutput):
            return one
    raise TypeError(f"{original.__name__}.step does not say what it returns")


def __getattr__(name: str) -> Any:
    if name in TRAITS:
        return class_for(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
