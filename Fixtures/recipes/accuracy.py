"""How far the tables and rows of other implementations are from the truth, for Docs/Accuracy.md.

guided-diffusion's arrays (and the SNR that NumPy makes of them) are compared in ulps with 50-digit arithmetic on their own betas.
diffusers' float32 tables are compared with 50-digit arithmetic on the definition of the betas, as relative errors.
`row-errors.json` has the largest errors of the factors of k-diffusion's steps in float64 and of diffusers' in float32, by unit impulses as
in `plans.py`, in ulps of a Double, on the scaled linear schedule with trailing timesteps for N = 20, 50, 1000. Both take the schedule as
people give it: k-diffusion exact sigmas rounded to Doubles, diffusers the options of its schedule. Samples are theirs, x/signal in
k-diffusion and in those classes of diffusers that have sigmas for levels. Steps of two calls are one row, that of the whole step. What is
exactly 0 is left out.
"""

import importlib
import json
import math
import pathlib

import mpmath
import numpy
from mpmath import mpf
from safetensors.numpy import load

from recipes import plans, rows, truth

DATA = pathlib.Path(__file__).parent.parent / "Data"
GUIDED_NAMES = {
    "alphas_cumprod": "alphaBars",
    "sqrt_alphas_cumprod": "signals",
    "sqrt_one_minus_alphas_cumprod": "noises",
    "log_one_minus_alphas_cumprod": "logOneMinusAlphaBars",
    "sqrt_recip_alphas_cumprod": "reciprocalSignals",
    "sqrt_recipm1_alphas_cumprod": "sigmas",
    "posterior_variance": "posteriorVariance",
    "posterior_log_variance_clipped": "posteriorLogVarianceClipped",
    "posterior_mean_coef1": "posteriorX0Coefficient",
    "posterior_mean_coef2": "posteriorSampleCoefficient",
}
CASES = [("linear", 20), ("linear", 300), ("linear", 1000), ("linear", 4000)]
CASES += [("cosine", 10), ("cosine", 300), ("cosine", 1000), ("cosine", 4000)]


class Worst:
    """The largest error of each table and where it was."""

    def __init__(self):
        self.entries = {}

    def add(self, table, error, case, timestep):
        if error > self.entries.get(table, {"error": -1})["error"]:
            self.entries[table] = {"error": float(f"{error:.3g}"), "case": case, "timestep": timestep}


def guided_diffusion(formula):
    arrays = load((DATA / "guided-diffusion.safetensors").read_bytes())
    worst = Worst()
    for schedule, count in CASES:
        if schedule != formula:
            continue
        case = f"{schedule}/{count}"
        betas = [mpf(float(beta)) for beta in arrays[f"{case}.betas"]]
        timesteps = truth.subset(count, whole=1000, ends=100, between=300)
        exact = truth.tables(betas, timesteps)
        bars = arrays[f"{case}.alphas_cumprod"]
        with numpy.errstate(divide="ignore"):
            made = {name: arrays[f"{case}.{theirs}"] for theirs, name in GUIDED_NAMES.items()}
            made |= {"oneMinusAlphaBars": 1 - bars, "snr": bars / (1 - bars), "logSNR": numpy.log(bars / (1 - bars))}
        for name, values in made.items():
            for (high, low), t in zip(exact[name], timesteps):
                value = float(values[t])
                if math.isinf(high) or high == 0:
                    continue
                worst.add(name, abs((value - high) - low) / math.ulp(high), case, t)
    return worst.entries


def diffusers_float32():
    """As its schedulers compute them: tables in float32, from betas in float32."""
    from diffusers import DDPMScheduler

    worst = Worst()
    names = {"linear": "linear", "scaled_linear": "scaled-linear", "squaredcos_cap_v2": "cosine", "sigmoid": "sigmoid"}
    for theirs, ours in names.items():
        ends = {"beta_start": 0.00085, "beta_end": 0.012} if theirs == "scaled_linear" else {}
        bars = DDPMScheduler(beta_schedule=theirs, num_train_timesteps=1000, **ends).alphas_cumprod.numpy()
        previous = numpy.concatenate([numpy.ones(1, numpy.float32), bars[:-1]])
        one = numpy.float32(1)
        beta = one - bars / previous
        made = {
            "alphaBars": bars,
            "oneMinusAlphaBars": one - bars,
            "signals": numpy.sqrt(bars),
            "noises": numpy.sqrt(one - bars),
            "sigmas": numpy.sqrt((one - bars) / bars),
            "snr": (numpy.sqrt(bars) / numpy.sqrt(one - bars)) ** 2,
            "posteriorVariance": (one - previous) / (one - bars) * beta,
            "posteriorX0Coefficient": numpy.sqrt(previous) * beta / (one - bars),
            "posteriorSampleCoefficient": numpy.sqrt(bars / previous) * (one - previous) / (one - bars),
        }
        exact = truth.tables(truth.definition(ours, 1000), range(1000))
        for name, values in made.items():
            assert values.dtype == numpy.float32
            for t, (high, _) in enumerate(exact[name]):
                if high:
                    worst.add(name, abs(float(values[t]) - high) / abs(high), f"{ours}/1000", t)
    return worst.entries


def reference_errors():
    report = {
        "guided-diffusion, linear, ulps": guided_diffusion("linear"),
        "guided-diffusion, cosine, ulps": guided_diffusion("cosine"),
        "diffusers, float32, relative": diffusers_float32(),
    }
    return json.dumps(report, indent=1) + "\n"


