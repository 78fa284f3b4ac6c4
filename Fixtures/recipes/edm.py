"""EDM: the grids and whole runs of diffusers' EDM schedulers, and of k-diffusion's samplers with churn, in float64.

`grid/spacing/N.sigmas`, `.timesteps` and `.scales` [N] are what EDMEulerScheduler makes: its sigmas, what the network is told, and what
its samples are multiplied by. A run is in the form of `multistep.py`, with the network's own output F, over the Karras grid of N steps.

`churn/sampler/N.run` are runs of k-diffusion, whose model denoises by the preconditioning: what the network sees at each call but the
first, and the end. The noise that is added before a call is therefore in the row of the call before; the run starts where that of the
first has been added. `churn/sampler/N.sigmas` [C] are the sigmas of the calls.
"""

import numpy
from safetensors.numpy import save

from recipes.plans import float64, load_k_diffusion

STEPS = [1, 2, 3, 4, 12]
SIGMA_DATA = 0.5
MULTISTEP = dict(lower_order_final=False)
RUNS = {
    "euler": ("EDMEulerScheduler", {}),
    "euler/negated": ("EDMEulerScheduler", dict(prediction_type="v_prediction")),
    "dpm++2m": ("EDMDPMSolverMultistepScheduler", MULTISTEP),
    "dpm++2m/negated": ("EDMDPMSolverMultistepScheduler", dict(prediction_type="v_prediction", **MULTISTEP)),
    "dpm++2m/heun": ("EDMDPMSolverMultistepScheduler", dict(solver_type="heun", **MULTISTEP)),
    "dpm++3m/halved": ("EDMDPMSolverMultistepScheduler", dict(solver_order=3, **MULTISTEP)),
    "dpm++2m-sde": ("EDMDPMSolverMultistepScheduler", dict(algorithm_type="sde-dpmsolver++", **MULTISTEP)),
}
# Table 5 of Karras et al. 2022 for ImageNet, with a range that some of the sigmas are out of.
CHURN = dict(s_churn=2.0, s_tmin=0.05, s_tmax=50.0, s_noise=1.003)


def edm_run(name, options, steps):
    import diffusers
    import torch
    from diffusers.schedulers import scheduling_edm_dpmsolver_multistep

    size = 2 * steps + 1
    unit = torch.eye(size, dtype=torch.float64).reshape(size, 1, size, 1, 1)
    scheduler = getattr(diffusers, name)(**options)
    scheduler.set_timesteps(steps)
    sample, samples = unit[0], []
    for call, t in enumerate(scheduler.timesteps):
        scheduling_edm_dpmsolver_multistep.randn_tensor = lambda *_, **__: unit[1 + steps + call]
        scheduler.scale_model_input(sample, t)
        sample = scheduler.step(unit[1 + call], t, sample).prev_sample
        assert sample.dtype == torch.float64
        samples.append(sample.flatten().numpy().copy())
    return numpy.array(samples)


def churn_run(sampler, sigmas):
    """A run of N intervals, and the sigmas of its calls."""
    import torch

    steps = len(sigmas) - 1
    calls = 2 * steps - 1 if "heun" in sampler.__name__ else steps
    size = 2 * calls + 1
    unit = torch.eye(size, dtype=torch.float64)
    seen, told = [], []

    def model(x, sigma):
        seen.append(x[0].clone())
        told.append(float(sigma[0]))
        skip = SIGMA_DATA**2 / (sigma[0] ** 2 + SIGMA_DATA**2)
        return skip * x + sigma[0] * SIGMA_DATA / (sigma[0] ** 2 + SIGMA_DATA**2).sqrt() * unit[len(seen)][None]

    def noise(x):
        # The noise of call k belongs to the row of call k - 1; that of the first is part of the start.
        return unit[calls + len(seen)][None] if seen else torch.zeros_like(x)

    original, torch.randn_like = torch.randn_like, noise
    try:
        with torch.no_grad():
            end = sampler(model, unit[0][None], torch.tensor(sigmas, dtype=torch.float64), disable=True, **CHURN)
    finally:
        torch.randn_like = original
    return numpy.array([sample.numpy() for sample in (*seen[1:], end[0])]), numpy.array(told)


@float64()
def edm():
    import torch
    from diffusers import EDMEulerScheduler

    sampling = load_k_diffusion()
    tensors = {}
    for steps in STEPS:
        for spacing in ("karras", "exponential"):
            if steps == 1 and spacing == "exponential":
                continue  # it begins at the smallest sigma there
            scheduler = EDMEulerScheduler(sigma_schedule=spacing)
            scheduler.set_timesteps(steps)
            tensors[f"grid/{spacing}/{steps}.sigmas"] = scheduler.sigmas[:-1].numpy()
            tensors[f"grid/{spacing}/{steps}.timesteps"] = scheduler.timesteps.numpy()
            scales = [scheduler.precondition_inputs(torch.ones(()), sigma) for sigma in scheduler.sigmas[:-1]]
            tensors[f"grid/{spacing}/{steps}.scales"] = torch.stack(scales).numpy()
            assert scheduler.sigmas.dtype == torch.float64
        for name, (source, options) in RUNS.items():
            tensors[f"{name}/{steps}.run"] = run = edm_run(source, options, steps)
            assert numpy.isfinite(run).all(), (name, steps)
        karras = EDMEulerScheduler()
        karras.set_timesteps(steps)
        for name, sampler in (("euler", sampling.sample_euler), ("heun", sampling.sample_heun)):
            run, told = churn_run(sampler, karras.sigmas.tolist())
            tensors[f"churn/{name}/{steps}.run"], tensors[f"churn/{name}/{steps}.sigmas"] = run, told
    return save(tensors)


FILES = {"edm.safetensors": edm}
