"""Runs plans of the format scheduler-plan/1, which Docs/Plan.md describes.

    run = Run(plan := read("plan.json"), plan["initialScale"] * rng.standard_normal((1, 4, 64, 64)))
    while run.step:
        output = network(run.input, run.step["timestep"])
        run.advance(output, rng.standard_normal(run.sample.shape) if run.needs_noise else None)

A sample is any array with operators and `clip` whose first axis is the batch and second the channels, of NumPy or
torch, or of what has their names; `xp` is the module with its `exp`, `sort` and `where`. Nothing changes in place.
"""
import json, math

FORMAT = "scheduler-plan/1"
CLIPPINGS = {"none": (), "range": ("lower", "upper"), "dynamic": ("ratio", "maximum")}
VARIANCES = {"fixed": ("logarithm",), "learned": ("offset", "slope"), "output": ()}
NEXT = ("samples", "made", "estimates", "denoised", "output", "noise")

class PlanError(ValueError):
    """Why a plan cannot be run, in one line."""

def read(path):
    """The plan in a file."""
    with open(path, encoding="utf-8") as file:
        try:
            return check(json.load(file))
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise PlanError(f"{path} is not JSON: {error}; make the plan again") from None

def check(plan):
    """The same plan, if it can be run."""
    found, place = plan.get("format") if isinstance(plan, dict) else None, "the plan"
    if found != FORMAT:
        raise PlanError(f"the plan's format is {found!r}, and this runtime reads {FORMAT!r}; make the plan again")
    try:
        check_numbers(place, plan, ["initialScale"])
        if type(plan["learnsVariance"]) is not bool:
            raise TypeError("learnsVariance is neither true nor false")
        check_numbers(place, plan["clipping"], CLIPPINGS[plan["clipping"]["kind"]])
        for i, step in enumerate(plan["steps"]):
            place, next, variance = f"step {i}", step["next"], step["variance"] or {"kind": "output"}
            parts = [(step, ("timestep", "inputScale")), (step["denoised"], ("sample", "output")), (next, NEXT)]
            parts += [(step["estimate"], ("sample", "denoised")), (variance, VARIANCES[variance["kind"]])]
            for values, keys in parts:
                check_numbers(place, values, keys)
            if max(len(next["samples"]), len(next["estimates"])) > i + 1:
                raise PlanError(f"{place} reaches back before the run; make a new plan instead of cutting one")
    except (KeyError, TypeError) as error:
        raise PlanError(f"{place} is not as the format says, {error!r}; make the plan again") from None
    return plan

def check_numbers(place, values, keys):
    for key in keys:
        for value in values[key] if isinstance(values[key], list) else [values[key]]:
            if type(value) not in (int, float) or not math.isfinite(value):
                raise PlanError(f"{place} has {value!r} for {key!r}, not a finite number; make the plan again")

class Run:
    """A run of a plan from a sample at its start. `sample` may be edited between steps."""
    def __init__(self, plan, sample, xp=None):
        self.plan, self.sample, self.denoised, self.made = check(plan), sample, None, sample
        self.samples, self.estimates, self.count = [], [], 0  # newest first
        self.kept = max([1] + [len(s["next"][key]) for s in plan["steps"] for key in ("samples", "estimates")])
        self.xp = xp or __import__("numpy")

    # The step that comes next, None at the end; what the network is given; whether the step draws noise.
    step = property(lambda self: self.plan["steps"][self.count] if self.count < len(self.plan["steps"]) else None)
    input = property(lambda self: self.step["inputScale"] * self.sample)
    needs_noise = property(lambda self: self.step["next"]["noise"] != 0)

    def advance(self, output, noise=None):
        """Makes the next sample from the network's output F, and from standard normal noise if it is needed."""
        step, next, x, factor = self.step, self.step["next"], self.sample, self.step["next"]["noise"]
        if self.plan["learnsVariance"]:
            output, said = output[:, : x.shape[1]], output[:, x.shape[1] :]
        unclipped = step["denoised"]["sample"] * x + step["denoised"]["output"] * output
        self.denoised = self.clip(unclipped)
        estimate = step["estimate"]["sample"] * x + step["estimate"]["denoised"] * self.denoised
        self.samples = [x, *self.samples][: self.kept]
        self.estimates = [estimate, *self.estimates][: self.kept]
        terms = [(next["made"], self.made), (next["denoised"], unclipped), (next["output"], output)]
        terms += [*zip(next["samples"], self.samples), *zip(next["estimates"], self.estimates)]
        if (variance := step["variance"]) and variance["kind"] == "learned":  # else it is in the factor
            noise = self.xp.exp((variance["offset"] + variance["slope"] * said) / 2) * noise if factor else None
        elif variance and variance["kind"] == "output":
            noise = said**0.5 * noise if factor else None
        self.sample = self.made = sum((f * value for f, value in terms + [(factor, noise)] if f), 0 * x)
        self.count += 1

    def clip(self, x0):
        clipping, rows = self.plan["clipping"], abs(x0).reshape(x0.shape[0], -1)
        if clipping["kind"] == "none":
            return x0
        if clipping["kind"] == "range":
            return x0.clip(clipping["lower"], clipping["upper"])
        rows = getattr(rows := self.xp.sort(rows), "values", rows)  # torch gives the indices too
        position, last = clipping["ratio"] * (rows.shape[1] - 1), rows[:, -1]
        low, high = rows[:, int(position)], rows[:, min(int(position) + 1, rows.shape[1] - 1)]
        s = (low + position % 1 * (high - low)).clip(1, None).clip(None, clipping["maximum"])
        s = self.xp.where(last == last, s, math.nan).reshape([-1] + [1] * (x0.ndim - 1))  # NaN if one is
        return x0.clip(-s, s) / s
