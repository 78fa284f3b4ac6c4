"""How far the tables of other implementations are from the truth, for Docs/Accuracy.md.

guided-diffusion's arrays (and the SNR that NumPy makes of them) are compared in ulps with 50-digit arithmetic on their own betas.
diffusers' float32 tables are compared with 50-digit arithmetic on the definition of the betas, as relative errors.
"""

import json
import math
import pathlib

import mpmath
import numpy
from mpmath import mpf
from safetensors.numpy import load

from recipes import truth

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
        timesteps = truth.subset(count)
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


FILES = {"reference-errors.json": reference_errors}
