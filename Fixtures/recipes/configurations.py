"""Configurations of diffusers' schedulers: their options, random ones with the tables that diffusers makes of them, and recorded steps.

`diffusers-options.json` has for each class, twins included, its options with default and whether they may be null.

`diffusers-configurations.json` has random configurations: `config` as diffusers saves it (without options at their default), the number of
`steps`, and checksums of what diffusers makes of them in float32: `tables`, betas then alphas_cumprod; `sigmas`; `timesteps`. `scale` is
init_noise_sigma. A checksum is FNV-1a with 64 bits over the little-endian 32-bit words. torch's square root, exponential and logarithm of
float32 come from MKL, are up to an ulp off, and differ between makes of processors (on AMD's, `sqrt` is one iteration on RSQRTPS, and 15 %
of its results are not the nearest). So the checksums are of what diffusers makes with these functions rounded correctly; `raw` are the first,
the middle and the last sigma above 0 with torch's own.

`diffusers-steps.safetensors` has for case i of `diffusers-steps.json` `i.samples` [S+1, 2, 3, 2, 2], `i.outputs` [S, 2, 3 or 6, 2, 2] and
`i.noises` [S, ...] in float32, of a whole run with random outputs, with the same functions. Where the samples were replaced between the
steps, `i.made` [S, ...] is what each step made.

`diffusers-deviations.json` has for each deviation a configuration that shows it, and what diffusers does with it, as `deviations` says.
"""

import contextlib
import inspect
import json
import math
import random

import numpy
from safetensors.numpy import save

from recipes import classes

