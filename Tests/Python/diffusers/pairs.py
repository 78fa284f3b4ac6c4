"""Schedulers of diffusers beside ours: runs of both on the same samples, outputs and generators."""

import inspect
import json
import pathlib

import diffusers
import numpy
import torch
from schedulers.diffusers import Scheduler

FIXTURES = pathlib.Path(__file__).parents[3] / "Fixtures"
DATA = FIXTURES / "Data"
SHAPE = (2, 3, 4, 5)
# The unit roundoff of a type.
UNIT = {torch.float64: 2.0**-53, torch.float32: 2.0**-24, torch.float16: 2.0**-11, torch.bfloat16: 2.0**-8}


def cases(name):
    return json.loads((DATA / name).read_text())


def original(config):
    """diffusers' own scheduler of a configuration."""
    config = {key: value for key, value in config.items() if key != "_diffusers_version"}
    if config.get("trained_betas") is not None:
        config["trained_betas"] = numpy.array(config["trained_betas"])
    if config["_class_name"] == "DPMSolverSDEScheduler":
        config["noise_sampler_seed"] = 3
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
        type(scheduler).__name__ == "LTXEulerAncestralRFScheduler" and len(scheduler.timesteps) == len(scheduler.sigmas)
    )
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
    has cancelled another. What rounding does to a step is at most the arithmetic's unit roundoff times this, for each
    rounding that a term passes through."""

    def __init__(self):
        self.samples, self.estimates, self.made = [], [], 0.0

    def step(self, step, x, output, noise=6.0):
        """Of x̂0, and of the next sample, to which diffusers' classes of slopes add what the sample changes by."""
        next = step.next
        x, f = float(x.abs().max()), float(output.abs().max())
        x0 = abs(step.denoised.sample) * x + abs(step.denoised.output) * f
        estimate = abs(step.estimate.sample) * x + abs(step.estimate.denoised) * x0
        self.samples, self.estimates = [x, *self.samples], [estimate, *self.estimates]
        total = x + abs(next.made) * max(x, self.made) + abs(next.denoised) * x0 + abs(next.output) * f
        total += abs(next.noise) * noise
        total += sum(abs(a) * b for a, b in zip(next.samples, self.samples))
        total += sum(abs(a) * b for a, b in zip(next.estimates, self.estimates))
        self.made = total
        return x0, total


def side_by_side(config, steps, arguments, kind=torch.float32, first=0, begins=False, last=None, shape=SHAPE, every=1):
    """Runs both schedulers over the original's samples. Yields for each step the two answers, and the magnitudes of the
    sample and of what else is answered. `every` n-th call of a run is made, where a class needs no earlier ones."""
    theirs, ours = original(config), mine(config)
    setting, stepping = split(theirs, steps, arguments)
    for one in (theirs, ours):
        one.set_timesteps(**setting)
        if begins:
            one.set_begin_index(first)
    generators = [torch.Generator().manual_seed(1) for _ in range(2)]
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0)) * float(getattr(theirs, "init_noise_sigma", 1))
    x, sizes = x.to(kind), Magnitudes()
    times = told(theirs)
    assert torch.equal(theirs.timesteps, ours.timesteps)
    for i in range(first, last or len(times), every):
        if is_jump(theirs, i):
            a, b = (step(one, i, None, x, g) for one, g in zip((theirs, ours), generators))
            assert torch.equal(a[0], b[0])
            x = a[0]
            continue
        y, z = scaled(theirs, x, times[i]), scaled(ours, x, times[i])
        assert y.dtype == z.dtype and torch.allclose(
            y, z, rtol=16 * max(UNIT[kind], UNIT[torch.float32]), atol=0, equal_nan=True
        )
        channels = shape[1] * (2 if ours._state.whole.learns_variance else 1)
        output = answer(y, times[i], channels, kind)
        a = step(theirs, i, output, x, generators[0], **stepping)
        b = step(ours, i, output, x, generators[1], **stepping)
        if not all(torch.isfinite(value).all() for value in a):
            return  # as diffusers does in half precision, or with a variance that is learned as it is not meant
        moves = ours._state.moves
        place = moves.places[float(times[i])] if "RePaint" in config["_class_name"] else i - moves.first
        x0, total = sizes.step(moves.plan.steps[place], x, output)
        assert torch.equal(generators[0].get_state(), generators[1].get_state()), "other draws from the generator"
        if ours._traits.second == "rest":
            # It is divided by what noise leaves of a sample, whose root magnifies the rounding of the noise.
            x0 = total / max(1 - moves.steps[i - moves.first].noise ** 2, 1e-3)
        yield i, a, b, total, x0
        x = a[0].to(kind)


def begun(name, steps=8, fidelity="diffusers", **options):
    """A scheduler of ours and the first sample of a run."""
    scheduler = mine({"_class_name": name, **options}, fidelity)
    setting, _ = split(scheduler, steps, {})
    scheduler.set_timesteps(**setting)
    x = torch.randn(SHAPE, generator=torch.Generator().manual_seed(0))
    return scheduler, x * float(getattr(scheduler, "init_noise_sigma", 1))


def walked(scheduler, x, first=0, last=None, edit=lambda i, x: x, seed=1):
    """The samples of a run that goes on from its own."""
    samples, generator = [], torch.Generator().manual_seed(seed)
    for i in range(first, last or len(told(scheduler))):
        t = told(scheduler)[i]
        x = edit(i, step(scheduler, i, answer(scaled(scheduler, x, t), t, x.shape[1], x.dtype), x, generator)[0])
        samples.append(x)
    return samples
