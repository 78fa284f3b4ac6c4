"""Rectified flow: diffusers' grids and whole runs in float64, and the coefficients of its samplers in 50 digits.

`grid/name/N.sigmas` and `.timesteps` [N] are those of FlowMatchEulerDiscreteScheduler with the options of GRIDS, without the end;
`mu` [S, 2] are the shifts of SIZES as the pipelines of Flux and LTX-Video compute them.

`name/N.run` [C, 2C + 1] is a run of C calls, in the form of `multistep.py`, with a network that predicts epsilon - x0, over the times
`N.times`: shifted by 3, down to 1/1000 before the shift. The runs of DPM-Solver++ and UniPC begin at the first of these times below 1,
as diffusers has no level without signal there.

`case.rows` [R, 7] and `case.calls` are coefficients as in `multistep.py`, of Heun and Euler with churn too.
"""

import ast
import importlib.util
import pathlib

import mpmath
import numpy
import scipy.stats
from mpmath import mpf
from safetensors.numpy import save

from recipes import coefficients
from recipes.multistep import COEFFICIENT_STEPS, Row
from recipes.plans import float64

STEPS = [1, 2, 4, 10, 28]
RUN_STEPS = [1, 2, 3, 4, 7, 12]
SIZES = [256, 1024, 1536, 4096, 16384]
LTX = dict(base_seq_len=1024, max_seq_len=4096, base_shift=0.95, max_shift=2.05)


def pipeline_mu(tokens, **options):
    """`calculate_shift`, out of a file that cannot be imported without the networks' libraries."""
    folder = pathlib.Path(importlib.util.find_spec("diffusers").submodule_search_locations[0])
    source = ast.parse((folder / "pipelines/flux/pipeline_flux.py").read_text())
    found = [node for node in source.body if isinstance(node, ast.FunctionDef) and node.name == "calculate_shift"]
    names = {}
    exec(compile(ast.Module(found, []), "calculate_shift", "exec"), names)
    return names["calculate_shift"](tokens, **options)


def to(last):
    """Equal steps from 1 to a last time; to 1/N for None."""
    return lambda steps: numpy.linspace(1, last or 1 / steps, steps)


def beta_to(last):
    """Times from 1 to a last one at the quantiles of a beta distribution."""
    return lambda steps: last + scipy.stats.beta.ppf(1 - numpy.linspace(0, 1, steps), 0.6, 0.6) * (1 - last)


GRIDS = {
    "plain": ({}, to(None), None),
    "sd3": (dict(shift=3.0), to(0.001), None),
    "sd3/twice": (dict(shift=3.0), None, None),
    "flux": (dict(use_dynamic_shifting=True), to(None), pipeline_mu(4096)),
    "flux/small": (dict(use_dynamic_shifting=True), to(None), pipeline_mu(1024)),
    "linear": (dict(use_dynamic_shifting=True, time_shift_type="linear"), to(None), 1.75),
    "ltx": (dict(use_dynamic_shifting=True, shift_terminal=0.1), to(None), pipeline_mu(1536, **LTX)),
    "karras": (dict(shift=3.0, use_karras_sigmas=True), to(0.001), None),
    "exponential": (dict(shift=3.0, use_exponential_sigmas=True), to(0.001), None),
    # diffusers lays the distribution over the shifted times; here it gives those before the shift.
    "beta": (dict(shift=3.0), beta_to(0.001), None),
    "reversed": (dict(shift=2.0, invert_sigmas=True), to(None), None),
}
# The class, its options, and whether it can begin at t = 1.
RUNS = {
    "euler": ("FlowMatchEulerDiscreteScheduler", {}, True),
    "flow-heun": ("FlowMatchHeunDiscreteScheduler", {}, True),
    "flow-stochastic": ("FlowMatchEulerDiscreteScheduler", dict(stochastic_sampling=True), True),
    "flow-lcm": ("FlowMatchLCMScheduler", {}, True),
    "dpm++2m": ("DPMSolverMultistepScheduler", dict(use_flow_sigmas=True, prediction_type="flow_prediction", lower_order_final=False), False),
    "unipc": ("UniPCMultistepScheduler", dict(use_flow_sigmas=True, prediction_type="flow_prediction"), False),
}


