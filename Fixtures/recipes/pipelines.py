"""Runs of diffusers' schedulers as pipelines make them, which a judge must find right, and what the schedulers refuse.

`pipeline-traces.safetensors`: `name/tensor` are the tensors of the trace `name`, one for each late start, early end,
list of given times, half precision, and sample edited between two steps. The file's metadata holds JSON with the
metadata of each trace. Every other run in half precision leaves `precision` unsaid.

`pipeline-refusals.json`: for each case a `name`, the `class`, its `config`, and the `arguments` of `set_timesteps`.
`error` is the exception with which diffusers ends, or null, and then `timesteps` are what it makes, if they are few.
Where a case has a `run`, the scheduler was also stepped from `first_step` on: `step` is the index of the step that
ended with the exception, and `nan` of the first that made a number that is not finite.

The network is a fixed smooth function. DPMSolverSDEScheduler takes independent normals where it has a Brownian tree.
RePaintScheduler is left out: its steps need a picture.
"""

import contextlib
import inspect
import json
import pathlib
import sys
import tempfile
import warnings

from recipes import classes
from recipes.traces import save

SHAPE = (1, 4, 2, 2)
NAMES = (
    "DDPMScheduler", "DDIMScheduler", "DDIMInverseScheduler", "EulerDiscreteScheduler",
    "EulerAncestralDiscreteScheduler", "HeunDiscreteScheduler", "DPMSolverMultistepScheduler",
    "UniPCMultistepScheduler", "DEISMultistepScheduler",
    "LMSDiscreteScheduler", "IPNDMScheduler", "PNDMScheduler", "DPMSolverSinglestepScheduler", "KDPM2DiscreteScheduler",
    "KDPM2AncestralDiscreteScheduler", "LCMScheduler", "TCDScheduler", "FlowMatchEulerDiscreteScheduler",
    "EDMEulerScheduler", "EDMDPMSolverMultistepScheduler", "SASolverScheduler", "FlowMatchHeunDiscreteScheduler",
    "FlowMatchLCMScheduler", "CMStochasticIterativeScheduler", "DPMSolverSDEScheduler",
    "DPMSolverMultistepInverseScheduler", "LTXEulerAncestralRFScheduler")
STABLE = dict(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012)
STABLE_XL = dict(**STABLE, timestep_spacing="leading", steps_offset=1)
FLOW = dict(use_flow_sigmas=True, prediction_type="flow_prediction")
COSMOS = dict(**FLOW, use_karras_sigmas=True, sigma_min=0.01, sigma_max=200.0)
# A first time that occurs several times, and sigmas above the table's.
DOUBLED = dict(**STABLE_XL, use_karras_sigmas=True, sigma_min=0.0292, sigma_max=29.2292)
SOLVERS = (
    "DPMSolverMultistepScheduler", "UniPCMultistepScheduler", "DEISMultistepScheduler", "DPMSolverSinglestepScheduler")
TWO_CALLS = (
    "HeunDiscreteScheduler", "KDPM2DiscreteScheduler", "KDPM2AncestralDiscreteScheduler", "DPMSolverSDEScheduler",
    "FlowMatchHeunDiscreteScheduler")
SDE = dict(algorithm_type="sde-dpmsolver++")
SMALL_END = dict(algorithm_type="dpmsolver", final_sigmas_type="sigma_min")

LATE = [(name, {}, 8) for name in NAMES] + [
    *((name, {"solver_order": 3}, 7) for name in SOLVERS), ("LMSDiscreteScheduler", {}, 7),
    ("IPNDMScheduler", {}, 7), ("LMSDiscreteScheduler", {**STABLE, "use_karras_sigmas": True}, 1),
    ("SASolverScheduler", {}, 7),
    ("SASolverScheduler", {"predictor_order": 3, "corrector_order": 4, "algorithm_type": "noise_prediction"}, 13),
    *(("DPMSolverSinglestepScheduler", {"solver_order": order}, first)
      for order in (2, 3) for first in (7, 8, 9) if (order, first) not in ((2, 8), (3, 7))),
    *(("PNDMScheduler", {"skip_prk_steps": True, "steps_offset": 1}, first) for first in (1, 2, 8)),
    *(("PNDMScheduler", {}, first) for first in (1, 13)), ("DPMSolverMultistepScheduler", {**SDE, **STABLE}, 7),
    ("DPMSolverMultistepScheduler", {**SMALL_END, "solver_order": 3}, 7),
    ("DDPMScheduler", {"timestep_spacing": "trailing"}, 7),
    ("UniPCMultistepScheduler", {**FLOW, "flow_shift": 3.0}, 7),
    ("UniPCMultistepScheduler", {"solver_type": "bh1", "final_sigmas_type": "sigma_min"}, 18),
    ("FlowMatchEulerDiscreteScheduler", {"shift": 3.0, "stochastic_sampling": True}, 7),
    *((name, {}, 10) for name in TWO_CALLS), *((name, {}, 9) for name in TWO_CALLS)]
