"""Which call of a run a step is, and whether it is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from ._engines import engine
from ._moves import Moves
from ._operators import written

if TYPE_CHECKING:
    from ._adapter import State

# Classes that step through all timesteps without having been told to.
UNTOLD = ("DDPMScheduler", "DDPMParallelScheduler", "UnCLIPScheduler")


def untold(scheduler: Any) -> State | None:
    """The run of a scheduler whose `set_timesteps` was not called, if it has one."""
    steps = scheduler.config.get("num_train_timesteps", 0)
    if scheduler._original.__name__ in UNTOLD and steps > 1:
        timesteps = scheduler.timesteps
        scheduler._set({"num_inference_steps": steps})
        scheduler.timesteps = timesteps
    state: State | None = scheduler._state
    return state


def is_left(scheduler: Any, state: State, given: dict[str, Any]) -> bool:
    """Whether a step is none of the plan, and is left to the original.

    - Timesteps or sigmas were replaced or edited after `set_timesteps`.
    - An argument that no plan has: timesteps for each token, x̂0 itself, sizes to scale to.
    - And by `call`: a timestep that is none of the run's, or another one where UnCLIP is to go.
    """
    if scheduler.timesteps is not state.timesteps:
        if not torch.equal(scheduler.timesteps.to(state.timesteps), state.timesteps):
            return True
        state.timesteps = scheduler.timesteps
    if state.kept is not None:
        sigmas: torch.Tensor = scheduler.sigmas
        if sigmas is not state.sigmas or written(sigmas) != state.written:
            if not torch.equal(sigmas.to(state.kept), state.kept):
                return True
            state.sigmas, state.written = sigmas, written(sigmas)
    if given.get("per_token_timesteps") is not None or given.get("pred_original_sample") is not None:
        return True
    return bool(scheduler._scale_factors and scheduler._upscale_mode)


def call(scheduler: Any, state: State, timestep: Any, given: dict[str, Any]) -> int | None:
    """The number of the call among those of a whole run, or None for a step that is none of it."""
    place = scheduler._traits.place
    if place == "index":
        find(scheduler, timestep)
        return int(scheduler._step_index)
    if place == "time":
        times = timestep.flatten()
        if not bool((times == times[0]).all()):
            return None
        return int((state.timesteps.to(times) - times[0]).abs()[:-1].argmin())
    number = timestep.item() if isinstance(timestep, torch.Tensor) else timestep
    if place == "counter":
        return counted(scheduler, state, number)
    # Of equal timesteps the one whose turn it is.
    is_next = 0 <= state.call < len(state.whole) and state.whole.timesteps[state.call] == number
    place = state.call if is_next else state.whole.places.get(number)
    return None if place is not None and goes_elsewhere(scheduler, state.whole, place, given) else place


def find(scheduler: Any, timestep: Any) -> None:
    """Finds where a run begins, as the original does: of equal timesteps at the second. By the mathematics it is the
    first that begins a step."""
    state, begin = scheduler._state, vars(scheduler).get("_begin_index")
    if state is not None and state.setting.fidelity == "corrected" and begin is None:
        at = (state.timesteps[: len(state.whole)] == timestep).nonzero().flatten().tolist()
        scheduler._step_index = next((i for i in at if i % scheduler.order == 0), None)
        if scheduler._step_index is not None:
            return
    if hasattr(scheduler, "_init_step_index"):
        scheduler._init_step_index(timestep)
    elif begin is not None:
        scheduler._step_index = begin
    else:
        scheduler._step_index = scheduler.index_for_timestep(timestep)


def goes_elsewhere(scheduler: Any, plan: Moves, call: int, given: dict[str, Any]) -> bool:
    """Whether UnCLIP is told another timestep to go to than the next of the run."""
    if "prev_timestep" not in scheduler._names:
        return False
    below = plan.timesteps[call] - 1
    told = given.get("prev_timestep")
    told = below if told is None else int(told)
    return told != (plan.timesteps[call + 1] if call + 1 < len(plan.timesteps) else below)


def counted(scheduler: Any, state: State, timestep: float) -> int | None:
    """PNDM counts its calls and is not told where it begins. Of equal timesteps the second call shows which."""
    from ._adapter import begin

    if scheduler.counter == 0:
        return state.whole.places.get(timestep)
    has_next = state.call < len(state.whole)
    if scheduler.counter == 1 and has_next and state.whole.timesteps[state.call] != timestep:
        assert state.first is not None
        begin(state, state.call)
        assert state.moves is not None
        x, output = state.first
        state.engine = engine(None, state.moves, x, output, None)
        state.engine.advance(0, x, output, None, False, x.dtype)
        state.call += 1
    return state.call