CLASSES = [
    "DDPMScheduler", "DDIMScheduler", "DDIMInverseScheduler", "EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler",
    "HeunDiscreteScheduler", "DPMSolverMultistepScheduler", "UniPCMultistepScheduler", "DEISMultistepScheduler",
    "LMSDiscreteScheduler", "IPNDMScheduler", "PNDMScheduler", "DPMSolverSinglestepScheduler", "LCMScheduler", "TCDScheduler",
    "FlowMatchEulerDiscreteScheduler", "KDPM2DiscreteScheduler", "KDPM2AncestralDiscreteScheduler", "EDMEulerScheduler",
    "EDMDPMSolverMultistepScheduler", "SASolverScheduler", "FlowMatchHeunDiscreteScheduler", "FlowMatchLCMScheduler",
    "CMStochasticIterativeScheduler", "DPMSolverSDEScheduler", "DPMSolverMultistepInverseScheduler", *classes.PLAIN,
]
# Their options are drawn as for traces.
OTHERS = CLASSES[11:]
# Their sigmas and timesteps go through torch's own powers and logarithms, and are not compared bit for bit.
INEXACT = CLASSES[16:20] + CLASSES[23:25] + ["CosineDPMSolverMultistepScheduler"]
PARALLEL = ["DDPMParallelScheduler", "DDIMParallelScheduler"]
SIGMA_BASED = CLASSES[3:10]
SOLVERS = CLASSES[6:9]
# The first classes have all the schedules and spacings, which the others share.
TABLES_PER_CLASS = {name: 110 if name in CLASSES[:7] else 40 if name in CLASSES[:11] else 24 for name in CLASSES}
STEPS_PER_CLASS = {name: 5 if name in CLASSES[21:] else 8 if name in OTHERS else 12 for name in CLASSES}
SHAPE = (2, 3, 2, 2)
# What chance may leave out.
RARE = [
    ("DPMSolverSinglestepScheduler", {"solver_order": 3, "solver_type": "heun", "algorithm_type": algorithm}, 7, {})
    for algorithm in ("dpmsolver++", "sde-dpmsolver++")] + [
    (name, {"prediction_type": prediction}, 5, {"s_churn": churn, "s_tmin": 0.05, "s_tmax": 50.0, "s_noise": 1.003})
    for name, prediction, churn in (
        ("EulerDiscreteScheduler", "epsilon", 1.0), ("EulerDiscreteScheduler", "sample", 1.0),
        ("EulerDiscreteScheduler", "v_prediction", 40.0), ("EDMEulerScheduler", "epsilon", 1.0),
        ("EDMEulerScheduler", "v_prediction", 40.0))] + [
    ("DPMSolverMultistepInverseScheduler", {"solver_order": 3, "solver_type": "heun", "algorithm_type": algorithm}, 6, {})
    for algorithm in ("dpmsolver++", "dpmsolver")] + [
    # Where σ_up comes out above σ by rounding.
    ("DPMSolverSDEScheduler", {"beta_schedule": "squaredcos_cap_v2"}, 2, {}),
    ("RePaintScheduler", {"eta": 0.8, "clip_sample": False}, 6, {"jump_length": 2, "jump_n_sample": 2}),
    ("FlowMatchLCMScheduler", {"invert_sigmas": True, "shift": 3.0}, 3, {})] + [
    ("FlowMatchHeunDiscreteScheduler", {"shift": 3.0}, 4, {"s_churn": churn, "s_tmin": 0.05, "s_tmax": 0.95, "s_noise": 1.003})
    for churn in (1.0, 40.0)] + [
    # The variance itself, bounds of one variance, a β that is 0 in float32, log-linear sigmas with churn, a threshold below 1, a linear shift.
    ("DDPMScheduler", {"variance_type": "learned", "clip_sample": False}, 5, {}),
    ("DDPMScheduler", {"variance_type": "learned_range", "beta_end": 0.08}, 6, {}),
    ("DDPMScheduler", {"variance_type": "learned_range", "trained_betas": [0.1, 0.2, 0.0, 0.0, 0.3], "num_train_timesteps": 5}, 5, {}),
    ("EulerDiscreteScheduler", {"interpolation_type": "log_linear"}, 5, {"s_churn": 1.0, "s_noise": 1.003}),
    ("DDPMScheduler", {"thresholding": True, "sample_max_value": 0.5}, 5, {}),
    ("UniPCMultistepScheduler", {
        "use_flow_sigmas": True, "use_dynamic_shifting": True, "time_shift_type": "linear", "prediction_type": "flow_prediction"}, 5,
     {"mu": 2.3}),
    # Integrals of order 4.
    ("SASolverScheduler", {"predictor_order": 4, "corrector_order": 4}, 8, {}),
    ("SASolverScheduler", {"predictor_order": 4, "corrector_order": 4, "algorithm_type": "noise_prediction"}, 8, {}),
    ("SASolverScheduler", {"predictor_order": 4, "corrector_order": 3, "lower_order_final": False}, 8, {}),
    # α of float32 where there is hardly any signal, and large numbers.
    ("IPNDMScheduler", {}, 999, {})] + [
    # Times given to set_timesteps, as Flux's pipeline does it.
    (f"FlowMatch{name}Scheduler", config, 5, {**mu, "sigmas": numpy.linspace(1, last, 5).tolist()})
    for name, config, mu, last in (
        ("EulerDiscrete", {"use_dynamic_shifting": True}, {"mu": 1.15}, 1 / 5),
        ("EulerDiscrete", {"use_dynamic_shifting": True, "time_shift_type": "linear", "shift_terminal": 0.1}, {"mu": 2.3}, 0.07),
        ("EulerDiscrete", {"shift": 3.1, "use_karras_sigmas": True}, {}, 0.15),
        ("LCM", {"shift": 3.1, "invert_sigmas": True}, {}, 1 / 5))]


# Runs whose samples are replaced after every step.
EDITED = [
    ("HeunDiscreteScheduler", {}, 4), ("HeunDiscreteScheduler", {"prediction_type": "v_prediction"}, 3),
    ("KDPM2DiscreteScheduler", {}, 4), ("KDPM2AncestralDiscreteScheduler", {}, 4), ("DPMSolverSDEScheduler", {}, 4),
    ("FlowMatchHeunDiscreteScheduler", {"shift": 3.0}, 4), ("UniPCMultistepScheduler", {}, 5),
    ("UniPCMultistepScheduler", {"solver_order": 3, "predict_x0": False, "final_sigmas_type": "sigma_min"}, 5),
    ("SASolverScheduler", {}, 5), ("SASolverScheduler", {"algorithm_type": "noise_prediction"}, 5), ("PNDMScheduler", {}, 5),
    ("PNDMScheduler", {"skip_prk_steps": True}, 5), ("DPMSolverSinglestepScheduler", {"solver_order": 3}, 6),
    ("DPMSolverMultistepScheduler", {"solver_order": 3}, 5), ("LMSDiscreteScheduler", {}, 5), ("DDIMScheduler", {}, 4)]


def options():
    listed = {}
    for name in CLASSES + PARALLEL:
        parameters = inspect.signature(classes.scheduler(name).__init__).parameters.values()
        listed[name] = [
            {"name": p.name, "default": p.default, "optional": p.default is None or "None" in str(p.annotation)}
            for p in parameters
            if p.name not in ("self", "kwargs")
        ]
    return json.dumps(listed, indent=1) + "\n"


