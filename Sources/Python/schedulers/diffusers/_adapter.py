"""diffusers' schedulers, stepped by plans."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from diffusers import ConfigMixin, SchedulerMixin

from . import _noise, _plans
from ._moves import Move, Moves
from ._engines import Engine, engine
from ._settings import Setting, overwrite
from ._traits import Traits


@dataclass
class State:
    """Where a scheduler is in its run."""

    setting: Setting
    # The plan of a whole run.
    whole: Moves
    # The tensors that the plan belongs to, the second with how often it had been written to.
    timesteps: torch.Tensor
    sigmas: torch.Tensor | None
    written: int
    # Those arguments of `step` with which the plan was made.
    arguments: dict[str, Any] = field(default_factory=dict)
    # The plan from the call on with which the run began, what takes its steps, and the call that comes next.
    moves: Moves | None = None
    engine: Engine | None = None
    call: int = -1
    # Of PNDM the sample and the output of the first.
    first: tuple[torch.Tensor, torch.Tensor] | None = None


class Scheduler(SchedulerMixin, ConfigMixin):
    """A scheduler for pipelines of diffusers, which steps by this library's plans.

        pipe.scheduler = Scheduler.from_config(pipe.scheduler.config)

    What comes back is of a class of its own, which is also the diffusers class that the configuration names: it has
    its methods, tables and signatures, and writes its files. `set_timesteps` asks the library for the plan of the run,
    and `step` makes the next sample by it, in one combination.

    `fidelity` is "corrected", the mathematics of the papers, or "diffusers", whose pictures are those of diffusers
    0.42.1. It is a keyword of `from_config` and `from_pretrained`, and stays in the configuration.

    A few steps are no step of a plan and are left to the diffusers class; see `_delegated`.
    """

    _traits: Traits
    _original: type
    _names: tuple[str, ...]
    _state: State | None = None
    _is_ready = False

    @classmethod
    def from_config(
        cls, config: Any = None, return_unused_kwargs: bool = False, *, fidelity: str | None = None, **kwargs: Any
    ) -> Any:
        """The scheduler of a configuration: a dict of it, `scheduler.config`, or another scheduler.

        - `fidelity`: "corrected" or "diffusers"; by default what the configuration says, or "corrected".
        - `kwargs`: options that take the place of the configuration's.
        """
        from . import class_for

        if isinstance(config, SchedulerMixin):
            config = {"_class_name": type(config).__name__, **config.config}
        if cls is Scheduler:
            if not isinstance(config, Mapping) or "_class_name" not in config:
                raise ValueError(
                    "the configuration does not name its class; give the scheduler itself, or call from_config of "
                    "schedulers.diffusers.EulerDiscreteScheduler or another class")
            cls = class_for(config["_class_name"])
        fidelity = fidelity or (config.get("_fidelity") if isinstance(config, Mapping) else None)
        made = super(Scheduler, cls).from_config(config, return_unused_kwargs=return_unused_kwargs, **kwargs)
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
        self.register_to_config(_fidelity=value)

    def _set(self, arguments: dict[str, Any]) -> None:
        """What follows on the original's `set_timesteps`."""
        self._state = None
        if not self._is_ready:  # a constructor's own call
            return
        setting = Setting.of(self, arguments)
        whole = _plans.planned(setting.request(self))
        if self.fidelity == "corrected":
            overwrite(self, whole)
        sigmas = getattr(self, "sigmas", None)
        self._state = State(setting, whole, self.timesteps, sigmas, 0 if sigmas is None else sigmas._version)

    def _take(self, output: torch.Tensor, timestep: Any, x: torch.Tensor, given: dict[str, Any]) -> Any:
        """A step."""
        traits, state = self._traits, self._state
        if traits.refuses_integers and isinstance(timestep, (int, torch.IntTensor, torch.LongTensor)):
            raise ValueError(
                f"the timestep {timestep} is an integer, perhaps the index of one; give one of scheduler.timesteps")
        if state is None:
            state = self._untold()
        if state is None or self._delegated(state, timestep, given):
            return self._original.step(self, output, timestep, x, **given)
        arguments = {name: given[name] for name in state.setting.takes if name in given}
        if arguments != state.arguments:
            state.arguments = arguments
            state.whole, state.call = _plans.planned(state.setting.request(self, arguments)), -1
        call = self._call(state, timestep, given)
        if call is None:
            return self._original.step(self, output, timestep, x, **given)
        if state.call != call:
            self._begin(state, call)
        moves = state.moves
        assert moves is not None
        i = call - moves.first
        if not 0 <= i < len(moves.steps):
            raise IndexError(f"step {call} of a run of {len(state.whole.steps)}; call set_timesteps to begin another")
        move = moves.steps[i]
        noise = _noise.drawn(self, move, call, output, x, given)
        run = state.engine = engine(state.engine, moves, x, output, noise)
        answer = self._advanced(run, i, move, x, output, noise, given)
        state.call = call + 1
        if traits.place == "index":
            self._step_index = call + 1
        elif traits.place == "counter":
            self.counter += 1
            state.first = (x, output) if self.counter == 1 else None
        return self._answers(*answer) if given.get("return_dict", True) else answer

    def _advanced(
        self, run: Engine, i: int, move: Move, x: torch.Tensor, output: torch.Tensor, noise: torch.Tensor | None,
        given: dict[str, Any],
    ) -> tuple[torch.Tensor, ...]:
        """What `step` returns, without a name."""
        traits = self._traits
        mixed = torch.promote_types(x.dtype, output.dtype)
        kind = {"output": output.dtype, "sample": x.dtype}.get(traits.result) or (
            mixed if noise is None else torch.promote_types(mixed, noise.dtype))
        if traits.second == "rest":
            return run.advance_with_rest(i, x, output, noise, self._rest_scale(move), kind)
        next, denoised = run.advance(i, x, output, noise, traits.second is not None, kind)
        if "mask" in given:
            known = torch.add(move.arrival[0] * given["original_image"], noise, alpha=move.arrival[1])
            next = torch.lerp(next, known, given["mask"].to(next.dtype).expand_as(next))
        if traits.second is None or denoised is None:
            return (next,)
        if noise is not None and given.get("s_churn") and self.fidelity == "diffusers":
            denoised = self._churned(i + run.moves.first, x, output, noise, given)
        # Euler's classes make x̂0 in float32, but where it is the output itself.
        if traits.result == "output" and self.config.prediction_type not in ("sample", "original_sample"):
            mixed = torch.promote_types(mixed, torch.float32)
        return next, denoised.to(mixed)

    def _rest_scale(self, move: Move) -> float:
        """What multiplies the second answer of LCM and TCD where noise is added to it."""
        if self._original.__name__ == "LCMScheduler":
            return move.arrival[0]
        return math.sqrt(1 - move.noise**2)

    def _churned(
        self, call: int, x: torch.Tensor, output: torch.Tensor, noise: torch.Tensor, given: dict[str, Any]
    ) -> torch.Tensor:
        """x̂0 as Euler's classes answer it where they add noise: of the sample with it, and the sigma that it has then."""
        sigma = self.sigmas[call]
        hat = sigma * (1 + min(given["s_churn"] / (len(self.sigmas) - 1), 2**0.5 - 1))
        x = x.float() + noise * given.get("s_noise", 1.0) * (hat**2 - sigma**2) ** 0.5
        if hasattr(self, "precondition_outputs"):
            return self.precondition_outputs(x, output, hat)
        if self.config.prediction_type == "epsilon":
            return x - hat * output
        if self.config.prediction_type == "v_prediction":
            return output * (-sigma / (sigma**2 + 1) ** 0.5) + x / (sigma**2 + 1)
        return output

    def _untold(self) -> State | None:
        """Before `set_timesteps`, DDPM takes every timestep."""
        if self._original.__name__ in ("DDPMScheduler", "DDPMParallelScheduler", "UnCLIPScheduler"):
            timesteps = self.timesteps
            self._set({"num_inference_steps": self.config.num_train_timesteps})
            self.timesteps = timesteps
        return self._state

    def _delegated(self, state: State, timestep: Any, given: dict[str, Any]) -> bool:
        """Whether a step is none of the plan, and is the original's.

        - Timesteps or sigmas were replaced or edited after `set_timesteps`.
        - The timestep is none of those, in a class that looks for it (below, in `_call`).
        - An argument that no plan has: timesteps for each token, x̂0 itself, sizes to scale to; or, below, the timestep
          where UnCLIP is to go, if that is not the next of the run.
        """
        if self.timesteps is not state.timesteps:
            if not torch.equal(self.timesteps.to(state.timesteps), state.timesteps):
                return True
            state.timesteps = self.timesteps
        if state.sigmas is not None:
            sigmas = self.sigmas
            if sigmas is not state.sigmas or sigmas._version != state.written:
                if state.setting.has_edited(sigmas):
                    return True
                state.sigmas, state.written = sigmas, sigmas._version
        for name in ("per_token_timesteps", "pred_original_sample"):
            if given.get(name) is not None:
                return True
        return bool(getattr(self, "_scale_factors", None) and self._upscale_mode)

    def _call(self, state: State, timestep: Any, given: dict[str, Any]) -> int | None:
        """The number of the call among those of a whole run."""
        place = self._traits.place
        if place == "index":
            if self._step_index is None:
                self._find(timestep)
            return int(self._step_index)
        if place == "time":
            times = timestep.flatten()
            if not bool((times == times[0]).all()):
                return None
            return int((state.timesteps.to(times) - times[0]).abs()[:-1].argmin())
        number = timestep.item() if isinstance(timestep, torch.Tensor) else timestep
        if place == "timestep":
            call = state.whole.places.get(number)
            return None if call is not None and self._goes_elsewhere(state.whole, call, given) else call
        return self._counted(state, number)

    def _goes_elsewhere(self, plan: Moves, call: int, given: dict[str, Any]) -> bool:
        """Whether UnCLIP is told another timestep to go to than the next of the run."""
        if "prev_timestep" not in self._names:
            return False
        below = plan.timesteps[call] - 1
        told = given.get("prev_timestep")
        told = below if told is None else int(told)
        return told != (plan.timesteps[call + 1] if call + 1 < len(plan.timesteps) else below)

    def _find(self, timestep: Any) -> None:
        if hasattr(self, "_init_step_index"):
            self._init_step_index(timestep)
        elif self._begin_index is not None:
            self._step_index = self._begin_index
        else:
            self._step_index = self.index_for_timestep(timestep)

    def _counted(self, state: State, timestep: float) -> int | None:
        """PNDM counts its calls and is not told where it begins. Of equal timesteps the second call shows which."""
        if self.counter == 0:
            return state.whole.places.get(timestep)
        if self.counter == 1 and state.call < len(state.whole.steps) and state.whole.timesteps[state.call] != timestep:
            assert state.first is not None
            self._begin(state, state.call)
            assert state.moves is not None
            x, output = state.first
            state.engine = engine(None, state.moves, x, output, None)
            state.engine.advance(0, x, output, None, False, x.dtype)
            state.call += 1
        return state.call

    def _begin(self, state: State, call: int) -> None:
        """A run that begins with a call."""
        moves = state.whole
        if call and moves.has_memory:
            late = {"first_step": call, "begin_index": True}
            moves = _plans.planned(state.setting.request(self, {**state.arguments, **late}))
        if moves.has_memory or state.moves is not moves:
            state.engine = None
        state.moves = moves

    def _scaled(self, sample: torch.Tensor, timestep: Any) -> torch.Tensor:
        """What the network is given."""
        state = self._state
        if state is None or self._delegated(state, timestep, {}):
            return self._original.scale_model_input(self, sample, timestep)
        if self._step_index is None:
            self._find(timestep)
        self.is_scale_input_called = True
        index = self._step_index
        if not 0 <= index < len(state.whole.steps):
            raise IndexError(f"step {index} of a run of {len(state.whole.steps)}; call set_timesteps to begin another")
        scale = state.whole.steps[index].scale
        return sample if scale == 1 else sample * scale
