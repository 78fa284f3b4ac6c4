"""Log-probabilities of steps that were taken, with autograd's gradients, in float64.

`step-probabilities.safetensors`, for each CASE: `CASE.sample`, `CASE.output`, `CASE.next` [2, 3] or [2, 6] the sample, the network's output and
the sample that a step of a scheduler of diffusers made; `CASE.timestep`; `CASE.mean` [2, 3]; `CASE.log` [2] the sum of torch's Normal.log_prob
over each sample; `CASE.gradient` its gradient by the output.

- `ddpm/SPACING`, `ddpm-range/SPACING`: DDPMScheduler of 10 steps, variance fixed_small and learned_range. Its mean is that of its step with
  noise of 0, its deviation what that of 1 adds.
- `ddpm-clip`: the same with clip_sample. `ddim`: DDIMScheduler with eta 0.7.
"""

import numpy
from safetensors.numpy import save

STEPS = 10


def probabilities():
    import torch
    from diffusers import DDIMScheduler, DDPMScheduler
    from diffusers.schedulers import scheduling_ddpm

    made = {}

    def add(case, scheduler, step, index, channels):
        generator = torch.Generator().manual_seed(len(made))
        scheduler.betas = scheduler.betas.double()
        scheduler.set_timesteps(STEPS)
        t = scheduler.timesteps[index]
        # Channels are the second dimension, of which learned variances take half.
        sample = torch.randn(2, 3, 1, 1, dtype=torch.float64, generator=generator)
        output = torch.randn(2, channels, 1, 1, dtype=torch.float64, generator=generator).requires_grad_()
        zero, one = torch.zeros_like(sample), torch.ones_like(sample)
        mean = step(scheduler, output, t, sample, zero)
        deviation = step(scheduler, output, t, sample, one) - mean
        noise = torch.randn(2, 3, 1, 1, dtype=torch.float64, generator=generator)
        taken = step(scheduler, output, t, sample, noise).detach()
        log = torch.distributions.Normal(mean, deviation).log_prob(taken).sum((1, 2, 3))
        log.sum().backward()
        for name, value in {
            "sample": sample, "output": output, "next": taken, "mean": mean, "log": log, "gradient": output.grad}.items():
            made[f"{case}.{name}"] = value.detach().reshape(2, -1).numpy() if name != "log" else value.detach().numpy()
        made[f"{case}.index"] = numpy.array([float(index)])

    def ddpm(scheduler, output, t, sample, noise):
        kept, scheduling_ddpm.randn_tensor = scheduling_ddpm.randn_tensor, lambda *a, **b: noise
        try:
            return scheduler.step(output, int(t), sample).prev_sample
        finally:
            scheduling_ddpm.randn_tensor = kept

    def ddim(scheduler, output, t, sample, noise):
        return scheduler.step(output, int(t), sample, eta=0.7, variance_noise=noise).prev_sample

    def scheduler(kind, **options):
        made = kind(beta_schedule="linear", steps_offset=0, **options)
        betas = numpy.linspace(0.0001, 0.02, 1000)
        made.alphas_cumprod = torch.tensor(numpy.cumprod(1 - betas))
        made.one = torch.tensor(1.0, dtype=torch.float64)
        if kind is DDIMScheduler:
            made.final_alpha_cumprod = made.one
        return made

    for index in (0, 6):
        add(f"ddpm/{index}", scheduler(DDPMScheduler, clip_sample=False), ddpm, index, 3)
        add(f"ddpm-range/{index}", scheduler(DDPMScheduler, variance_type="learned_range", clip_sample=False), ddpm, index, 6)
    add("ddpm-clip/7", scheduler(DDPMScheduler, clip_sample=True), ddpm, 7, 3)
    add("ddim/6", scheduler(DDIMScheduler, clip_sample=False), ddim, 6, 3)
    return save(made)


FILES = {"step-probabilities.safetensors": probabilities}