def draw(name, chooser):
    """Random options of a class, and a number of steps."""
    choose = chooser.choice
    if name in OTHERS:
        from traces import make_traces

        config = {key: value for key, value in make_traces.diffusers_options(chooser, name).items() if key != "trained_betas"}
        if config.get("use_dynamic_shifting") and name.startswith("FlowMatch"):
            config["use_dynamic_shifting"] = False
        return config, chooser.randint(1, 24)
    total = choose([1000, 1000, 500, 100, 100, 50, 37, 10])
    config = {}

    def maybe(key, values, chance=0.5):
        if chooser.random() < chance:
            config[key] = choose(values)

    if total != 1000 or chooser.random() < 0.5:
        config["num_train_timesteps"] = total
    if name == "IPNDMScheduler":
        steps = chooser.randint(1, min(60, total - 1))
        if chooser.random() < 0.2:
            config["trained_betas"] = sorted((round(chooser.uniform(0.01, 0.99), 6) for _ in range(steps + 1)), reverse=True)
        return config, steps
    schedules = ["linear", "scaled_linear", "squaredcos_cap_v2"]
    schedules += {"DDPMScheduler": ["sigmoid", "laplace"], "HeunDiscreteScheduler": ["exp"]}.get(name, [])
    maybe("beta_schedule", schedules, 0.8)
    maybe("beta_start", [0.00085, 0.0001, 0.001, round(chooser.uniform(1e-5, 1e-3), 7)])
    maybe("beta_end", [0.012, 0.02, 0.05, round(chooser.uniform(0.005, 0.1), 6)])
    if total <= 50 and chooser.random() < 0.15:
        config["trained_betas"] = [round(chooser.uniform(1e-4, 0.3), 6) for _ in range(total)]
    predictions = ["epsilon", "sample", "v_prediction"]
    if name == "EulerAncestralDiscreteScheduler":
        predictions.remove("sample")
    maybe("prediction_type", predictions, 0.7)
    maybe("timestep_spacing", ["leading", "trailing"] + ["linspace"] * (name != "DDIMInverseScheduler"), 0.8)
    maybe("steps_offset", [0, 1, 1, 2])
    if name not in ("HeunDiscreteScheduler", "DEISMultistepScheduler", "LMSDiscreteScheduler"):
        maybe("rescale_betas_zero_snr", [True, True, False], 0.4)
    if name in CLASSES[:3] + ["HeunDiscreteScheduler"]:
        maybe("clip_sample", [True, False], 0.7)
        maybe("clip_sample_range", [1.0, 2.0, 0.5], 0.3)
    if name in CLASSES[:2] + SOLVERS:
        maybe("thresholding", [True], 0.2)
        maybe("dynamic_thresholding_ratio", [0.9, 0.995], 0.3)
        maybe("sample_max_value", [1.0, 1.5, 2.0], 0.3)
    if name == "DDPMScheduler":
        maybe("variance_type", ["fixed_small", "fixed_small_log", "fixed_large", "learned_range"], 0.7)
    if name in ("DDIMScheduler", "DDIMInverseScheduler"):
        maybe("set_alpha_to_one", [True, False], 0.6)
    if name in SOLVERS + ["EulerDiscreteScheduler", "HeunDiscreteScheduler", "LMSDiscreteScheduler"]:
        maybe(choose(["use_karras_sigmas", "use_exponential_sigmas"]), [True], 0.4)
    if name in ("EulerDiscreteScheduler", "DPMSolverMultistepScheduler", "UniPCMultistepScheduler"):
        maybe("final_sigmas_type", ["zero", "sigma_min"], 0.5)
    if name == "EulerDiscreteScheduler":
        maybe("interpolation_type", ["linear", "log_linear"], 0.3)
        maybe("timestep_type", ["discrete", "continuous"], 0.3)
    if name in ("EulerDiscreteScheduler", "UniPCMultistepScheduler"):
        maybe("sigma_min", [0.002, 0.03], 0.2)
        maybe("sigma_max", [14.0, 80.0, 700.0], 0.2)
    if name in SOLVERS:
        maybe("solver_order", [1, 2, 3, 3], 0.7)
        maybe("lower_order_final", [True, False], 0.5)
    if name == "UniPCMultistepScheduler":
        maybe("predict_x0", [True, False], 0.5)
        maybe("solver_type", ["bh1", "bh2", "midpoint", "heun", "logrho"], 0.5)
        maybe("disable_corrector", [[0], [1, 2], [0, 3]], 0.3)
    if name == "DEISMultistepScheduler":
        maybe("algorithm_type", ["deis", "dpmsolver", "dpmsolver++"], 0.3)
        maybe("solver_type", ["logrho", "midpoint", "heun", "bh1", "bh2"], 0.3)
    if name == "DPMSolverMultistepScheduler":
        maybe("algorithm_type", ["dpmsolver++", "dpmsolver", "sde-dpmsolver++", "sde-dpmsolver", "deis"], 0.7)
        if config.get("algorithm_type") in ("dpmsolver", "sde-dpmsolver", "deis"):
            config["final_sigmas_type"] = "sigma_min"
        maybe("solver_type", ["midpoint", "heun", "heun", "logrho", "bh1", "bh2"], 0.7)
        maybe("variance_type", ["learned_range"], 0.2)
        maybe("euler_at_final", [True, False], 0.5)
        maybe("lambda_min_clipped", [-5.1, -3.0, -float("inf")], 0.3)
    steps = chooser.randint(1, min(60, total - 1)) if chooser.random() < 0.8 else chooser.randint(1, total - 1)
    return config, steps


