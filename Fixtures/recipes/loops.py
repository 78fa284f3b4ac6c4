"""The loops of diffusers' own tests, from a checkout of https://github.com/huggingface/diffusers at 58eb52c.

Their files tests/schedulers/test_scheduler_*.py run here as they are, against the diffusers of the requirements; what they ask of a
scheduler is watched, and what they expect of its result is read instead of asserted. The wheel of 0.42.1 has no tests. Those of 58eb52c
(22 August 2026) are the nearest public ones: in its package no scheduler that they test differs from 0.42.1.

`diffusers-loops.json` has one row of `loops` for each loop whose result a test holds against numbers, or against another loop's:

- `test`: file, class and function; `loop` counts the loops of a test from 0;
- `class` and `config`, the scheduler's options that are not at their defaults;
- `arguments` of set_timesteps and step; `steps` is null where the test never calls set_timesteps, and where it gives the times;
- `first_step`, and the number of `calls`. `passes` is 2 where the test goes through the timesteps again and keeps the history;
- `shape`, and the `scale` of the first sample, which is i/n over its n elements, with the batch innermost. `noising` is [a, b] where
  add_noise makes it a·sample + b·noise, and that noise is the sample before scale backwards, (n − 1 − i)/n;
- `input`: what the network sample·t/(t + 1) is given: the `sample` of the step, that sample `scaled`, or `kept` where the test
  goes on from the scaled sample as if it were the sample;
- `seed` of the generator, if steps draw from one;
- `expected`: pairs of number and tolerance for the `sum` and the `mean` of magnitudes, as the test says, or for the sum of the
  `difference` from the loop with the arguments `like`;
- `result`: the same by diffusers here, in float32 as the test adds them up. `first_pass` is that after the first of two passes.

`draws`: runs of six steps, and at which `calls` ("1") the generator was drawn from, whether or not the step adds noise.

`apart` lists the loops of classes that are not read here. Loops that a test only asks to be free of NaN are left out.
"""

import ast
import contextlib
import functools
import importlib
import inspect
import json
import pathlib
import subprocess
import sys
import types
import unittest
import warnings

from recipes import classes
from recipes.pipelines import NAMES

COMMIT = "58eb52c0803ea9af3abec60841c2a093bdf1f951"
STEPS = ("step", "step_prk", "step_plms", "step_pred", "step_correct")
APART = ("DDIMParallelScheduler", "DDPMParallelScheduler", "ScoreSdeVeScheduler", "UnCLIPScheduler")
WATCHED = ("set_timesteps", "scale_model_input", "add_noise", *STEPS)


SDE = {"algorithm_type": "sde-dpmsolver++"}
# A class, its options, and the arguments of step.
DRAWING = [(name, {}, {}) for name in NAMES if name != "DPMSolverSDEScheduler"] + [
    *((f"{name}Scheduler", SDE, {}) for name in ("DPMSolverMultistep", "DPMSolverSinglestep", "EDMDPMSolverMultistep")),
    ("FlowMatchEulerDiscreteScheduler", {"stochastic_sampling": True}, {}), ("DDIMScheduler", {}, {"eta": 0.5}),
    ("TCDScheduler", {}, {"eta": 0.0}), ("LTXEulerAncestralRFScheduler", {"eta": 0.0}, {}),
    ("EulerDiscreteScheduler", {}, {"s_churn": 1.0}), ("EDMEulerScheduler", {}, {"s_churn": 1.0, "s_tmin": 0.5}),
    ("DDPMScheduler", {"timestep_spacing": "trailing"}, {})]


class Reader(ast.NodeTransformer):
    """Puts a call in the place of each assert of abs(result.item() - number) < tolerance, or of a sum of differences < tolerance."""

    def visit_Assert(self, node):
        match node.test:
            case ast.Compare(
                left=ast.Call(func=ast.Name("abs"), args=[ast.BinOp(left=value, op=ast.Sub(), right=number)]), ops=[ast.Lt()],
                comparators=[tolerance]):
                kind = "sum" if "sum" in ast.unparse(value) else "mean"
            case ast.Compare(left=value, ops=[ast.Lt()], comparators=[tolerance]) if "sample - sample_" in ast.unparse(value):
                kind, number = "difference", ast.Constant(0)
            case _:
                return node
        call = ast.Call(ast.Name("__expect__", ast.Load()), [ast.Constant(kind), value, number, tolerance], [])
        return ast.copy_location(ast.Expr(call), node)


class Watch:
    """What one test asks of schedulers: its loops, one for each that is stepped."""

    def __init__(self, path):
        self.path, self.loops, self.schedulers = str(path), [], {}

    def called(self, scheduler, name, arguments, made, drawn):
        """A call that the test file itself makes."""
        state = self.schedulers.setdefault(id(scheduler), dict(scheduler=scheduler, setting={}, start={}, input=None, loop=None))
        if name == "set_timesteps":
            state.update(setting=arguments, loop=None, start={})
        elif name == "scale_model_input":
            state["input"] = (arguments["sample"], made)
        elif name == "add_noise":
            state["start"] = dict(arguments, made=made)
        else:
            if state["loop"] is None:
                state["loop"] = dict(state, config=options(scheduler), calls=[])
                self.loops.append(state["loop"])
            state["loop"]["calls"].append(dict(arguments, input=state["input"], made=made[0], drawn=drawn))
            state["input"] = None

    def expect(self, kind, value, number, tolerance):
        if self.loops:
            self.loops[-1].setdefault("expected", {})[kind] = (float(value), number, tolerance)