EARLY = (
    "EulerAncestralDiscreteScheduler", "DDPMScheduler", "DPMSolverMultistepScheduler", "UniPCMultistepScheduler",
    "HeunDiscreteScheduler", "FlowMatchEulerDiscreteScheduler")
EDITED = ("DDIMScheduler", "DPMSolverMultistepScheduler", "UniPCMultistepScheduler", "EulerAncestralDiscreteScheduler")

AYS = [999, 850, 736, 645, 545, 455, 343, 233, 124, 24]
AYS_XL = [999, 845, 730, 587, 443, 310, 193, 116, 53, 13]
AYS_SIGMAS = [14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.0]
UNORDERED = [300, 800, 500, 100]
EIGHT = [1.0, 0.9545454545454546, 0.9, 0.8333333333333334, 0.75, 0.6428571428571429, 0.5, 0.3]
RAMP = [step / 10 for step in range(11)]
FALLING = [1 - step / 10 for step in range(10)]
TO_ZERO = [1 - step / 8 for step in range(9)]
MU = dict(use_dynamic_shifting=True)
GIVEN = [
    ("DDPMScheduler", {}, dict(timesteps=AYS)),
    ("DDPMScheduler", {"prediction_type": "v_prediction"}, dict(timesteps=[800])),
    ("DDPMScheduler", {"variance_type": "fixed_large"}, dict(timesteps=[999, 500, 0])),
    ("EulerDiscreteScheduler", STABLE_XL, dict(timesteps=AYS_XL)),
    ("EulerDiscreteScheduler", {}, dict(timesteps=[800])),
    ("EulerDiscreteScheduler", {"final_sigmas_type": "sigma_min"}, dict(timesteps=UNORDERED)),
    ("EulerDiscreteScheduler", {"interpolation_type": "log_linear"}, dict(timesteps=AYS)),
    ("EulerDiscreteScheduler", {}, dict(timesteps=[1500.0, 500.5, 0.25, -3.0])),
    ("EulerDiscreteScheduler", STABLE, dict(sigmas=AYS_SIGMAS)),
    ("EulerDiscreteScheduler", {**STABLE, "use_karras_sigmas": True}, dict(sigmas=AYS_SIGMAS[:-1])),
    ("EulerDiscreteScheduler", {**STABLE, "timestep_type": "continuous", "prediction_type": "v_prediction"},
     dict(sigmas=[700.0, 54.5, 15.886, 7.977, 4.248, 1.789, 0.981, 0.403, 0.173, 0.034, 0.002])),
    ("HeunDiscreteScheduler", STABLE, dict(timesteps=AYS)), ("HeunDiscreteScheduler", {}, dict(timesteps=[800])),
    ("HeunDiscreteScheduler", {}, dict(timesteps=UNORDERED)),
    ("DPMSolverMultistepScheduler", STABLE, dict(timesteps=AYS)),
    ("DPMSolverMultistepScheduler", {}, dict(timesteps=[800])),
    ("DPMSolverMultistepScheduler", {"solver_order": 3}, dict(timesteps=AYS)),
    ("DPMSolverMultistepScheduler", {**STABLE, **SDE}, dict(timesteps=AYS)),
    ("DPMSolverMultistepScheduler", SMALL_END, dict(timesteps=[1500, 800, 300, 60])),
    ("DPMSolverSinglestepScheduler", STABLE, dict(timesteps=AYS)),
    ("DPMSolverSinglestepScheduler", {"solver_order": 3}, dict(timesteps=AYS)),
    ("DPMSolverSinglestepScheduler", {}, dict(timesteps=[800])),
    ("DPMSolverSinglestepScheduler", {**FLOW, "flow_shift": 3.0}, dict(timesteps=AYS)),
    *((name, {}, settings) for name in ("LCMScheduler", "TCDScheduler") for settings in (
        dict(timesteps=[999, 759, 499, 259]), dict(timesteps=[800]), dict(timesteps=[999, 759, 499, 259], strength=0.6),
        dict(steps=4, original_inference_steps=100), dict(steps=4, strength=0.6),
        dict(steps=4, original_inference_steps=100, strength=0.6))),
    *(("CMStochasticIterativeScheduler", {}, dict(timesteps=times)) for times in ([17, 0], [39, 22, 5], [18])),
    *((name, options, settings) for name in ("FlowMatchEulerDiscreteScheduler", "FlowMatchLCMScheduler")
      for options, settings in (
        ({"shift": 3.0}, dict(timesteps=[1000.0, 757.5, 500.0, 250.0])), ({"shift": 3.0}, dict(sigmas=FALLING)),
        (MU, dict(sigmas=FALLING, timesteps=[1000 - 100 * step for step in range(10)], mu=0.9)))),
    *(("FlowMatchEulerDiscreteScheduler", options, settings) for options, settings in (
        ({"shift": 3.0}, dict(timesteps=[1000, 800, 600, 300], sigmas=[1.0, 0.8, 0.6, 0.3])),
        ({**MU, "shift_terminal": 0.1}, dict(sigmas=FALLING, mu=1.15)),
        ({**MU, "time_shift_type": "linear"}, dict(sigmas=FALLING, mu=1.5)),
        ({"use_karras_sigmas": True}, dict(sigmas=FALLING)), ({"use_beta_sigmas": True}, dict(sigmas=FALLING)),
        ({"use_exponential_sigmas": True}, dict(timesteps=[900, 600, 400, 100])),
        ({"use_beta_sigmas": True, "shift": 3.0, "sigma_max": 0.9, "sigma_min": 0.1}, dict(steps=8)),
        ({"use_exponential_sigmas": True, "sigma_max": 20.0}, dict(steps=8)),
        ({"invert_sigmas": True}, dict(sigmas=FALLING, timesteps=[1000 - 100 * step for step in range(10)])),
        ({}, dict(sigmas=[0.2, 0.5, 0.7])), ({"shift": 3.0}, dict(sigmas=TO_ZERO)), (MU, dict(sigmas=TO_ZERO, mu=0.9)),
        ({"num_train_timesteps": 1, "invert_sigmas": True}, dict(sigmas=[1 - step / 20 for step in range(20)])),
        ({"num_train_timesteps": 1}, dict(sigmas=EIGHT)), ({"num_train_timesteps": 1}, dict(sigmas=[0.5, 0.9, 0.3])))),
    *(("UniPCMultistepScheduler", {**FLOW, **options}, settings) for options, settings in (
        ({"flow_shift": 3.0}, dict(sigmas=FALLING)), (MU, dict(sigmas=FALLING, mu=0.69)),
        ({**MU, "shift_terminal": 0.02, "time_shift_type": "linear"}, dict(sigmas=FALLING, mu=1.5)),
        ({"final_sigmas_type": "sigma_min", "solver_order": 3}, dict(sigmas=EIGHT)))),
    ("UniPCMultistepScheduler", COSMOS, dict(steps=20)),
    ("UniPCMultistepScheduler", {**FLOW, "use_karras_sigmas": True, "flow_shift": 5.0, "solver_order": 3},
     dict(steps=8)),
    ("UniPCMultistepScheduler", {**FLOW, "use_karras_sigmas": True}, dict(sigmas=[0.9, 0.6, 0.5, 0.25])),
    ("EDMEulerScheduler", {}, dict(sigmas=RAMP)),
    ("EDMEulerScheduler", {"sigma_schedule": "exponential"}, dict(sigmas=RAMP)),
    ("EDMEulerScheduler", {"final_sigmas_type": "sigma_min"}, dict(sigmas=[0.0, 0.1, 0.7, 1.0])),
    *(("LTXEulerAncestralRFScheduler", options, settings) for options, settings in (
        ({}, dict(sigmas=TO_ZERO)), ({"eta": 0.5}, dict(timesteps=[1.0, 0.7, 0.4, 0.0])), ({}, dict(sigmas=EIGHT))))]
