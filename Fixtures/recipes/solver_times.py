"""Timesteps of diffusers' DPM-Solver, which chooses one more and leaves the last out, and of the sigmas that it rounds.

`solver-timesteps.safetensors`: for each spacing `SPACING/OFFSET.timesteps` are those of each N of `steps`, one after another, of T = 1000;
`karras/N` [N] those of DPMSolverMultistepScheduler with `use_karras_sigmas`, rounded.
"""

import numpy
from safetensors.numpy import save

STEPS = [1, 2, 3, 7, 10, 20, 25, 50]
SPACINGS = {"linspace/0": dict(timestep_spacing="linspace"), "leading/0": dict(timestep_spacing="leading"),
            "leading/1": dict(timestep_spacing="leading", steps_offset=1)}


def timesteps():
    from diffusers import DPMSolverMultistepScheduler

    def of(steps, **options):
        scheduler = DPMSolverMultistepScheduler(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, **options)
        scheduler.set_timesteps(steps)
        return scheduler.timesteps.numpy().astype(numpy.int64)

    tensors = {"steps": numpy.array(STEPS)}
    for name, options in SPACINGS.items():
        tensors[f"{name}.timesteps"] = numpy.concatenate([of(steps, **options) for steps in STEPS])
    for steps in (10, 25):
        tensors[f"karras/{steps}"] = of(steps, use_karras_sigmas=True)
    return save(tensors)


FILES = {"solver-timesteps.safetensors": timesteps}
