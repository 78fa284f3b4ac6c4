"""Records a run of diffusers or guided-diffusion as a trace that `scheduler verify` judges.

Paste `record` into your own script, or import it:

    from record_trace import record
    scheduler = DDIMScheduler.from_pretrained("...", subfolder="scheduler")
    record("trace.safetensors", scheduler, lambda x, t: unet(x, t, ...).sample, torch.randn(1, 4, 64, 64), steps=30, eta=0.5)

A port in another language writes the same six things: see Docs/Verify.md. Needs torch, numpy and safetensors.
"""

import json
import sys

import numpy
import torch
from safetensors.numpy import save_file


def record(path, scheduler, model, sample, steps, mu=None, sigmas=None, **step_arguments):
    """A run of a diffusers scheduler: `model(x, t)` is given what the scheduler scales the sample to.

    `mu` and `sigmas` are those of `set_timesteps`: for a shift by the size of the picture, and the times before it.
    """
    settings = {} if mu is None else {"mu": mu}
    if sigmas is not None:
        settings["sigmas"] = [float(sigma) for sigma in sigmas]
    drawn, module = [], sys.modules[type(scheduler).__module__]
    # DPMSolverSDEScheduler calls an object for its noise.
    owner = getattr(module, "BrownianTreeNoiseSampler", module)
    name = "randn_tensor" if owner is module else "__call__"
    randn = getattr(owner, name, None)
    if randn:
        setattr(owner, name, lambda *a, **k: drawn.append(randn(*a, **k)) or drawn[-1])
    try:
        scheduler.set_timesteps(steps, **settings)
        scale = getattr(scheduler, "scale_model_input", lambda x, t: x)
        timesteps, samples, outputs, noises = [], [sample], [], []
        for t in scheduler.timesteps:
            drawn.clear()
            outputs.append(model(scale(samples[-1], t), t))
            timesteps.append(t)
            samples.append(scheduler.step(outputs[-1], t, samples[-1], **step_arguments).prev_sample)
            noises.append(drawn[-1] if drawn else torch.zeros_like(sample))
    finally:
        if randn:
            setattr(owner, name, randn)
    step_arguments.pop("generator", None)
    step_arguments.update(settings)
    save(path, scheduler.to_json_string(), steps, timesteps, samples, outputs, noises, step_arguments)


def record_guided(path, diffusion, flags, model, sample, sampler="p_sample", eta=0.0, clip_denoised=True):
    """A run of guided-diffusion's process, made by `create_gaussian_diffusion(**flags)`; `sampler` is the name of its method."""
    drawn, asked, randn_like = [], [], torch.randn_like
    torch.randn_like = lambda x: drawn.append(randn_like(x)) or drawn[-1]
    try:
        timesteps, samples, outputs, noises = [], [sample], [], []
        count = diffusion.num_timesteps
        arguments = {"eta": eta} if sampler.startswith("ddim") else {}
        for t in range(count) if sampler == "ddim_reverse_sample" else reversed(range(count)):
            drawn.clear()

            def told(x, timestep):
                timesteps.append(timestep[0])
                outputs.append(model(x, timestep))
                return outputs[-1]

            step = getattr(diffusion, sampler)
            made = step(told, samples[-1], torch.full(sample.shape[:1], t), clip_denoised=clip_denoised, **arguments)
            samples.append(made["sample"])
            noises.append(drawn[-1] if drawn else torch.zeros_like(sample))
    finally:
        torch.randn_like = randn_like
    config = {"_class_name": "GaussianDiffusion", **flags, "sampler": sampler, "eta": eta, "clip_denoised": clip_denoised}
    save(path, json.dumps(config), count, timesteps, samples, outputs, noises, {})


def contents(config, steps, timesteps, samples, outputs, noises, step_arguments):
    """Four tensors and four strings."""
    times = numpy.array([float(t) for t in timesteps])
    whole = not any(torch.is_tensor(t) and t.is_floating_point() for t in timesteps)
    tensors = {
        "timesteps": times.astype(numpy.int64 if whole else numpy.float32),
        "samples": numpy.stack([x.float().numpy() for x in samples]),
        "model_outputs": numpy.stack([x.float().numpy() for x in outputs]),
        "noises": numpy.stack([x.float().numpy() for x in noises]),
    }
    metadata = {"format": "scheduler-trace/1", "scheduler_config": config, "num_inference_steps": str(steps)}
    if step_arguments:
        metadata["step_arguments"] = json.dumps(step_arguments)
    return tensors, metadata


def save(path, *recorded):
    tensors, metadata = contents(*recorded)
    save_file(tensors, path, metadata)
