"""Schedulers of diffusers beside ours: runs of both on the same samples, outputs and generators."""

import inspect
import json
import pathlib

import diffusers
import numpy
import torch

from schedulers.diffusers import Scheduler

DATA = pathlib.Path(__file__).parents[3] / "Fixtures" / "Data"
SHAPE = (2, 3, 4, 5)
# The unit roundoff of a type.
UNIT = {torch.float64: 2.0**-53, torch.float32: 2.0**-24, torch.float16: 2.0**-11, torch.bfloat16: 2.0**-8}


def cases(name):
    return json.loads((DATA / name).read_text())


def original(config):
    """diffusers' own scheduler of a configuration."""
    config = dict(config)
    if config.get("trained_betas") is not None:
        config["trained_betas"] = numpy.array(config["trained_betas"])
    return getattr(diffusers, config["_class_name"]).from_config(config)


def mine(config, fidelity="diffusers"):
    return Scheduler.from_config(original(config), fidelity=fidelity)


def split(scheduler, steps, arguments):
    """What of the arguments of a run `set_timesteps` takes, with the number of steps, and what `step` takes."""
    setting = inspect.signature(scheduler.set_timesteps).parameters
    given = {key: value for key, value in arguments.items() if key in setting}
    if "timesteps" not in given and "sigmas" not in given or "num_inference_steps" not in setting:
        given["num_inference_steps"] = steps
    name = type(scheduler).__name__
    if name == "SCMScheduler":
        given["num_inference_steps"] = steps
        if "timesteps" in given:
            given["max_timesteps"] = None
        if steps != 2 or "timesteps" in given:
            given.setdefault("intermediate_timesteps", None)
    stepping = inspect.signature(scheduler.step).parameters
    return given, {key: value for key, value in arguments.items() if key in stepping}


def told(scheduler):
    """The timesteps of the calls; of RePaint with those from which it jumps back, which are above the one before."""
    has_end = type(scheduler).__name__ in ("SCMScheduler", "DDPMWuerstchenScheduler") or (
        type(scheduler).__name__ == "LTXEulerAncestralRFScheduler" and len(scheduler.timesteps) == len(scheduler.sigmas))
    return scheduler.timesteps[:-1] if has_end else scheduler.timesteps


def is_jump(scheduler, i):
    times = scheduler.timesteps
    return type(scheduler).__name__ == "RePaintScheduler" and i > 0 and bool(times[i] > times[i - 1])


def step(scheduler, i, output, x, generator=None, **arguments):
    """One step as pipelines make it."""
    times = told(scheduler)
    if is_jump(scheduler, i):
        return (scheduler.undo_step(x, times[i - 1], generator),)
    t, name, parameters = times[i], type(scheduler).__name__, inspect.signature(scheduler.step).parameters
    if "generator" in parameters:
        arguments["generator"] = generator
    if name == "RePaintScheduler":
        picture = torch.linspace(-1, 1, x.numel()).view_as(x).to(x)
        arguments.update(original_image=picture, mask=(picture > 0.3).to(x))
    if name == "DDPMWuerstchenScheduler":
        t = t.expand(len(x))
    if name == "UnCLIPScheduler":
        arguments["prev_timestep"] = times[i + 1] if i + 1 < len(times) else None
    return scheduler.step(output, t, x, return_dict=False, **arguments)


def scaled(scheduler, x, t):
    return scheduler.scale_model_input(x, t) if hasattr(scheduler, "scale_model_input") else x


def answer(x, t, channels, kind):
    """The output of a smooth network, of so many channels."""
    t = float(t.flatten()[0]) if torch.is_tensor(t) else float(t)
    output = torch.sin(3 * x.double() + t / 300) + 0.3 * x.double()
    more = 0.5 * torch.cos(5 * x.double())
    return torch.cat([output, more], dim=1)[:, :channels].to(kind)


class Magnitudes:
    """How large the numbers are that are added up in the steps of a plan: the sum of all terms' magnitudes, where none
    has cancelled another. What an arithmetic's rounding does to a step is at most its unit roundoff times this, for each
    rounding that a term passes through."""

    def __init__(self):
        self.samples, self.estimates, self.made = [], [], 0.0

    def step(self, step, x, output, noise=6.0):
        """Of x̂0 and of the next sample."""
        next = step.next
        x, f = float(x.abs().max()), float(output.abs().max())
        x0 = abs(step.denoised.sample) * x + abs(step.denoised.output) * f
        estimate = abs(step.estimate.sample) * x + abs(step.estimate.denoised) * x0
        self.samples, self.estimates = [x, *self.samples], [estimate, *self.estimates]
        total = abs(next.made) * max(x, self.made) + abs(next.denoised) * x0 + abs(next.output) * f + abs(next.noise) * noise
        total += sum(abs(a) * b for a, b in zip(next.samples, self.samples))
        total += sum(abs(a) * b for a, b in zip(next.estimates, self.estimates))
        self.made = total
        return x0, total