# Where the first time occurs more than once, a run begins at the second unless the pipeline says where.
BEGUN = [
    (name, DOUBLED, 28) for name in ("EulerDiscreteScheduler", "UniPCMultistepScheduler")] + [
    ("DPMSolverMultistepScheduler", {
        **STABLE, "prediction_type": "v_prediction", "rescale_betas_zero_snr": True, "use_karras_sigmas": True}, 28)]

# What set_timesteps is asked for, beyond times that it takes.
COUNTS = (0, 1, 2, 3, 1000, 1001)
LISTS = ([999, 500, 100], [100, 500, 999], [500, 500, 100], [1000, 500, 100], [500, 100, -3], [999.6, 500.5, 0.25], [])
# The same for consistency models, which have 40 timesteps.
SHORT_LISTS = ([39, 20, 4], [4, 20, 39], [20, 20, 4], [40, 20, 4], [20, 4, -3], [39.6, 20.5, 0.25], [])
SPACED = tuple({f"use_{kind}": True} for kind in (
    "karras_sigmas", "exponential_sigmas", "beta_sigmas", "lu_lambdas", "flow_sigmas"))
CLASHES = tuple({"use_karras_sigmas": True, other: True} for other in ("use_exponential_sigmas", "use_beta_sigmas"))


def answer(x, t):
    """A network that is none: smooth, bounded, and another at each time."""
    import torch

    kind = torch.promote_types(x.dtype, torch.float32)
    wide, time = x.to(kind), float(t)
    return (0.9 * torch.tanh(0.7 * wide + 0.3 * wide.flip(1)) + 0.1 * (time / 1000)).to(x.dtype)


