"""What is asked of a run: the configuration, and what a pipeline gives to `set_timesteps` and `step`."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from . import _plans
from ._moves import Moves

if TYPE_CHECKING:
    from ._adapter import Scheduler

# Arguments of `set_timesteps` and of `step` that change a plan.
SETTINGS = (
    "timesteps",
    "sigmas",
    "mu",
    "strength",
    "original_inference_steps",
    "max_timesteps",
    "intermediate_timesteps",
)
# Classes whose timesteps may have the end among them.
WITH_END = ("SCMScheduler", "DDPMWuerstchenScheduler", "LTXEulerAncestralRFScheduler")
STEPPING = ("eta", "use_clipped_model_output", "s_churn", "s_tmin", "s_tmax", "s_noise", "order")


def config_of(scheduler: Scheduler) -> dict[str, Any]:
    """The configuration as its file has it."""
    return {
        "_class_name": scheduler._original.__name__,
        **{key: value for key, value in scheduler.config.items() if not key.startswith("_")},
    }


@dataclass
class Setting:
    """A call of `set_timesteps`."""

    config: dict[str, Any]
    fidelity: str
    steps: int | None
    arguments: dict[str, Any]
    # The arguments of `step` that the class takes and a plan is made with.
    takes: tuple[str, ...]

    @classmethod
    def of(cls, scheduler: Any, given: dict[str, Any]) -> Setting:
        name, config = scheduler._original.__name__, config_of(scheduler)
        arguments = {key: given[key] for key in SETTINGS if given.get(key) is not None}
        steps = given.get("num_inference_steps")
        if given.get("num_train_timesteps"):
            config["num_train_timesteps"] = given["num_train_timesteps"]
        if config.get("dynamic_thresholding_ratio") == 0:
            # The least magnitude, which is the quantile of the least ratio above 0 too.
            config["dynamic_thresholding_ratio"] = sys.float_info.min
        if arguments.get("strength") == 1:
            del arguments["strength"]
        if not config.get("use_dynamic_shifting"):
            arguments.pop("mu", None)
        if name == "RePaintScheduler":
            arguments["jump_n_sample"] = 1  # the pipeline jumps by undo_step
        if name == "LTXEulerAncestralRFScheduler" and "sigmas" in arguments:
            steps = None
        if getattr(scheduler, "shift", None) not in (None, config.get("shift")):
            config["shift"] = scheduler.shift
            if not arguments and hasattr(scheduler, "sigma_min"):
                # The ends were shifted when the scheduler was made, and are not now.
                arguments["sigmas"] = torch.linspace(
                    scheduler.sigma_max, scheduler.sigma_min, steps, dtype=torch.float64
                )
        if name == "SCMScheduler" and steps != 2:
            arguments.pop("intermediate_timesteps", None)
        takes = tuple(key for key in STEPPING if key in scheduler._names)
        return cls(config, scheduler.fidelity, steps, arguments, takes)

    def request(self, more: dict[str, Any] | None = None) -> str:
        """What identifies the plan of this run, with arguments of `step`."""
        more = {key: value for key, value in (more or {}).items() if value is not None}
        for key in ("eta", "s_churn", "s_tmin", "s_tmax", "s_noise"):
            if key in more:
                more[key] = float(more[key])
        if more.get("s_tmax") == float("inf"):
            del more["s_tmax"]
        return _plans.request(self.config, self.steps, self.fidelity, {**self.arguments, **more})


def overwrite(scheduler: Any, plan: Moves) -> None:
    """Puts the plan's own timesteps, sigmas and first scale into the place of the original's."""
    if scheduler._original.__name__ == "RePaintScheduler":
        return  # its timesteps go back and forth
    has_end = scheduler._original.__name__ in WITH_END and len(scheduler.timesteps) == len(plan) + 1
    scheduler.timesteps = _with(scheduler.timesteps, list(plan.timesteps), has_end)
    if isinstance(getattr(scheduler, "sigmas", None), torch.Tensor):
        levels = [call.level for call in plan.calls] + [plan.calls[-1].arrival]
        is_flow = all(abs(signal + noise - 1) < 1e-9 for signal, noise in levels)
        if is_flow:
            values = [signal if scheduler.config.get("invert_sigmas") else noise for signal, noise in levels]
        else:
            values = [noise / signal if signal else float("inf") for signal, noise in levels]
        scheduler.sigmas = torch.tensor(values, dtype=scheduler.sigmas.dtype, device=scheduler.sigmas.device)
    if "init_noise_sigma" in vars(scheduler):
        scheduler.init_noise_sigma = plan.initial_scale


def _with(old: torch.Tensor, values: list[float], has_end: bool) -> torch.Tensor:
    """The values in the type of a tensor, if it can hold them, and the tensor's last."""
    kind = old.dtype
    if not kind.is_floating_point and any(value != int(value) for value in values):
        kind = torch.float32
    new = torch.tensor(values, dtype=torch.float64).to(old.device, kind)
    return torch.cat([new, old[-1:].to(kind)]) if has_end else new