def checksum(*arrays):
    digest = 0xCBF29CE484222325
    for array in arrays:
        for word in numpy.ascontiguousarray(array).view(numpy.uint32).ravel().tolist():
            digest = (digest ^ word) * 0x100000001B3 % 2**64
    return f"{digest:x}"


@contextlib.contextmanager
def rounded_functions():
    """torch with square root, exponential and logarithm of float32 rounded correctly."""
    import torch

    def rounding(function):
        def rounded(*tensors):
            wide = [tensor.numpy().astype(numpy.float64) for tensor in tensors]
            return torch.from_numpy(numpy.asarray(function(*wide).astype(tensors[0].numpy().dtype)))

        return rounded

    root = rounding(numpy.sqrt)
    power = torch.Tensor.__pow__
    own = {"sqrt": root, "exp": rounding(numpy.exp), "log": rounding(numpy.log), "sin": rounding(numpy.sin), "cos": rounding(numpy.cos)}
    own["atan2"] = rounding(numpy.arctan2)
    own["__pow__"] = lambda tensor, exponent: root(tensor) if exponent == 0.5 else power(tensor, exponent)
    originals = [(owner, name, getattr(owner, name)) for owner in (torch, torch.Tensor) for name in own if hasattr(owner, name)]
    for owner, name, _ in originals:
        setattr(owner, name, own[name])
    yield
    for owner, name, function in originals:
        setattr(owner, name, function)


def can(name, config, steps):
    """Whether diffusers takes the options."""
    try:
        with numpy.errstate(all="ignore"):
            classes.runner(name)(**config).set_timesteps(steps)
    except (ValueError, IndexError, NotImplementedError, ZeroDivisionError):
        return False
    return True