class Tree:
    """In the place of a Brownian tree: normals for each step, whose second is of the path that its first began."""

    def __init__(self, x, *_, **__):
        import torch

        self.path = classes.BrownianPath(lambda: torch.randn_like(x))

    def __call__(self, start, end):
        return self.path(start, end)


@contextlib.contextmanager
def prepared(name, options):
    """A scheduler, and torch's random numbers from the beginning, which are the caller's again afterwards."""
    import diffusers
    import torch

    diffusers.logging.set_verbosity_error()
    known = inspect.signature(classes.scheduler(name).__init__).parameters
    scheduler = classes.scheduler(name)(**{key: value for key, value in options.items() if key in known})
    # As from a file, some of which a class looks for though it does not take them.
    scheduler.register_to_config(**{key: value for key, value in options.items() if key not in known})
    module = sys.modules[type(scheduler).__module__]
    if hasattr(module, "randn_tensor"):
        # Other recipes leave theirs here.
        module.randn_tensor = diffusers.utils.torch_utils.randn_tensor
    usual = getattr(module, "BrownianTreeNoiseSampler", None)
    if usual:
        module.BrownianTreeNoiseSampler = Tree
    try:
        with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.manual_seed(7)
            yield scheduler
    finally:
        if usual:
            module.BrownianTreeNoiseSampler = usual


def start(scheduler, first, shape=SHAPE):
    """Noise, or a picture with as much of it as the scheduler adds where a run begins late."""
    import torch

    noise = torch.randn(shape)
    if first == 0:
        return noise * float(getattr(scheduler, "init_noise_sigma", 1))
    add = getattr(scheduler, "add_noise", None) or getattr(scheduler, "scale_noise", None)
    picture, time = torch.linspace(-1, 1, noise.numel()).view(shape), scheduler.timesteps[first : first + 1]
    if type(scheduler).__name__ in ("FlowMatchEulerDiscreteScheduler", "FlowMatchLCMScheduler"):
        return add(picture, time, noise)
    return add(picture, noise, time) if hasattr(scheduler, "add_noise") else (picture + noise) / 2


def settings_of(name, settings):
    """As the class wants its sigmas: a list for most."""
    import numpy
    import torch

    tensor = lambda values: torch.tensor(values, dtype=torch.float64)
    kind = {"UniPCMultistepScheduler": numpy.array, "EDMEulerScheduler": tensor}.get(name, list)
    return {key: kind(value) if key == "sigmas" else value for key, value in settings.items()}


def asked(settings):
    """With the names of `set_timesteps`."""
    return {"num_inference_steps" if key == "steps" else key: value for key, value in settings.items()}


