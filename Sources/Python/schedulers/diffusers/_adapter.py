"""diffusers' schedulers, stepped by plans."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from diffusers.configuration_utils import ConfigMixin
from diffusers.schedulers.scheduling_utils import SchedulerMixin

from ..errors import StateError
from . import _noise, _places, _plans
from ._engines import Engine, engine
from ._moves import Call, Moves
from ._operators import written
from ._settings import Setting, overwrite
from ._traits import Traits, never

INTEGERS = (torch.int32, torch.int64)


@dataclass(slots=True)
class State:
    """Where a scheduler is in its run."""

    setting: Setting
    # The plan of a whole run.
    whole: Moves
    # The tensors that the plan belongs to; of the second how often it had been written to, and what it holds.
    timesteps: torch.Tensor
    sigmas: torch.Tensor | None
    written: float = 0
    kept: torch.Tensor | None = None
    # Those arguments of `step` with which the plan was made.
    arguments: dict[str, Any] = field(default_factory=dict)
    # The plan from the call on with which the run began, what takes its steps, and the call that comes next.
    moves: Moves | None = None
    engine: Engine | None = None
    call: int = -1
    # Of PNDM the sample and the output of the first.
    first: tuple[torch.Tensor, torch.Tensor] | None = None


class Scheduler(SchedulerMixin, ConfigMixin):  # type: ignore[misc]
    """A scheduler for pipelines of diffusers, which steps by this library's plans.

        pipe.scheduler = Scheduler.from_config(pipe.scheduler.config)

    What comes back is of a class of its own, which is also the diffusers class that the configuration names: it has
    its methods, tables and signatures, and writes its files. `set_timesteps` asks the library for the plan of the run,
    and `step` makes the next sample by it, in one combination.

    `fidelity` is "corrected", the mathematics of the papers, or "diffusers", whose pictures are those of diffusers
    0.42.1. It is a keyword of `from_config` and `from_pretrained`, and stays in the configuration.

    A few steps are no step of a plan and are left to the diffusers class: those before `set_timesteps`, after somebody
    has replaced timesteps or edited sigmas, at a timestep that is none of the run's in a class that looks for it, and
    with arguments that no plan has (`_places.is_left`).
    """

    _traits: Traits
    _original: Any
    _names: tuple[str, ...]
    _answers: type
    _state: State | None = None
    _step_index: Any
    counter: Any
    config: Any
    _is_ready = False
    # Of one class only, and asked of all.
    _scale_factors = _upscale_mode = None

    @classmethod
    def from_config(
        cls, config: Any = None, return_unused_kwargs: bool = False, *, fidelity: str | None = None, **kwargs: Any
    ) -> Any:
        """The scheduler of a configuration: a dict of it, `scheduler.config`, or another scheduler.

        - `fidelity`: "corrected" or "diffusers"; by default what the configuration says, or "corrected".
        - `kwargs`: options that take the place of the configuration's.

        Raises `ValueError` for a class that has no plans.
        """
        from . import class_for

        if isinstance(config, SchedulerMixin):
            config = {"_class_name": type(config).__name__, **config.config}  # type: ignore[attr-defined]
        if cls is Scheduler:
            if not isinstance(config, Mapping) or "_class_name" not in config:
                raise ValueError(
                    "the configuration does not name its class; give the scheduler itself, or call from_config of "
                    "schedulers.diffusers.EulerDiscreteScheduler or another class"
                )
            kind = class_for(config["_class_name"])
            return kind.from_config(config, return_unused_kwargs, fidelity=fidelity, **kwargs)
        fidelity = fidelity or (config.get("_fidelity") if isinstance(config, Mapping) else None)
        made: Any = super().from_config(config, return_unused_kwargs=return_unused_kwargs, **kwargs)
        if fidelity:
            (made[0] if return_unused_kwargs else made).fidelity = fidelity
        return made

    @property
    def fidelity(self) -> str:
        """What the scheduler does, from the next `set_timesteps` on: "corrected" or "diffusers"."""
        return str(self.config.get("_fidelity", "corrected"))

    @fidelity.setter
    def fidelity(self, value: str) -> None:
        if value not in ("corrected", "diffusers"):
            raise ValueError(f'fidelity {value!r}; it is "corrected" or "diffusers"')
        self.register_to_config(_fidelity=value)  # type: ignore[no-untyped-call]

    def __reduce__(self) -> tuple[Any, ...]:
        # The class has the name of diffusers' own, under which pickle would look for it.
        return made, (self._original.__name__,), vars(self)

    def _set(self, arguments: dict[str, Any]) -> None:
        """What follows on the original's `set_timesteps`."""
        self._state = None
        if not self._is_ready:  # a constructor's own call
            return
        setting = Setting.of(self, arguments)
        whole = _plans.planned(setting.request())
        if setting.fidelity == "corrected":
            overwrite(self, whole)
        sigmas = vars(self).get("sigmas")
        self._state = State(setting, whole, self.timesteps, sigmas)
        if sigmas is not None:
            self._state.written, self._state.kept = written(sigmas), sigmas.clone()

    def _take(self, output: torch.Tensor, timestep: Any, x: torch.Tensor, given: dict[str, Any]) -> Any:
        """A step. In the order of what most calls need, so that it costs little beside small tensors."""
        traits = self._traits
        if traits.refuses_integers and (
            type(timestep) is int or isinstance(timestep, torch.Tensor) and timestep.dtype in INTEGERS
        ):
            raise ValueError(
                f"the timestep {timestep} is an integer, perhaps the index of one; give one of scheduler.timesteps"
            )
        state = self._state or _places.untold(self)
        if state is None or _places.is_left(self, state, given):
            return self._original.step(self, output, timestep, x, **given)
        if state.setting.takes and (state.arguments or len(given) > ("return_dict" in given)):
            self._follow(state, given)
        call = self._step_index if traits.place == "index" else None
        if call is None:
            call = _places.call(self, state, timestep, given)
            if call is None:
                return self._original.step(self, output, timestep, x, **given)
        if state.call != call:
            begin(state, call)
        moves = state.moves
        assert moves is not None
        i = call - moves.first
        if not 0 <= i < len(moves):
            raise IndexError(f"step {call} of a run of {len(state.whole)}; call set_timesteps to begin another")
        asked = moves.calls[i]
        noise = None
        if asked.needs_noise or traits.draws is not never:
            noise = _noise.drawn(self, asked, call, output, x, given)
        state.engine = engine(state.engine, moves, x, output, noise)
        answer = self._advanced(state.engine, i, asked, x, output, noise, given)
        state.call = call + 1
        if traits.place == "index":
            self._step_index = call + 1
        elif traits.place == "counter":
            self.counter += 1
            state.first = (x, output) if self.counter == 1 else None
        return answer if not given.get("return_dict", True) else self._answers(*answer)

    def _follow(self, state: State, given: dict[str, Any]) -> None:
        """Makes another plan where `step` is given other arguments than the last one."""
        arguments = {name: given[name] for name in state.setting.takes if name in given}
        if arguments != state.arguments:
            whole = _plans.planned(state.setting.request(arguments))
            if whole.timesteps != state.whole.timesteps:
                raise StateError(
                    f"{arguments} has the network asked at other timesteps than scheduler.timesteps, which were made "
                    'without; use fidelity="diffusers", or schedulers.Plan and schedulers.Run'
                )
            state.arguments, state.whole, state.call = arguments, whole, -1

    def _advanced(
        self,
        run: Engine,
        i: int,
        asked: Call,
        x: torch.Tensor,
        output: torch.Tensor,
        noise: torch.Tensor | None,
        given: dict[str, Any],
    ) -> tuple[torch.Tensor, ...]:
        """What `step` returns, without a name."""
        traits = self._traits
        mixed = x.dtype if x.dtype is output.dtype else torch.promote_types(x.dtype, output.dtype)
        kind = mixed
        if traits.result != "promoted":
            kind = output.dtype if traits.result == "output" else x.dtype
        elif noise is not None:
            kind = torch.promote_types(mixed, noise.dtype)
        if traits.second == "rest":
            is_lcm = self._original.__name__ == "LCMScheduler"
            scale = asked.arrival[0] if is_lcm else math.sqrt(1 - run.moves.steps[i].noise ** 2)
            return run.advance_with_rest(i, x, output, noise, scale, kind)
        next, denoised = run.advance(i, x, output, noise, traits.second is not None, kind)
        if noise is not None and "mask" in given:
            known = torch.add(asked.arrival[0] * given["original_image"], noise, alpha=asked.arrival[1])
            next = torch.lerp(next, known, given["mask"].to(next.dtype).expand_as(next))
        if traits.second is None or denoised is None:
            return (next,)
        if noise is not None and given.get("s_churn") and self.fidelity == "diffusers":
            denoised = _noise.churned(self, i + run.moves.first, x, output, noise, given)
        # Euler's classes make x̂0 in float32, but where it is the output itself.
        if traits.result == "output" and mixed is not torch.float32:
            if self.config.prediction_type not in ("sample", "original_sample"):
                mixed = torch.promote_types(mixed, torch.float32)
        return next, denoised if denoised.dtype is mixed else denoised.to(mixed)

    def _scaled(self, sample: torch.Tensor, timestep: Any) -> torch.Tensor:
        """What the network is given."""
        state = self._state
        if state is None or _places.is_left(self, state, {}):
            scaled: torch.Tensor = self._original.scale_model_input(self, sample, timestep)
            return scaled
        if self._step_index is None:
            _places.find(self, timestep)
        self.is_scale_input_called = True
        index = self._step_index
        if not 0 <= index < len(state.whole):
            raise IndexError(f"step {index} of a run of {len(state.whole)}; call set_timesteps to begin another")
        scale = state.whole.calls[index].scale
        return sample if scale == 1 else sample * scale


def made(name: str) -> Scheduler:
    """A scheduler of a class without its contents."""
    from . import class_for

    kind = class_for(name)
    return kind.__new__(kind)


def begin(state: State, call: int) -> None:
    """Begins a run with a call of the whole one."""
    moves = state.whole
    if call and moves.has_memory:
        moves = _plans.planned(state.setting.request({**state.arguments, "first_step": call, "begin_index": True}))
    if moves.has_memory or state.moves is not moves:
        state.engine = None
    state.moves = moves