def configurations():
    chooser = random.Random(5)
    cases = []
    for name in CLASSES:
        for _ in range(TABLES_PER_CLASS[name]):
            config, steps = draw(name, chooser)
            while not can(name, config, steps):
                config, steps = draw(name, chooser)
            with numpy.errstate(all="ignore"):
                raw = classes.runner(name)(**config)
                raw.set_timesteps(steps)
                with rounded_functions():
                    made = classes.runner(name)(**config)
                    made.set_timesteps(steps)
            case = {"config": {"_class_name": name, **config}, "steps": steps}
            if hasattr(made, "alphas_cumprod"):
                case["tables"] = checksum(made.betas.float(), made.alphas_cumprod.float())
            timesteps = classes.told(made).numpy()
            if name in INEXACT:
                cases.append(case)
                continue
            others = ("DPMSolverSinglestepScheduler", "SASolverScheduler", "DPMSolverMultistepInverseScheduler", *classes.PLAIN)
            if (name.startswith("FlowMatch") or name in others) and hasattr(made, "sigmas"):
                case["sigmas"] = checksum(made.sigmas)
            if name in SIGMA_BASED:
                case["sigmas"] = checksum(made.sigmas)
                case["scale"] = float(made.init_noise_sigma)
                if "rescale_betas_zero_snr" not in config:
                    sigmas = raw.sigmas[raw.sigmas > 0]
                    case["raw"] = [float(sigmas[i]) for i in (0, len(sigmas) // 2, -1)]
            # Whole numbers below 2^24 are exact in float32.
            case["timesteps"] = checksum(timesteps.astype(numpy.float32))
            cases.append(case)
    return "[\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "\n]\n"


def random_outputs(generator, config, channels, shape):
    """What a network might answer: a variance itself is positive, and beyond bounds one of which is 0 there is nothing."""
    made = generator.standard_normal((shape[0], channels, *shape[2:])).astype(numpy.float32)
    said = made[:, shape[1]:]
    if config.get("variance_type") == "learned":
        made[:, shape[1]:] = said**2 / 16
    elif 0.0 in config.get("trained_betas", []):
        made[:, shape[1]:] = numpy.tanh(said)
    return made


def record(name, config, steps, arguments, generator, edit=lambda made: made):
    """A run of a scheduler with random outputs, None if diffusers cannot or it is not finite: the samples given to its steps, the outputs, the
    noises, and what the steps made, by which `edit` replaces the next sample."""
    import sys

    import torch

    settings = {key: value for key, value in arguments.items() if key in classes.SETTINGS}
    arguments = {key: value for key, value in arguments.items() if key not in classes.SETTINGS}
    try:
        scheduler = classes.runner(name)(**config)
        scheduler.set_timesteps(steps, **settings)
    except (ValueError, IndexError, NotImplementedError, ZeroDivisionError):
        return None
    module = sys.modules[type(scheduler).__module__]
    drawn = []
    shape = SHAPE if steps < 100 else (1, 1, 1, 1)

    def randn_tensor(shape=shape, **_):
        drawn.append(torch.from_numpy(generator.standard_normal(shape).astype(numpy.float32)))
        return drawn[-1]

    if hasattr(module, "randn_tensor"):
        module.randn_tensor = randn_tensor
    scheduler.noise_sampler = classes.BrownianPath(randn_tensor)
    start = generator.standard_normal(shape).astype(numpy.float32) * numpy.float32(getattr(scheduler, "init_noise_sigma", 1))
    samples, outputs, noises, made = [torch.from_numpy(start)], [], [], []
    is_split = name in ("DDPMScheduler", "UnCLIPScheduler") or config.get("prediction_type", "epsilon") == "epsilon"
    channels = shape[1] * (2 if str(config.get("variance_type")).startswith("learned") and is_split else 1)
    for timestep in classes.told(scheduler):
        if hasattr(scheduler, "scale_model_input"):
            scheduler.scale_model_input(samples[-1], timestep)
        outputs.append(torch.from_numpy(random_outputs(generator, config, channels, shape)))
        drawn.clear()
        try:
            made.append(scheduler.step(outputs[-1], timestep, samples[-1], **arguments).prev_sample)
        except (AssertionError, IndexError, TypeError, NameError, ValueError, RuntimeError):
            return None
        samples.append(edit(made[-1]))
        noises.append(getattr(scheduler, "noise", drawn[0] if drawn else torch.zeros(shape)))
    run = dict(samples=samples, outputs=outputs, noises=noises, made=made)
    run = {key: torch.stack(values).numpy() for key, values in run.items()}
    if not all(numpy.isfinite(stack).all() for stack in run.values()):
        return None
    return run | {"told": [float(timestep) for timestep in classes.told(scheduler)]}


def recorded():
    chooser = random.Random(6)
    generator = numpy.random.default_rng(6)
    cases, tensors = [], {}

    def add(name, config, steps, arguments, run, more):
        for key in ("samples", "outputs", "noises", *(key for key in more if key == "made")):
            tensors[f"{len(cases)}.{key}"] = run[key]
        case = {"config": {"_class_name": name, **config}, "steps": steps, "arguments": arguments}
        cases.append(case | ({"told": run["told"]} if "told" in more else {}))

    for name in CLASSES:
        found = 0
        while found < STEPS_PER_CLASS[name]:
            config, _ = draw(name, chooser)
            steps = chooser.randint(1, 8 if name not in CLASSES[21:] else 5)
            arguments = {}
            if name in OTHERS:
                from traces import make_traces

                if "use_dynamic_shifting" in config and name.startswith("FlowMatch"):
                    config["use_dynamic_shifting"] = found % 2 == 1
                arguments = make_traces.step_arguments(chooser, name, config)
            if name == "DDIMScheduler" and chooser.random() < 0.6:
                arguments["eta"] = round(chooser.uniform(0, 1), 2)
            if name == "DDIMScheduler" and chooser.random() < 0.4:
                arguments["use_clipped_model_output"] = True
            if name == "LMSDiscreteScheduler" and chooser.random() < 0.6:
                arguments["order"] = chooser.randint(1, 4)
            if "trained_betas" in config and name == "IPNDMScheduler":
                config["trained_betas"] = config["trained_betas"][: steps + 1]
                steps = len(config["trained_betas"]) - 1
            with numpy.errstate(all="ignore"), rounded_functions():
                run = record(name, config, steps, arguments, generator)
            if run is None:
                continue
            add(name, config, steps, arguments, run, ["told"] if name in OTHERS else [])
            found += 1
    for name, config, steps, arguments in RARE:
        with numpy.errstate(all="ignore"), rounded_functions():
            add(name, config, steps, arguments, record(name, config, steps, arguments, generator), ["told"])
    for name, config, steps in EDITED:
        with numpy.errstate(all="ignore"), rounded_functions():
            # Another picture in a part of it, as inpainting does, and all of it darker.
            run = record(name, config, steps, {}, generator, lambda made: 0.9 * made + 0.3 * (made > 0))
        add(name, config, steps, {}, run, ["told", "made"])
    text = "[\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "\n]\n"
    return text, save(tensors)


