"""Runs plans of the format scheduler-plan/1, which Docs/Plan.md describes.

    plan = read("plan.json")
    run = Run(plan, plan["initialScale"] * rng.standard_normal((1, 4, 64, 64)))
    while run.step:
        output = network(run.input, run.step["timestep"])
        run.advance(output, rng.standard_normal(run.sample.shape) if run.needs_noise else None)
    image = run.sample

A sample is any array with +, * and `clip` whose first axis is the batch: of NumPy, torch, JAX, CuPy. `xp` is
the module with its `exp` and `sort`. Nothing is changed in place.
"""

import json
import math

FORMAT = "scheduler-plan/1"


class PlanError(ValueError):
    """A plan that cannot be run: one line that says where and why."""


def read(path):
    """The plan in a file."""
    with open(path, encoding="utf-8") as file:
        try:
            plan = json.load(file)
        except ValueError as error:
            raise PlanError(f"{path} is not JSON: {error}; make the plan again") from None
    return check(plan)


def check(plan):
    """The plan, if it is one that this runtime can run."""
    found = plan.get("format") if isinstance(plan, dict) else None
    if found != FORMAT:
        raise PlanError(f"the plan's format is {found!r}, and this runtime reads {FORMAT!r}; make the plan again")

    def number(place, value):
        if type(value) not in (int, float) or not math.isfinite(value):
            raise PlanError(f"{place} is {value!r}, which is no finite number; make the plan again")

    place = "the plan"
    try:
        number("initialScale", plan["initialScale"])
        bounds = {"none": (), "range": ("lower", "upper"), "dynamic": ("ratio", "maximum")}[plan["clipping"]["kind"]]
        for key in bounds:
            number(f"clipping.{key}", plan["clipping"][key])
        plan["learnsVariance"]
        for i, step in enumerate(plan["steps"]):
            place, next, variance = f"step {i}", step["next"], step["variance"]
            pairs = [(step, "timestep"), (step, "inputScale"), (step["denoised"], "sample"), (step["denoised"], "output")]
            pairs += [(step["estimate"], "sample"), (step["estimate"], "denoised")]
            pairs += [(next, key) for key in ("made", "denoised", "output", "noise")]
            if variance:
                names = {"fixed": ["logarithm"], "learned": ["offset", "slope"], "output": []}[variance["kind"]]
                pairs += [(variance, key) for key in names]
            for values, key in pairs + [(next[key], k) for key in ("samples", "estimates") for k in range(len(next[key]))]:
                number(f"{place}, {key},", values[key])
            if max(len(next["samples"]), len(next["estimates"])) > i + 1:
                raise PlanError(f"{place} reaches back before the run; make a plan of the shorter run instead of cutting one")
    except (KeyError, TypeError) as error:
        raise PlanError(f"{place} has no usable {error}; make the plan again") from None
    return plan


class Run:
    """A run of a plan from a sample at its start."""

    def __init__(self, plan, sample, xp=None):
        self.plan, self.sample, self.denoised = check(plan), sample, None
        self._made, self._samples, self._estimates, self._count = sample, [], [], 0
        self._xp = xp or __import__("numpy")

    @property
    def step(self):
        """What the network is told now, and the numbers that follow; None at the end."""
        return self.plan["steps"][self._count] if self._count < len(self.plan["steps"]) else None

    @property
    def input(self):
        """What the network is given now."""
        return self.step["inputScale"] * self.sample

    @property
    def needs_noise(self):
        return self.step["next"]["noise"] != 0

    def advance(self, output, noise=None):
        """Makes the next sample from the network's output, and standard normal noise if it is needed."""
        step, next, x = self.step, self.step["next"], self.sample
        said = None
        if self.plan["learnsVariance"]:
            output, said = output[:, : x.shape[1]], output[:, x.shape[1] :]
        predicted = step["denoised"]["sample"] * x + step["denoised"]["output"] * output
        self.denoised = self._clip(predicted)
        estimate = step["estimate"]["sample"] * x + step["estimate"]["denoised"] * self.denoised
        self._samples, self._estimates = [x] + self._samples, [estimate] + self._estimates
        made = next["made"] * self._made + next["denoised"] * predicted + next["output"] * output
        for factor, value in zip(next["samples"] + next["estimates"], self._newest(next)):
            made = made + factor * value
        if next["noise"]:
            made = made + next["noise"] * self._deviation(step["variance"], said) * noise
        self.sample = self._made = made
        self._count += 1