def flow_run(name, options, times):
    import diffusers
    import torch
    from diffusers.schedulers import scheduling_flow_match_euler_discrete, scheduling_flow_match_lcm

    steps = len(times) - 1
    calls = 2 * steps - 1 if "Heun" in name else steps
    size = 2 * calls + 1
    unit = torch.eye(size, dtype=torch.float64).reshape(size, 1, size, 1, 1)
    call = 0
    for module in (scheduling_flow_match_euler_discrete, scheduling_flow_match_lcm):
        module.randn_tensor = lambda *_, **__: unit[1 + calls + call]
    scheduler = getattr(diffusers, name)(**options)
    scheduler.set_timesteps(steps)
    sigmas = torch.tensor(times)
    if "Heun" in name:
        sigmas = torch.cat([sigmas[:1], sigmas[1:-1].repeat_interleave(2), sigmas[-1:]])
    scheduler.sigmas = sigmas
    assert len(scheduler.timesteps) == calls
    scheduler.set_begin_index(0)
    sample, samples = unit[0], []
    for t in scheduler.timesteps:
        sample = scheduler.step(unit[1 + call], t, sample).prev_sample
        call += 1
        assert sample.dtype == torch.float64
        samples.append(sample.flatten().numpy().copy())
    return numpy.array(samples)


@float64()
def flow():
    from diffusers import FlowMatchEulerDiscreteScheduler

    tensors = {"mu": numpy.array([[pipeline_mu(size), pipeline_mu(size, **LTX)] for size in SIZES])}
    for name, (options, times, mu) in GRIDS.items():
        for steps in STEPS:
            if steps == 1 and "shift_terminal" in options:
                continue  # 0/0 there
            scheduler = FlowMatchEulerDiscreteScheduler(**options)
            given = dict(num_inference_steps=steps) if times is None else dict(sigmas=times(steps))
            scheduler.set_timesteps(**given, mu=mu)
            tensors[f"grid/{name}/{steps}.sigmas"] = scheduler.sigmas[:-1].numpy()
            tensors[f"grid/{name}/{steps}.timesteps"] = scheduler.timesteps.numpy()
            assert scheduler.sigmas.numpy().dtype == numpy.float64
    for steps in RUN_STEPS:
        times = numpy.linspace(1, 0.001, steps + 1)
        times = 3 * times / (1 + 2 * times)
        for name, (source, options, whole) in RUNS.items():
            chosen = [*(times[:-1] if whole else times[1:]), 0.0]
            tensors[f"{name}/{steps}.run"] = run = flow_run(source, options, chosen)
            assert numpy.isfinite(run).all(), (name, steps)
        tensors[f"{steps}.times"] = times
    return save(tensors)


def heun_rows(levels):
    """Pairs of a row and its condition number, one for each call."""
    result = []
    for source, target in zip(levels, levels[1:]):
        (signal, noise), (signal2, noise2) = source, target
        ratio = noise2 / noise
        made = [Row(ratio, [signal2 - signal * ratio])]
        if noise2 > 0:
            # (u' - u)/2 with x = (noise x' - (signal2 noise - signal noise2) x0)/noise2 put into u.
            slope = lambda level: ((noise2 - noise) / level[1], signal2 - signal - (noise2 - noise) * level[0] / level[1])
            back, old = noise / noise2, -(signal2 * noise - signal * noise2) / noise2
            (first, second), (third, fourth) = slope(source), slope(target)
            made.append(Row(1 + (third - first * back) / 2, [fourth / 2, -(second + first * old) / 2]))
        result += [[*row.list(), coefficients.condition(source, target)] for row in made]
    return result


def churn_rows(sampler, levels, of_sigma=coefficients.of_sigma):
    """Karras et al. 2022, algorithm 2, with S_churn 40, in samples of the path whose levels `of_sigma` gives; as `heun_rows`."""
    gamma = min(mpf(40) / (len(levels) - 1), mpmath.sqrt(2) - 1)
    raised = [of_sigma((1 + gamma) * noise / signal) if signal else (signal, noise) for signal, noise in levels]
    result = []
    for source, target, after in zip(raised, levels[1:], raised[1:]):
        (signal, noise), (signal2, noise2) = source, target
        if sampler == "heun-churn":
            run = noise2 / signal2 - noise / signal
            made = [Row(signal2 / signal, [signal2 * run])]
            if noise2 > 0:
                made.append(Row(mpf(1), [signal2 * run / 2, -signal2 * run / 2]))
        else:
            made = [Row(noise2 / noise, [signal2 - signal * noise2 / noise])]
        scale = after[0] / signal2
        last = made[-1]
        made[-1] = Row(last.sample * scale, [scale * number for number in last.estimates])
        made[-1].noise = mpmath.sqrt((after[1] / after[0]) ** 2 - (noise2 / signal2) ** 2) * after[0]
        number = max(coefficients.condition(source, target), coefficients.condition(after, target))
        result += [[*row.list(), number] for row in made]
    return result


def flow_coefficients():
    def made(levels):
        churned = {name: churn_rows(name, levels) for name in ("heun-churn", "euler-churn")}
        return coefficients.listed({"flow-heun": heun_rows(levels), **churned})

    return coefficients.bundle(COEFFICIENT_STEPS, ("leading", "karras"), made)


FILES = {"flow.safetensors": flow, "flow-coefficients.safetensors": flow_coefficients}
