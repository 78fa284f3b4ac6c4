"""What diffusers' classes do that no plan says: when they draw noise, in which type they answer, and what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Draws = Callable[[Any, int, float, dict[str, Any]], bool]


def never(*_: Any) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Traits:
    """Of one class.

    - `draws`: whether `step` takes noise from its generator, by the scheduler, the call's number and timestep, and the
      arguments.
    - `noise`: the type that is drawn: "output" that of the network's output, "float32", "promoted" what torch makes of
      the sample and the output, or "wide" of float32 and the output.
    - `result`: the type of the next sample: "output", "sample", or "promoted", what torch makes of all that is added.
    - `second`: what is answered beside it: None, "x0", or "rest", all but the noise, as it is before it is scaled.
    - `place`: how a call is found: by the "index" that is counted, the "timestep", or the "time" of each sample.
    - `brownian`: the noise is a path's.
    - `refuses_integers`: an integer is no timestep.
    """

    draws: Draws = never
    noise: str = "output"
    result: str = "promoted"
    second: str | None = None
    place: str = "index"
    brownian: bool = False
    refuses_integers: bool = False


def always(*_: Any) -> bool:
    return True


def above_zero(scheduler: Any, call: int, timestep: float, arguments: dict[str, Any]) -> bool:
    return timestep > 0


def with_eta(scheduler: Any, call: int, timestep: float, arguments: dict[str, Any]) -> bool:
    return bool(arguments.get("eta", 0) > 0)


def with_churn(scheduler: Any, call: int, timestep: float, arguments: dict[str, Any]) -> bool:
    if not arguments.get("s_churn"):
        return False
    least, most = arguments.get("s_tmin", 0), arguments.get("s_tmax", float("inf"))
    second = scheduler.order == 2 and call % 2 == 1
    return arguments["s_churn"] > 0 and bool(least <= scheduler.sigmas[call - second] <= most)


def with_sde(scheduler: Any, call: int, timestep: float, arguments: dict[str, Any]) -> bool:
    return str(scheduler.config.algorithm_type).startswith("sde-")


def but_last(scheduler: Any, call: int, timestep: float, arguments: dict[str, Any]) -> bool:
    return bool(call != scheduler.num_inference_steps - 1)


def but_last_with_eta(scheduler: Any, call: int, timestep: float, arguments: dict[str, Any]) -> bool:
    return arguments.get("eta", 0.3) > 0 and but_last(scheduler, call, timestep, arguments)


def second_calls(scheduler: Any, call: int, timestep: float, arguments: dict[str, Any]) -> bool:
    return call % 2 == 1


def where_stochastic(scheduler: Any, call: int, timestep: float, arguments: dict[str, Any]) -> bool:
    return bool(scheduler.config.stochastic_sampling)


def with_several(scheduler: Any, call: int, timestep: float, arguments: dict[str, Any]) -> bool:
    return len(scheduler.timesteps) > 1


def before_the_end(scheduler: Any, call: int, timestep: float, arguments: dict[str, Any]) -> bool:
    return bool(scheduler.sigmas[call + 1] != 0)


def ancestral_flow(scheduler: Any, call: int, timestep: float, arguments: dict[str, Any]) -> bool:
    config = scheduler.config
    return bool(config.eta > 0 and config.s_noise > 0 and abs(scheduler.sigmas[call + 1]) >= 1e-8)


DDPM = Traits(above_zero, second="x0", place="timestep")
DDIM = Traits(with_eta, second="x0", place="timestep")
EULER = Traits(with_churn, result="output", second="x0", refuses_integers=True)
FLOW = Traits(where_stochastic, noise="float32", result="output", refuses_integers=True)
TRAITS = {
    "DDPMScheduler": DDPM,
    "DDPMParallelScheduler": DDPM,
    "DDIMScheduler": DDIM,
    "DDIMParallelScheduler": DDIM,
    "DDIMInverseScheduler": Traits(second="x0", place="timestep"),
    "CogVideoXDDIMScheduler": Traits(second="x0", place="timestep"),
    "UnCLIPScheduler": DDPM,
    "RePaintScheduler": Traits(always, second="x0", place="timestep"),
    "PNDMScheduler": Traits(place="counter"),
    "EulerDiscreteScheduler": EULER,
    "EDMEulerScheduler": EULER,
    "EulerAncestralDiscreteScheduler": Traits(always, result="output", second="x0", refuses_integers=True),
    "HeunDiscreteScheduler": Traits(second="x0"),
    "LMSDiscreteScheduler": Traits(second="x0"),
    "KDPM2DiscreteScheduler": Traits(second="x0"),
    "KDPM2AncestralDiscreteScheduler": Traits(second_calls, second="x0"),
    "DPMSolverSDEScheduler": Traits(before_the_end, second="x0", brownian=True),
    "DPMSolverMultistepScheduler": Traits(with_sde, noise="float32", result="output"),
    "DPMSolverMultistepInverseScheduler": Traits(with_sde, noise="float32", result="output"),
    "DPMSolverSinglestepScheduler": Traits(with_sde),
    "UniPCMultistepScheduler": Traits(result="sample"),
    "DEISMultistepScheduler": Traits(),
    "SASolverScheduler": Traits(always, result="sample"),
    "IPNDMScheduler": Traits(),
    "EDMDPMSolverMultistepScheduler": Traits(with_sde),
    "CosineDPMSolverMultistepScheduler": Traits(always, brownian=True),
    "LCMScheduler": Traits(but_last, noise="promoted", second="rest"),
    "TCDScheduler": Traits(but_last_with_eta, noise="promoted", second="rest"),
    "CMStochasticIterativeScheduler": Traits(with_several, refuses_integers=True),
    "SCMScheduler": Traits(with_several, noise="float32", second="x0"),
    "FlowMatchEulerDiscreteScheduler": FLOW,
    "FlowMatchLCMScheduler": Traits(always, noise="wide", result="output", refuses_integers=True),
    "FlowMatchHeunDiscreteScheduler": Traits(with_churn, result="output", refuses_integers=True),
    "LTXEulerAncestralRFScheduler": Traits(ancestral_flow, noise="float32", result="sample", refuses_integers=True),
    "DDPMWuerstchenScheduler": Traits(always, result="output", place="time"),
    "MiniMaxH3Scheduler": Traits(result="sample", refuses_integers=True),
}