def options(scheduler):
    """The options of its own that have another value than the default."""
    standard = inspect.signature(type(scheduler)).parameters
    return {key: value for key, value in scheduler.config.items() if key in standard and value != standard[key].default}


@contextlib.contextmanager
def watching(scheduler_classes, watch):
    import torch

    originals = []

    def wrapped(name, function):
        signature = inspect.signature(function)

        @functools.wraps(function)
        def call(self, *arguments, **named):
            if sys._getframe(1).f_code.co_filename != watch().path:
                return function(self, *arguments, **named)
            bound = signature.bind(self, *arguments, **named).arguments
            bound.pop("self")
            generator = bound.pop("generator", None) or torch.default_generator
            before = generator.get_state()
            made = function(self, *arguments, **named)
            draws = not torch.equal(before, generator.get_state())
            watch().called(self, name, bound, made, (generator.initial_seed(), before) if draws else None)
            return made

        return call

    for cls in scheduler_classes:
        for name in WATCHED:
            if name in vars(cls):
                originals.append((cls, name, vars(cls)[name]))
                setattr(cls, name, wrapped(name, vars(cls)[name]))
    try:
        yield
    finally:
        for cls, name, function in originals:
            setattr(cls, name, function)


def ramp(shape):
    """The tests' sample: i/n, with the batch innermost."""
    import torch

    count = torch.Size(shape).numel()
    return (torch.arange(count) / count).reshape(*shape[1:], shape[0]).movedim(-1, 0)


def factors(made, *terms):
    """The factors of terms that make a tensor; there must be some."""
    import torch

    rows = torch.stack([term.flatten().double() for term in terms], 1)
    found = torch.linalg.lstsq(rows, made.flatten().double()[:, None]).solution.flatten()
    assert torch.allclose(rows @ found, made.flatten().double(), rtol=1e-6, atol=1e-6 * float(made.abs().max()))
    return [float(f"{value:.7g}") for value in found]


def magnitudes(sample):
    import torch

    return dict(sum=torch.sum(torch.abs(sample)).item(), mean=torch.mean(torch.abs(sample)).item())


def asked(loop):
    """The arguments of set_timesteps and step."""
    setting = {key: plain(value) for key, value in loop["setting"].items() if key != "device" and value is not None}
    own = ("model_output", "timestep", "sample", "input", "made", "drawn")
    step = {key: plain(value) for key, value in loop["calls"][0].items() if key not in own}
    return {"steps": setting.pop("num_inference_steps", None), **setting, **step}