def trace(name, options, settings, first=0, kind=None, shape=SHAPE, model=answer, **arguments):
    """The tensors and texts of a run, by way of a file."""
    import record_trace
    import torch
    from safetensors import safe_open

    settings = settings_of(name, settings)
    with prepared(name, options) as scheduler, tempfile.TemporaryDirectory() as folder:
        scheduler.set_timesteps(**asked(settings))
        sample = start(scheduler, first, shape).to(kind or torch.float32)
        path = pathlib.Path(folder) / "trace.safetensors"
        record_trace.record(path, scheduler, model, sample, **settings, first_step=first, **arguments)
        with safe_open(path, "pt") as file:
            tensors, texts = {key: file.get_tensor(key) for key in file.keys()}, file.metadata()
    texts["scheduler_config"] = json.dumps({"_class_name": name, **options})
    return tensors, texts


def traces():
    import torch

    bundle, metadata = {}, {}

    def add(label, name, options, settings, **arguments):
        label = f"{label}: {named(name, options)}"
        same = sum(known == label or known.startswith(f"{label} (") for known in metadata)
        label = f"{label} ({same + 1})" if same else label
        tensors, texts = trace(name, options, settings, **arguments)
        if not torch.isfinite(tensors["samples"]).all():
            return
        bundle.update({f"{label}/{key}": tensor for key, tensor in tensors.items()})
        metadata[label] = {"metadata": texts, "status": 0}

    for name, options, first in LATE:
        add(f"from {first} of 20", name, options, dict(steps=20), first=first)
        # Where a start is told, it is the one that is found, but between the two calls of a step.
        is_other = first == 8 or (name in TWO_CALLS and first % 2 == 1)
        if is_other and hasattr(classes.scheduler(name), "set_begin_index"):
            add(f"from {first} of 20, begun", name, options, dict(steps=20), first=first, begin_index=True)
    for name in EARLY:
        add("12 of 25", name, {}, dict(steps=25), last_step=12)
    for name in EDITED:
        mask = torch.tensor([1.0, 0.0, 1.0, 0.0]).view(1, 4, 1, 1)
        put_back = lambda step, x, t: mask * (1 - step / 10) + (1 - mask) * x
        add("edited", name, {}, dict(steps=10), edit=put_back)
    add("edited, 3 to 8 of 10, begun", "DPMSolverMultistepScheduler", {"solver_order": 3}, dict(steps=10), first=3,
        last_step=8, begin_index=True, edit=lambda step, x, t: x * 0.9)
    for name, options, settings in GIVEN:
        given = " and ".join(key for key in settings if key != "steps")
        add(f"{given} given" if given else f"{settings['steps']} steps", name, options, settings)
    for name, options, steps in BEGUN:
        add("begun where the first time is doubled", name, options, dict(steps=steps), begin_index=True)
    turn = 0
    for name in NAMES:
        for kind in (torch.float16, torch.bfloat16, torch.float64):
            label, turn = str(kind).removeprefix("torch."), turn + 1
            before = set(metadata)
            add(label, name, {}, dict(steps=20), kind=kind)
            if turn % 2:
                [metadata[added]["metadata"].pop("precision", None) for added in set(metadata) - before]
    return save(bundle, metadata)


def named(name, options):
    others = "".join(f", {key} {value}" for key, value in options.items() if key not in STABLE)
    return f"{name}{', as Stable Diffusion' if STABLE.items() <= options.items() else ''}{others}"


def said(error):
    return {"type": type(error).__name__, "text": str(error)}


