"""Traces for `scheduler verify`, small ones: a right run of each class and method, and a run for each mistake, in one file.

`name/tensor` are the tensors of the trace `name`. The file's metadata holds JSON with, for each name, the trace's own metadata, the
exit status that is expected, and for a wrong one the step and the mistake. `make_traces.py` makes more of them, and larger ones. The file
of guided-diffusion also has `space_timesteps/T/sections` where a section keeps one timestep.
"""

import contextlib
import json
import random

SIZES = ((1, 2, 3, 2), (1, 2, 3, 3))
ZERO_SNR = dict(beta_schedule="squaredcos_cap_v2", rescale_betas_zero_snr=True, prediction_type="sample")
ROOTS = [
    ("DDIMScheduler", 2, dict(**ZERO_SNR, steps_offset=1, set_alpha_to_one=False)),
    ("DPMSolverMultistepScheduler", 5, dict(
        beta_schedule="scaled_linear", beta_start=0.0001, beta_end=0.012, use_exponential_sigmas=True, solver_order=1)),
    ("DPMSolverMultistepScheduler", 10, dict(
        beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, use_exponential_sigmas=True, solver_order=1,
        num_train_timesteps=500, prediction_type="sample")),
    ("EulerDiscreteScheduler", 50, dict(
        **ZERO_SNR, use_karras_sigmas=True, timestep_spacing="linspace", final_sigmas_type="sigma_min")),
]
# Right runs whose factors are mostly roundings of float32, by linear systems and integrals of short steps; and learned variances.
LONG = [
    ("UniPCMultistepScheduler", 300, dict(solver_order=3)),
    ("UniPCMultistepScheduler", 999, dict(solver_order=3, solver_type="bh1", predict_x0=False, final_sigmas_type="sigma_min")),
    ("DPMSolverMultistepInverseScheduler", 150, dict(solver_order=2)),
    ("DPMSolverMultistepInverseScheduler", 300, dict(solver_order=3, algorithm_type="dpmsolver")),
    ("SASolverScheduler", 300, dict(predictor_order=4, corrector_order=4)),
    ("DEISMultistepScheduler", 300, dict(solver_order=3)),
    ("DDPMScheduler", 20, dict(variance_type="learned", clip_sample=False)),
    ("DDPMScheduler", 300, dict(variance_type="learned_range", beta_end=0.08)),
    ("DDPMScheduler", 61, dict(variance_type="learned", beta_schedule="squaredcos_cap_v2", prediction_type="v_prediction")),
]
# 1 - ᾱ' - σ² of the first step is left with a digit or none in float32.
WITHOUT_DIGITS = dict(
    steps=1000, learn_sigma=False, sigma_small=False, noise_schedule="cosine", use_kl=False, predict_xstart=True,
    rescale_timesteps=False, rescale_learned_sigmas=False, timestep_respacing="10")
LONE = [(1000, "1"), (1000, "2,1"), (300, "1,8,3"), (10, "1,1,1")]


def save(tensors, metadata):
    from safetensors.torch import save

    # Under one key: safetensors writes several in an order that changes from run to run.
    return save(tensors, {"traces": json.dumps(metadata, sort_keys=True)})


def bundle(names, titles, seed, modules=None, others={}, runs=(), right=2, later=()):
    import record_trace
    from traces import make_traces, mistakes

    rng, tensors, metadata = random.Random(seed), dict(others), {}

    def add(name, tape, changes, **expected):
        arrays, texts = record_trace.contents(*tape.recorded(**changes))
        tensors.update({f"{name}/{key}": array for key, array in arrays.items()})
        metadata[name] = {"metadata": texts, **expected}

    def add_right(name, **fixed):
        for number in range(right):
            made = None
            while made is None:
                made = make_traces.attempt(
                    lambda: make_traces.Tape(rng, make_traces.random_run(rng, modules, name, **fixed), SIZES[0]))
            add(f"{name} {number}", made, {}, status=0)

    for name in names:
        add_right(name)
    for title in titles:
        mistake, tape, changes, step = mistakes.make(title, rng, modules, SIZES)
        add(title, tape, changes, status=1, step=step, mistake=mistake)
    for name in later:
        add_right(name, inference_steps=rng.choice([5, 7]))
    for label, run in runs:
        add(label, make_traces.Tape(random.Random(2), run, SIZES[0]), {}, status=0)
    return save(tensors, metadata)


def is_guided(title):
    return title.endswith("_sample")


def diffusers_traces():
    from traces import make_traces, mistakes

    titles = [title for title in mistakes.MISTAKES if not is_guided(title)]
    return bundle(make_traces.DIFFUSERS[:21], titles, 2, later=make_traces.DIFFUSERS[21:])


def guided_traces(checkout):
    import torch
    from recipes import guided
    from traces import make_traces, mistakes

    modules = guided.load(checkout)
    spacings = {
        f"space_timesteps/{count}/{sections}": torch.tensor(sorted(modules[1].space_timesteps(count, sections)))
        for count, sections in LONE}
    titles = [title for title in mistakes.MISTAKES if is_guided(title)]
    runs = [("ddim_sample without digits", make_traces.GuidedRun(modules, WITHOUT_DIGITS, "ddim_sample", 1.0, True))]
    return bundle(make_traces.GUIDED, titles, 3, modules, spacings, runs, right=3)


def root_traces():
    """Runs that torch's square root decides: as MKL has it, and rounded correctly."""
    import record_trace
    from recipes import configurations
    from traces import make_traces

    tensors, metadata = {}, {}
    for name, steps, options in ROOTS:
        for kind, arithmetic in (("MKL", contextlib.nullcontext), ("rounded", configurations.rounded_functions)):
            with arithmetic():
                tape = make_traces.Tape(random.Random(4), make_traces.DiffusersRun(name, options, steps, {}), SIZES[0])
            arrays, texts = record_trace.contents(*tape.recorded())
            label = f"{name} {steps} {kind}"
            tensors.update({f"{label}/{key}": array for key, array in arrays.items()})
            metadata[label] = {"metadata": texts, "status": 0}
    return save(tensors, metadata)


def long_traces():
    import record_trace
    from traces import make_traces

    tensors, metadata = {}, {}
    for number, (name, steps, options) in enumerate(LONG):
        tape = make_traces.Tape(random.Random(number), make_traces.DiffusersRun(name, options, steps, {}), (1, 1, 2, 1))
        arrays, texts = record_trace.contents(*tape.recorded())
        label = f"{name} {steps} {json.dumps(options)}"
        tensors.update({f"{label}/{key}": array for key, array in arrays.items()})
        metadata[label] = {"metadata": texts, "status": 0}
    return save(tensors, metadata)


FILES = {"long-traces.safetensors": long_traces, "traces.safetensors": diffusers_traces, "root-traces.safetensors": root_traces}
GUIDED = {"guided-traces.safetensors": guided_traces}