def described(loop, before):
    """One row, without what says whose it is, of a loop and the one before it."""
    import torch

    scheduler, calls, first = loop["scheduler"], loop["calls"], loop["calls"][0]
    start, told = first["sample"], [float(call["timestep"]) for call in calls]
    row = {"class": type(scheduler).__name__, "config": loop["config"]}

    row["arguments"] = asked(loop)
    if "difference" in loop["expected"]:
        assert before["config"] == loop["config"]
        row["like"] = asked(before)

    # A test of DDPM counts down by itself.
    times = [float(t) for t in scheduler.timesteps]
    passes = 2 if len(told) == 2 * len(times) else 1
    begin = len(times) - len(told) // passes
    assert told == times[begin:] * passes, (told, times)
    row |= dict(first_step=begin, calls=len(told) // passes)
    if passes == 2:
        row["passes"] = 2

    row["shape"] = list(start.shape)
    clean = loop["start"].get("original_samples", start)
    noise = loop["start"].get("noise")
    kept = [call["input"] is not None and call["sample"] is call["input"][1] for call in calls]
    if noise is None and kept[0]:
        clean = first["input"][0]
    row["scale"] = factors(clean, ramp(start.shape))[0]
    if noise is not None:
        assert torch.equal(noise, (1 - 1 / start.numel() - ramp(start.shape)).to(noise)) or torch.allclose(
            noise, 1 - 1 / start.numel() - ramp(start.shape), atol=1e-7)
        row["noising"] = factors(loop["start"]["made"], clean, noise)

    inputs = {
        "kept" if is_kept else "sample" if call["input"] is None else "scaled" for call, is_kept in zip(calls, kept)}
    assert len(inputs) == 1, inputs
    row["input"] = inputs.pop()
    for call, t in zip(calls, told):
        given = call["sample"] if call["input"] is None else call["input"][1]
        assert torch.allclose(call["model_output"], given * t / (t + 1), rtol=1e-5, atol=1e-12, equal_nan=True)

    if drawn := [call["drawn"] for call in calls if call["drawn"]]:
        row["seed"], state = drawn[0]
        assert torch.equal(state, torch.Generator().manual_seed(row["seed"]).get_state()), "something else had drawn before"
    row["result"] = magnitudes(calls[-1]["made"])
    if passes == 2:
        row["first_pass"] = magnitudes(calls[len(calls) // 2 - 1]["made"])
    row["expected"] = {kind: [number, tolerance] for kind, (_, number, tolerance) in loop["expected"].items()}
    for kind, (value, _, _) in loop["expected"].items():
        if kind == "difference":
            row["result"][kind] = value
        assert value == row["result"][kind], f"the test does not judge what the last step made: {row}"
    return row


def draws():
    """At which calls schedulers draw."""
    import torch

    rows = []
    for name, config, arguments in DRAWING:
        scheduler = classes.scheduler(name)(**config)
        scheduler.set_timesteps(6)
        generator, sample, calls = torch.Generator(), torch.ones(1, 3, 2, 2), ""
        takes = {"generator": generator} if "generator" in inspect.signature(scheduler.step).parameters else {}
        for t in scheduler.timesteps:
            before = generator.get_state()
            scheduler.scale_model_input(sample, t) if hasattr(scheduler, "scale_model_input") else None
            sample = scheduler.step(torch.zeros_like(sample), t, sample, **arguments, **takes, return_dict=False)[0]
            calls += str(int(not torch.equal(before, generator.get_state())))
        rows.append({"class": name, "config": config, "arguments": arguments, "calls": calls})
    return rows


def plain(value):
    return value.tolist() if hasattr(value, "tolist") else value


def stand_ins(folder):
    """The packages around the tests, with what they import from there."""
    packages = {name: types.ModuleType(name) for name in ("tests", "tests.schedulers", "tests.others")}
    packages["tests"].__path__, packages["tests.schedulers"].__path__ = [str(folder.parent)], [str(folder)]
    utilities = types.ModuleType("tests.testing_utils")
    utilities.torch_device, utilities.require_torchsde, utilities.CaptureLogger = "cpu", lambda case: case, None
    others = types.ModuleType("tests.others.test_utils")
    others.TOKEN = others.USER = None
    others.is_staging_test = unittest.skip("it talks to a server")
    return packages | {"tests.testing_utils": utilities, "tests.others.test_utils": others}


def loops(checkout):
    import diffusers
    import torch

    commit = subprocess.run(
        ["git", "-C", checkout, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    if commit != COMMIT:
        sys.exit(f"{checkout} is diffusers at {commit}; check out {COMMIT}")
    folder = pathlib.Path(checkout) / "tests/schedulers"
    # Other recipes put something else in torchsde's place.
    diffusers.DPMSolverSDEScheduler = classes.scheduler("DPMSolverSDEScheduler")
    sys.modules[diffusers.DPMSolverSDEScheduler.__module__].torchsde = importlib.import_module("torchsde")
    sys.modules.update(stand_ins(folder))
    watch, rows, apart = None, [], []
    schedulers = {
        cls for name in dir(diffusers) if name.endswith("Scheduler") and inspect.isclass(cls := getattr(diffusers, name))}
    with watching(schedulers, lambda: watch), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        diffusers.utils.logging.set_verbosity_error()
        for path in sorted(folder.glob("test_scheduler_*.py")):
            module = types.ModuleType(f"tests.schedulers.{path.stem}")
            module.__package__ = "tests.schedulers"
            module.__expect__ = lambda *arguments: watch.expect(*arguments)
            tree = ast.fix_missing_locations(Reader().visit(ast.parse(path.read_text())))
            exec(compile(tree, str(path), "exec"), vars(module))
            for case in vars(module).values():
                if not (inspect.isclass(case) and issubclass(case, unittest.TestCase) and case.__module__ == module.__name__):
                    continue
                for name in unittest.TestLoader().getTestCaseNames(case):
                    if not {"__expect__", "isclose"} & set(getattr(case, name).__code__.co_names):
                        continue
                    watch = Watch(path)
                    torch.manual_seed(1729)
                    result = unittest.TestResult()
                    case(name).run(result)
                    if result.errors or result.failures:
                        sys.exit("\n".join(text for _, text in result.errors + result.failures))
                    for index, loop in enumerate(watch.loops):
                        row = {"test": f"{path.stem.removeprefix('test_scheduler_')}.{case.__name__}.{name}", "loop": index}
                        if type(loop["scheduler"]).__name__ in APART:
                            apart.append(row)
                        elif "expected" in loop:
                            rows.append(row | described(loop, watch.loops[index - 1]))
    def lines(rows):
        return "[\n  " + ",\n  ".join(map(json.dumps, rows)) + "]"

    return f'{{"commit": "{COMMIT}",\n "apart": {lines(apart)},\n "draws": {lines(draws())},\n "loops": {lines(rows)}}}\n'


DIFFUSERS = {"diffusers-loops.json": loops}