# For each deviation a configuration that shows it, a number of steps, and the arguments of `step`.
TRAILING, LINSPACE = {"timestep_spacing": "trailing"}, {"timestep_spacing": "linspace"}
DEVIATIONS = {
    "float32Tables": ("DDPMScheduler", {"clip_sample": False}, 1000, {}),
    "trailingMinusOne": ("DDIMScheduler", {**TRAILING, "clip_sample": False}, 103, {}),
    "missedTies": ("DDPMScheduler", {**TRAILING, "clip_sample": False}, 48, {}),
    "oneStepFromTheEnd": ("DDIMScheduler", {**LINSPACE, "clip_sample": False}, 1, {}),
    "fractionalTimesteps": ("EulerDiscreteScheduler", {"beta_schedule": "scaled_linear"}, 7, {}),
    "timestepPastTheEnd": ("EulerDiscreteScheduler", {"timestep_spacing": "leading", "steps_offset": 1}, 1000, {}),
    "stridedPrevious": ("DDIMScheduler", {**LINSPACE, "clip_sample": False}, 4, {}),
    "roundedMiddles": ("PNDMScheduler", {}, 8, {}),
    "stridedInverse": ("DDIMInverseScheduler", {"clip_sample": False}, 10, {}),
    "lastStepIsNoisy": ("DDPMScheduler", {**TRAILING, "variance_type": "fixed_large", "clip_sample": False}, 10, {}),
    "logarithmForVariance": ("DDPMScheduler", {"variance_type": "fixed_large_log", "clip_sample": False}, 10, {}),
    "epsilonBeforeClipping": ("DDIMScheduler", {"clip_sample_range": 0.1}, 10, {}),
    "infiniteX0": ("DDIMScheduler", {**TRAILING, "rescale_betas_zero_snr": True}, 10, {}),
    "almostZeroSNR": (
        "EulerDiscreteScheduler", {**TRAILING, "rescale_betas_zero_snr": True, "prediction_type": "v_prediction"}, 10, {}),
    "initialScaleWithoutData": ("EulerDiscreteScheduler", {"beta_schedule": "scaled_linear"}, 10, {}),
    "ancestralNotANumber": ("EulerAncestralDiscreteScheduler", {"beta_schedule": "squaredcos_cap_v2"}, 4, {}),
    "subsampledEnds": (
        "EulerDiscreteScheduler",
        {**TRAILING, "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "use_karras_sigmas": True}, 20, {}),
    "logLinearEnd": ("EulerDiscreteScheduler", {"interpolation_type": "log_linear"}, 10, {}),
    "roundedSigmaTimesteps": (
        "DPMSolverMultistepScheduler",
        {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "use_karras_sigmas": True}, 100, {}),
    "duplicateStart": ("DPMSolverMultistepScheduler", {"beta_schedule": "squaredcos_cap_v2", "use_karras_sigmas": True}, 20, {}),
    "oneMorePoint": ("DPMSolverMultistepScheduler", {}, 10, {}),
    "halvedCurvature": ("DPMSolverMultistepScheduler", {"solver_order": 3}, 10, {}),
    "missignedCurvature": ("DPMSolverMultistepScheduler", {"solver_order": 3, "algorithm_type": "sde-dpmsolver++"}, 10, {}),
    "missingThirdOrder": (
        "DPMSolverMultistepScheduler",
        {"solver_order": 3, "algorithm_type": "sde-dpmsolver", "final_sigmas_type": "sigma_min"}, 10, {}),
    "idleLastStep": ("DEISMultistepScheduler", {"use_karras_sigmas": True}, 10, {}),
    "infiniteLastStep": ("UniPCMultistepScheduler", {"lower_order_final": False}, 10, {}),
    "firstOutputUnused": ("IPNDMScheduler", {}, 10, {}),
    "repeatedLate": ("PNDMScheduler", {"skip_prk_steps": True}, 10, {"first_step": 5}),
    "lateConversion": ("PNDMScheduler", {"skip_prk_steps": True, "prediction_type": "v_prediction"}, 10, {}),
    "shiftedTwice": ("FlowMatchEulerDiscreteScheduler", {"shift": 3.0}, 10, {}),
    "endsAtFirstTimestep": ("TCDScheduler", {}, 4, {}),
    "vOnStraightLines": ("DPMSolverMultistepScheduler", {"use_flow_sigmas": True, "prediction_type": "v_prediction"}, 10, {}),
    "halvedSlope": ("SASolverScheduler", {"corrector_order": 1}, 10, {}),
    "lateChurn": ("EulerDiscreteScheduler", {}, 10, {"s_churn": 3.0, "s_noise": 1.003}),
    "churnOffTheLine": ("FlowMatchHeunDiscreteScheduler", {}, 10, {"s_churn": 3.0, "s_noise": 1.003}),
    "noiseForData": ("FlowMatchLCMScheduler", {"invert_sigmas": True}, 10, {}),
    "leastSigmaNotANumber": ("CMStochasticIterativeScheduler", {"sigma_min": 0.0001}, 10, {}),
    "dataForSample": ("DPMSolverMultistepInverseScheduler", {}, 10, {}),
    "notInverted": ("DPMSolverMultistepInverseScheduler", {"use_flow_sigmas": True, "prediction_type": "flow_prediction"}, 10, {}),
    "droppedTimesteps": (
        "DPMSolverMultistepInverseScheduler",
        {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "use_karras_sigmas": True}, 100, {}),
    "lateJumps": ("RePaintScheduler", {"clip_sample": False}, 10, {"jump_length": 5, "jump_n_sample": 2}),
    "betasOfLaterSteps": ("RePaintScheduler", {"clip_sample": False}, 10, {"jump_length": 2, "jump_n_sample": 2}),
    "unusedEta": ("CogVideoXDDIMScheduler", TRAILING, 10, {"eta": 1.0}),
    "heldEnd": ("DDPMWuerstchenScheduler", {}, 10, {}),
    "learnedRoot": ("DDPMScheduler", {"variance_type": "learned", "clip_sample": False}, 10, {}),
    "betaOverSigmas": (
        "EulerDiscreteScheduler",
        {**TRAILING, "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "use_beta_sigmas": True}, 10, {}),
}
DATUM = 0.3
# What the network of learnedRoot gives for it.
VARIANCE = 0.04


def deviations():
    """Runs of diffusers on one number, with a network that knows the datum behind every sample at the timestep that it is told."""
    import sys

    import torch

    cases = {}
    for deviation, (name, config, steps, arguments) in DEVIATIONS.items():
        scheduler = classes.runner(name)(**config)
        scheduler.set_timesteps(steps, **{key: value for key, value in arguments.items() if key in classes.SETTINGS})
        bars = scheduler.alphas_cumprod.double().numpy() if hasattr(scheduler, "alphas_cumprod") else numpy.ones(1)
        sigmas = ((1 - bars) / numpy.maximum(bars, 1e-300)) ** 0.5

        def network(x, timestep):
            if name.startswith("FlowMatch") or config.get("prediction_type") == "flow_prediction":
                share = float(timestep) / 1000
                return (DATUM - x) / (1 - share) if config.get("invert_sigmas") else (x - DATUM) / share
            if name == "CMStochasticIterativeScheduler":
                return DATUM
            if name == "DDPMWuerstchenScheduler":
                bar = float(scheduler._alpha_cumprod(timestep, "cpu"))
                return (x - bar**0.5 * DATUM) / (1 - bar) ** 0.5
            if name == "IPNDMScheduler":
                signal, noise = math.cos(float(timestep) * math.pi / 2), math.sin(float(timestep) * math.pi / 2)
                return signal * (x - signal * DATUM) / noise - noise * DATUM
            sigma = numpy.exp(numpy.interp(float(timestep), numpy.arange(len(bars)), numpy.log(sigmas)))
            if sigma > 1e100:
                # Exactly the noise would give 0/0.
                return 0.9 * x
            signal, noise = (1 / (1 + sigma**2)) ** 0.5, sigma / (1 + sigma**2) ** 0.5
            epsilon = (x - signal * DATUM) / noise
            return signal * epsilon - noise * DATUM if config.get("prediction_type") == "v_prediction" else epsilon

        noises = numpy.random.default_rng(7).standard_normal(len(scheduler.timesteps)).astype(numpy.float32)
        module = sys.modules[type(scheduler).__module__]
        drawn = []
        module.randn_tensor = lambda shape, **_: torch.full((1, 1, 1, 1), float(noises[len(outputs) - 1])) if not drawn.append(1) else 0
        start = numpy.float32(getattr(scheduler, "init_noise_sigma", 1)) if "Inverse" not in name else numpy.float32(DATUM)
        samples, outputs, used, error = [float(start)], [], [], None
        told = classes.told(scheduler)[arguments.get("first_step", 0) :]
        for timestep in told:
            x = torch.full((1, 1, 1, 1), samples[-1])
            scaled = scheduler.scale_model_input(x, timestep) if hasattr(scheduler, "scale_model_input") else x
            outputs.append(float(numpy.float32(network(scaled.item(), timestep))))
            output = torch.full((1, 1, 1, 1), outputs[-1])
            if config.get("variance_type") == "learned":
                output = torch.cat([output, torch.full((1, 1, 1, 1), VARIANCE)], dim=1)
            drawn.clear()
            try:
                given = {key: value for key, value in arguments.items() if key not in (*classes.SETTINGS, "first_step")}
                result = scheduler.step(output, timestep, x, **given).prev_sample.item()
            except (IndexError, NameError) as failure:
                error = type(failure).__name__
                break
            used.append(float(getattr(scheduler, "noise", noises[len(outputs) - 1] if drawn else 0.0)))
            samples.append(result)
            if not numpy.isfinite(result):
                error = "NaN"
                break
        case = {"config": {"_class_name": name, **config}, "steps": steps, "arguments": arguments, "error": error}
        case["timesteps"] = told.tolist()
        if hasattr(scheduler, "sigmas"):
            case["sigmas"] = scheduler.sigmas.tolist()
        if error is None:
            case.update(samples=samples, outputs=outputs, noises=used)
        if config.get("variance_type") == "learned":
            case["variance"] = VARIANCE
        if len(case["timesteps"]) > 200:
            for key in ("timesteps", "sigmas", "samples", "outputs", "noises"):
                if key in case:
                    case[key] = case[key][:3] + case[key][-3:]
        cases[deviation] = case
    return "{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v, separators=(',', ':'))}" for k, v in cases.items()) + "\n}\n"


def guided_deviations(checkout):
    """What guided-diffusion answers where this library answers something else, for the linear schedule of ten timesteps at t = 5."""
    import torch

    from recipes import guided

    gaussian, respace = guided.load(checkout)
    process = gaussian.GaussianDiffusion(
        betas=numpy.linspace(0.01, 0.3, 10),
        model_mean_type=gaussian.ModelMeanType.PREVIOUS_X,
        model_var_type=gaussian.ModelVarType.FIXED_SMALL,
        loss_type=gaussian.LossType.MSE,
    )
    x, answer, t = torch.full((1, 1, 1, 1), 2.0), 1.75, torch.tensor([5])
    means = [
        process.p_mean_variance(lambda *_: torch.full_like(x, answer), x, t, clip_denoised=clip) for clip in (False, True)
    ]
    extracted = gaussian._extract_into_tensor(process.alphas_cumprod, t, (1,))
    made = {
        "space_timesteps": {text: sorted(respace.space_timesteps(1000, text)) for text in ("1", "1,1")},
        "sample": 2.0,
        "output": answer,
        "means": [float(mean["mean"]) for mean in means],
        "pred_xstart": [float(mean["pred_xstart"]) for mean in means],
        "alphas_cumprod": float(process.alphas_cumprod[5]),
        "extracted": float(extracted),
    }
    return json.dumps(made, indent=1) + "\n"


GUIDED = {"guided-deviations.json": guided_deviations}

FILES = {
    "diffusers-options.json": options,
    "diffusers-configurations.json": configurations,
    "diffusers-steps.json": lambda: recorded()[0],
    "diffusers-deviations.json": deviations,
    "diffusers-steps.safetensors": lambda: recorded()[1],
}