ROW_STEPS = [20, 50, 1000]
# The class of diffusers, its options, whether its samples are x/signal, and whether its steps take two calls.
DPM = ("DPMSolverMultistepScheduler", dict(prediction_type="sample", lower_order_final=False, timestep_spacing="trailing"))
SIGMAS = dict(timestep_spacing="trailing")
DIFFUSERS = {
    "ddpm": ("DDPMScheduler", dict(prediction_type="sample", clip_sample=False, timestep_spacing="trailing"), False, False),
    "ddpm-large": (
        "DDPMScheduler", dict(variance_type="fixed_large", prediction_type="sample", clip_sample=False, timestep_spacing="trailing"), False,
        False),
    "ddim": ("DDIMScheduler", dict(prediction_type="sample", clip_sample=False, timestep_spacing="trailing"), False, False),
    "euler": ("EulerDiscreteScheduler", dict(prediction_type="sample", **SIGMAS), True, False),
    "euler-ancestral": ("EulerAncestralDiscreteScheduler", SIGMAS, True, False),
    "heun": ("HeunDiscreteScheduler", SIGMAS, True, True),
    "dpm++1": (DPM[0], {**DPM[1], "solver_order": 1}, False, False),
    "dpm++2m": (DPM[0], {**DPM[1], "solver_order": 2}, False, False),
    "dpm++2m-sde": (DPM[0], {**DPM[1], "solver_order": 2, "algorithm_type": "sde-dpmsolver++"}, False, False),
    "lms": ("LMSDiscreteScheduler", SIGMAS, True, False),
    "kdpm2": ("KDPM2DiscreteScheduler", SIGMAS, True, True),
    "kdpm2-ancestral": ("KDPM2AncestralDiscreteScheduler", SIGMAS, True, True),
}


def diffusers_float32_rows(name, steps):
    """The rows of a class as it is run, in float32."""
    import diffusers
    import torch

    kind, options, _, isPaired = DIFFUSERS[name]
    scheduler = getattr(diffusers, kind)(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, **options)
    scheduler.set_timesteps(steps)
    scheduler.is_scale_input_called = True  # or it warns at every step
    module = importlib.import_module(type(scheduler).__module__)
    noise = torch.from_numpy(plans.NOISE)[None].float()
    drawn, module.randn_tensor = getattr(module, "randn_tensor", None), lambda *_, **__: noise
    rows, sample = [], None
    try:
        for call, t in enumerate(scheduler.timesteps):
            samples, outputs = (torch.from_numpy(array)[None].float() for array in plans.impulse(call))
            sample = sample if isPaired and call % 2 else samples
            sample = scheduler.step(outputs, t, sample).prev_sample
            assert sample.dtype == torch.float32
            rows.append(sample[0].double().numpy().copy())
    finally:
        module.randn_tensor = drawn
    return numpy.array(rows)


def exact_rows(name, steps, scales, predicts):
    """The rows of whole steps as impulses show them, on samples x/signal if `scales`, of a network that predicts x0 or epsilon; and the
    calls that end a step."""
    levels, path = rows.grid("scaled-linear", "trailing", steps)
    made = rows.rows_of(name, levels, path, chosen=range)
    isPaired = len(made) > steps
    result = {}
    for i, (source, target) in enumerate(zip(levels, levels[1:])):
        call = min(2 * i + 1, len(made) - 1) if isPaired else i
        _, (*samples,), (*estimates,), noise = made[call]
        sample = samples[0] if samples else mpf(0)
        if isPaired and call % 2:
            _, (first,), (held,), _ = made[call - 1]
            estimates = [*estimates, mpf(0)][:2]
            estimates[1] += sample * held
            sample *= first
        of_noise = name in EPSILON
        if predicts == "epsilon" and not of_noise:
            assert len(estimates) == 1
            sample += estimates[0] / source[0]
            estimates = [-estimates[0] * source[1] / source[0]]
        assert predicts == "epsilon" or not of_noise
        before, after = (source[0], target[0]) if scales else (1, 1)
        row = [mpf(0)] * plans.IMPULSES
        row[(call - 1 if isPaired and call % 2 else call) % 4] = sample * before / after
        for ago, estimate in enumerate(estimates):
            row[4 + (call - ago) % 4] = estimate / after
        row[-1] = noise / after
        result[call] = row
    return result


# Whose estimates are those of the noise.
EPSILON = ("heun", "lms", "kdpm2", "kdpm2-ancestral")


def row_error(made, exact):
    """The largest error in ulps of a Double."""
    worst = 0
    for call, row in exact.items():
        for value, number in zip(made[call], row):
            if abs(number) > mpf(10) ** -50:
                worst = max(worst, abs(mpf(float(value)) - number) / mpf(math.ulp(float(number))))
    return float(f"{float(worst):.3g}")


def row_errors():
    report = {"k-diffusion, float64": {}, "diffusers, float32": {}}
    with mpmath.workdps(rows.DIGITS):
        for name in plans.K_DIFFUSION:
            predicts = "epsilon" if name in EPSILON else "x0"
            worst = 0
            for steps in ROW_STEPS:
                levels, _ = rows.grid("scaled-linear", "trailing", steps)
                sigmas = [float(noise / signal) for signal, noise in levels]
                with plans.float64():
                    made = plans.k_diffusion_rows(plans.load_k_diffusion(), name, sigmas, predicts)
                worst = max(worst, row_error(made, exact_rows(name, steps, True, predicts)))
            report["k-diffusion, float64"][name] = worst
        for name, (_, options, scales, _) in DIFFUSERS.items():
            predicts = "x0" if options.get("prediction_type") == "sample" else "epsilon"
            report["diffusers, float32"][name] = max(
                row_error(diffusers_float32_rows(name, steps), exact_rows(name, steps, scales, predicts)) for steps in ROW_STEPS)
    return json.dumps(report, indent=1) + "\n"


FILES = {"reference-errors.json": reference_errors, "row-errors.json": row_errors}