def refusals():
    import torch

    cases = []

    def refusal(name, options, arguments):
        asked = ", ".join(f"{key} {value}" for key, value in arguments.items())
        label = f"{named(name, options)}: {asked or 'nothing'}"
        case = {"name": label, "class": name, "config": options, "arguments": arguments, "error": None}
        try:
            with prepared(name, options) as scheduler:
                scheduler.set_timesteps(**settings_of(name, arguments))
                times = scheduler.timesteps.tolist()
                if len(times) <= 20 and all(abs(time) < float("inf") for time in times):
                    case["timesteps"] = times
        except Exception as error:
            case["error"] = said(error)
        cases.append(case)

    def run(name, options, steps, first, begin_index):
        label = f"{named(name, options)}: from {first} of {steps}{', begun' * begin_index}"
        case = {
            "name": label, "class": name, "config": options, "arguments": {"num_inference_steps": steps}, "error": None,
            "run": {"first_step": first}}
        if begin_index:
            case["run"]["begin_index"] = True
        index = None
        try:
            with prepared(name, options) as scheduler:
                scheduler.set_timesteps(steps)
                x = start(scheduler, first)
                if begin_index:
                    scheduler.set_begin_index(first)
                for index, t in enumerate(scheduler.timesteps[first:], first):
                    scale = getattr(scheduler, "scale_model_input", lambda x, t: x)
                    x = scheduler.step(answer(scale(x, t), t), t, x).prev_sample
                    if not torch.isfinite(x).all():
                        case["run"]["nan"] = index
                        break
        except Exception as error:
            case["error"] = said(error)
            if index is not None:
                case["run"]["step"] = index
        if case["error"] or "nan" in case["run"]:
            cases.append(case)

    for name in NAMES:
        parameters = inspect.signature(classes.scheduler(name).set_timesteps).parameters
        known = inspect.signature(classes.scheduler(name).__init__).parameters
        has = lambda options: all(option in known for option in options)
        for count in COUNTS:
            refusal(name, {}, {"num_inference_steps": count})
        for options in CLASHES:
            if has(options):
                refusal(name, options, {"num_inference_steps": 5})
        if "timesteps" in parameters:
            lists = SHORT_LISTS if name == "CMStochasticIterativeScheduler" else LISTS
            for times in lists:
                refusal(name, {}, {"timesteps": times})
            refusal(name, {}, {})
            refusal(name, {}, {"num_inference_steps": 3, "timesteps": lists[0]})
            refusal(name, {}, {"num_inference_steps": 4, "timesteps": lists[0]})
            for options in SPACED:
                if has(options):
                    refusal(name, options, {"timesteps": lists[0]})
        if "sigmas" in parameters:
            flow = {"use_flow_sigmas": True} if "use_flow_sigmas" in known else {}
            for sigmas in ([1.0, 0.5, 0.25, 0.0], [0.5], []):
                refusal(name, flow, {"sigmas": sigmas})
            refusal(name, flow, {"num_inference_steps": 5, "sigmas": [1.0, 0.5, 0.25]})
            if "timesteps" in parameters:
                refusal(name, flow, {"timesteps": [999, 500], "sigmas": [1.0, 0.5, 0.25]})
                refusal(name, flow, {"timesteps": [999, 500, 250], "sigmas": [1.0, 0.5, 0.25]})
        if "mu" in parameters:
            refusal(name, {}, {"num_inference_steps": 4, "mu": 0.9})
            if "use_dynamic_shifting" in known:
                flow = {"use_flow_sigmas": True} if "use_flow_sigmas" in known else {}
                refusal(name, {**flow, "use_dynamic_shifting": True}, {"num_inference_steps": 4})
                refusal(name, {**flow, "use_dynamic_shifting": True, "time_shift_type": "linear"},
                        {"num_inference_steps": 4, "mu": 0.9})
        if "strength" in parameters:
            for settings in (
                    {"strength": 0.01}, {"strength": 0.079}, {"strength": 0.08}, {"original_inference_steps": 3},
                    {"original_inference_steps": 4}, {"original_inference_steps": 1001}):
                refusal(name, {}, {"num_inference_steps": 4, **settings})
            for settings in ({"num_inference_steps": 51}, {"num_inference_steps": 60, "original_inference_steps": 100}):
                refusal(name, {}, settings)
            refusal(name, {}, {"timesteps": [999, 500], "strength": 0.01})
            refusal(name, {"original_inference_steps": 1001}, {"num_inference_steps": 4})
    unipc = "UniPCMultistepScheduler"
    refusal(unipc, {}, {"sigmas": [1.0, 0.5]})
    refusal(unipc, {"shift_terminal": 0.1}, {"num_inference_steps": 4})
    for options in ({"timestep_type": "continuous", "prediction_type": "v_prediction"}, {"timestep_spacing": "middle"}):
        refusal("EulerDiscreteScheduler", options, {"timesteps": [999, 500]})
        refusal("EulerDiscreteScheduler", options, {"num_inference_steps": 4})
    refusal("DDIMInverseScheduler", {"timestep_spacing": "linspace"}, {"num_inference_steps": 4})
    for name, options, first in LATE:
        run(name, options, 20, first, False)
        if first == 8 or hasattr(classes.scheduler(name), "set_begin_index"):
            run(name, options, 20, first, True)
    for name, options, steps in BEGUN:
        run(name, options, steps, 0, False)
    return "[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n"


FILES = {"pipeline-traces.safetensors": traces, "pipeline-refusals.json": refusals}
