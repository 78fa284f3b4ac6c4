"""diffusers' tables in float32, as it makes them, and the timesteps it chooses.

For a scheduler (ddpm, ddim, ddim-inverse), a beta schedule that it accepts with its default parameters, T, and `rescaled` (to zero
terminal SNR) or `plain`, `scheduler/schedule/T/plain` has `.betas` and `.alphas_cumprod` [T] in float32, `.init_noise_sigma` [1], and
`.final_alpha_cumprod` [2] for set_alpha_to_one on and off, where the scheduler has it (ddim-inverse calls it initial_alpha_cumprod).

`scheduler/T/spacing/offset.timesteps` are those of each N of `T.steps`, one after another, `.counts` how many each N has. `.sums` are for
every N from 1 to T the sums of (i + 1)·t_i, where the scheduler counts the timesteps from i = 0; they tell a wrong N without its timesteps.
"""

import numpy
from safetensors.numpy import save

SCHEDULES = {"linear": "linear", "scaled_linear": "scaled-linear", "squaredcos_cap_v2": "cosine", "sigmoid": "sigmoid"}
COUNTS = (1000, 50)
# Usual numbers of steps, and those where diffusers rounds or counts in its own way.
STEPS = [
    1, 2, 3, 4, 5, 7, 10, 12, 13, 15, 16, 19, 20, 24, 25, 27, 28, 29, 30, 31, 32, 36, 40, 44, 47, 48, 50, 61, 64, 80, 96, 100, 103, 121,
    122, 128, 160, 201, 206, 217, 223, 250, 256, 320, 400, 500, 1000,
]


def tables():
    import torch
    from diffusers import DDIMInverseScheduler, DDIMScheduler, DDPMScheduler

    assert torch.float32.itemsize == 4 and numpy.float32 is not numpy.float64 and torch.get_default_dtype() == torch.float32
    schedulers = {"ddpm": DDPMScheduler, "ddim": DDIMScheduler, "ddim-inverse": DDIMInverseScheduler}
    tensors = {f"{count}.steps": numpy.array([steps for steps in STEPS if steps <= count]) for count in COUNTS}
    for name, scheduler in schedulers.items():
        for count in COUNTS:
            for schedule, own_name in SCHEDULES.items():
                if schedule == "sigmoid" and name != "ddpm":
                    continue  # diffusers has it for DDPM alone
                for rescaled in (False, True):
                    case = f"{name}/{own_name}/{count}/{'rescaled' if rescaled else 'plain'}"
                    options = dict(num_train_timesteps=count, beta_schedule=schedule, rescale_betas_zero_snr=rescaled)
                    made = scheduler(**options)
                    assert made.betas.dtype == made.alphas_cumprod.dtype == torch.float32
                    tensors[f"{case}.betas"] = made.betas.numpy()
                    tensors[f"{case}.alphas_cumprod"] = made.alphas_cumprod.numpy()
                    tensors[f"{case}.init_noise_sigma"] = numpy.array([float(made.init_noise_sigma)], dtype=numpy.float32)
                    if name != "ddpm":
                        end = "final_alpha_cumprod" if name == "ddim" else "initial_alpha_cumprod"
                        ends = [getattr(scheduler(set_alpha_to_one=to_one, **options), end) for to_one in (True, False)]
                        tensors[f"{case}.final_alpha_cumprod"] = torch.stack(ends).numpy()
            for spacing in ("leading", "trailing") + (() if name == "ddim-inverse" else ("linspace",)):
                for offset in (0, 1):
                    made = scheduler(num_train_timesteps=count, timestep_spacing=spacing, steps_offset=offset)
                    timesteps = {}
                    for steps in range(1, count + 1):
                        made.set_timesteps(steps)
                        timesteps[steps] = made.timesteps.numpy().copy()
                    listed = [timesteps[steps] for steps in tensors[f"{count}.steps"]]
                    case = f"{name}/{count}/{spacing}/{offset}"
                    tensors[f"{case}.timesteps"] = numpy.concatenate(listed)
                    tensors[f"{case}.counts"] = numpy.array([len(array) for array in listed])
                    tensors[f"{case}.sums"] = numpy.array([int(array @ numpy.arange(1, len(array) + 1)) for array in timesteps.values()])
    # Timesteps and counts are far below 2^31.
    return save({name: array.astype(numpy.int32) if array.dtype == numpy.int64 else array for name, array in tensors.items()})


FILES = {"diffusers-tables.safetensors": tables}
