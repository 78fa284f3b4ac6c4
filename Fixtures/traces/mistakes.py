"""The mistakes that people make, made on purpose: wrong traces for `scheduler verify`, with the step and the mistake it should name.

Each function makes one wrong trace, or raises if its options cannot show the mistake. It returns the tape, and what is recorded other
than what happened.
"""

import inspect

import torch

from traces.make_traces import DiffusersRun, GuidedRun, Tape, Unusable, attempt, diffusers_options, guided_flags

STEPS = [8, 10, 12, 20, 25]
SIZE = (2, 3, 6, 4)
SQUARE = (2, 3, 5, 5)
PLAIN = dict(thresholding=False, rescale_betas_zero_snr=False, trained_betas=None)


def plain(name):
    """PLAIN, as far as a class has it."""
    import diffusers

    known = inspect.signature(getattr(diffusers, name).__init__).parameters
    return {key: value for key, value in PLAIN.items() if key in known}


def diffusers_pair(rng, name, changes, fixed=None, arguments=None, other_arguments=None):
    """A run of a class, and one that differs in some options."""
    options = {**diffusers_options(rng, name), **(fixed or {})}
    options = {k: v for k, v in options.items() if v is not None}
    changes = changes(options) if callable(changes) else changes
    steps = rng.choice(STEPS)
    arguments = arguments or {}
    run = DiffusersRun(name, options, steps, arguments)
    other = DiffusersRun(name, {**options, **changes}, steps, arguments if other_arguments is None else other_arguments)
    if len(run.timesteps) != len(other.timesteps):
        raise Unusable("other numbers of steps")
    return run, other


def following(other):
    def step(i, x, output, noise, right, tape):
        other.scaled(i, x)
        return other.step(i, x, output, noise)

    return step


def option(name, changes, fixed=None, arguments=None, other_arguments=None):
    def make(rng, modules):
        run, other = diffusers_pair(rng, name, changes, {**plain(name), **(fixed or {})}, arguments, other_arguments)
        return Tape(rng, run, SIZE, following(other)), {}

    return make


def reported_option(name, changes, fixed=None):
    """The same, with the timesteps of the run that was made."""

    def make(rng, modules):
        run, other = diffusers_pair(rng, name, changes, {**plain(name), **(fixed or {})})
        return Tape(rng, run, SIZE, following(other)), {"timesteps": other.timesteps}

    return make


def guided_run(rng, modules, sampler, **fixed):
    flags = {**guided_flags(rng, sampler), "timestep_respacing": rng.choice(["10", "8,6", "ddim20", "5,5,5"]), "steps": 1000}
    eta, clip = fixed.pop("eta", 0.0), fixed.pop("clip", rng.random() < 0.5)
    return GuidedRun(modules, {**flags, **fixed}, sampler, eta, clip)


def guided_option(sampler, changes, **fixed):
    def make(rng, modules):
        run = guided_run(rng, modules, sampler, **fixed)
        others = dict(changes(run) if callable(changes) else changes)
        eta, clip, method = others.pop("eta", run.eta), others.pop("clip", run.clip), others.pop("sampler", sampler)
        other = GuidedRun(modules, {**run.flags, **others}, method, eta, clip)
        return Tape(rng, run, SIZE, following(other)), {}

    return make


def deviating(deviant, sampler=None, name=None, is_square=False, **fixed):
    """A right run but for what `deviant(run, i, x, output, noise, right, tape)` makes of a step."""

    def make(rng, modules):
        arguments = fixed.get("arguments", {})
        if sampler:
            run = guided_run(rng, modules, sampler, **fixed)
        else:
            options = {**diffusers_options(rng, name), **plain(name), **{k: v for k, v in fixed.items() if k != "arguments"}}
            options = {k: v for k, v in options.items() if v is not None}
            run = DiffusersRun(name, options, rng.choice(STEPS), arguments)
        return Tape(rng, run, SQUARE if is_square else SIZE, lambda *given: deviant(run, *given)), {}

    return make


# What is done with the noise.


def without_noise(run, i, x, output, noise, right, tape):
    return again(run, i, x, output, torch.zeros_like(noise))


def noise_twice(run, i, x, output, noise, right, tape):
    return again(run, i, x, output, 2 * noise)


def noise_of_before(run, i, x, output, noise, right, tape):
    return again(run, i, x, output, tape.noises[max(i - 1, 0)])


def noise_subtracted(run, i, x, output, noise, right, tape):
    return again(run, i, x, output, -noise)


def again(run, i, x, output, noise):
    """The step once more; diffusers' schedulers count their steps."""
    if isinstance(run, DiffusersRun) and getattr(run.scheduler, "_step_index", None) is not None:
        run.scheduler._step_index -= 1
    return run.step(i, x, output, noise)


def noise_at_the_end(run, i, x, output, noise, right, tape):
    if i < len(run.order) - 1:
        return right
    t = torch.full(x.shape[:1], run.order[i])
    made = run.process.p_mean_variance(lambda *_: output, x, t, clip_denoised=run.clip)
    return right + torch.exp(0.5 * made["log_variance"]) * noise


# What is done with the output.


def output_of_before(run, i, x, output, noise, right, tape):
    return again(run, i, x, tape.outputs[max(i - 1, 0)], noise)


def output_negated(run, i, x, output, noise, right, tape):
    return again(run, i, x, -output, noise)


def halves_swapped(run, i, x, output, noise, right, tape):
    first, second = output.chunk(2, dim=1)
    return again(run, i, x, torch.cat([second, first], dim=1), noise)


def fraction_from_zero(run, i, x, output, noise, right, tape):
    first, second = output.chunk(2, dim=1)
    return again(run, i, x, torch.cat([first, 2 * second - 1], dim=1), noise)


def variance_for_deviation(run, i, x, output, noise, right, tape):
    mean = again(run, i, x, output, torch.zeros_like(noise))
    t = torch.full(x.shape[:1], run.order[i])
    variance = run.process.p_mean_variance(lambda *_: output, x, t, clip_denoised=run.clip)["variance"]
    return mean + (variance * noise if run.order[i] > 0 else 0)


def without_heun(run, i, x, output, noise, right, tape):
    return x if i % 2 == 1 else right


# Which timestep comes next.


def stride_of_ddpm(shift):
    """DDPM whose previous timestep is something else."""

    def make(rng, modules):
        options = {**diffusers_options(rng, "DDPMScheduler"), **PLAIN, "variance_type": "fixed_small"}
        if shift == "stride":
            options |= dict(timestep_spacing="linspace", steps_offset=0)
        options = {k: v for k, v in options.items() if v is not None}
        steps = rng.choice(STEPS)
        run, other = (DiffusersRun("DDPMScheduler", options, steps, {}) for _ in range(2))
        own = other.scheduler.previous_timestep
        stride = options["num_train_timesteps"] // steps
        other.scheduler.previous_timestep = {
            "stride": lambda t: t - stride,
            "one": lambda t: t - 1,
            "high": lambda t: own(t) + 1 if own(t) >= 0 else own(t),
            "low": lambda t: own(t) - 1 if own(t) >= 1 else own(t),
        }[shift]
        return Tape(rng, run, SIZE, following(other)), {}

    return make


def next_of_ddim(rng, modules):
    """DDIM that goes to the next timestep of its list, where diffusers takes a stride."""
    options = {**diffusers_options(rng, "DDIMScheduler"), **PLAIN, "timestep_spacing": "linspace", "steps_offset": 0}
    options = {k: v for k, v in options.items() if v is not None}
    run = DiffusersRun("DDIMScheduler", options, rng.choice(STEPS), {})
    other = DiffusersRun("DDIMScheduler", options, run.steps, {})

    def step(i, x, output, noise, right, tape):
        # The stride is T // num_inference_steps, so the wanted one is set by these two.
        t = int(run.timesteps[i])
        gap = t - (int(run.timesteps[i + 1]) if i + 1 < len(run.timesteps) else -1)
        other.scheduler.num_inference_steps = 1
        other.scheduler.register_to_config(num_train_timesteps=gap)
        return other.step(i, x, output, noise)

    return Tape(rng, run, SIZE, step), {}


def whole_process(sampler):
    """guided-diffusion's process before respacing, at the timesteps of the respaced one."""

    def make(rng, modules):
        run = guided_run(rng, modules, sampler, timestep_respacing=rng.choice(["10", "5,5,5"]))
        whole = GuidedRun(modules, {**run.flags, "timestep_respacing": ""}, sampler, run.eta, run.clip)
        whole.order = [run.process.timestep_map[t] for t in run.order]
        return Tape(rng, run, SIZE, following(whole)), {}

    return make


def shifted_levels(shift):
    """guided-diffusion with the tables of t + shift."""

    def make(rng, modules):
        run = guided_run(rng, modules, "ddim_sample", timestep_respacing="ddim20")
        other = GuidedRun(modules, run.flags, run.sampler, run.eta, run.clip)
        kept = [t + shift for t in run.process.timestep_map]
        other.process = modules[1].SpacedDiffusion(
            use_timesteps=kept, betas=modules[0].get_named_beta_schedule(run.flags["noise_schedule"], 1000),
            model_mean_type=run.process.model_mean_type, model_var_type=run.process.model_var_type, loss_type=run.process.loss_type,
            rescale_timesteps=run.process.rescale_timesteps)
        return Tape(rng, run, SIZE, following(other)), {}

    return make


# What is recorded.


def recorded(change, name=None, sampler=None, is_square=False, **fixed):
    """A right run, recorded wrongly."""

    def make(rng, modules):
        tape, _ = deviating(lambda run, i, x, output, noise, right, tape: right, sampler, name, is_square, **fixed)(rng, modules)
        return tape, change(tape)

    return make


def inputs_for_samples(tape):
    run = tape.run
    run.scheduler._step_index = None
    samples = []
    for i, x in enumerate(tape.samples):
        if i < len(run.timesteps):
            run.scheduler._step_index = i
            samples.append(run.scheduler.scale_model_input(x, run.timesteps[i]))
        else:
            samples.append(x)
    return {"samples": samples}


def transposed(tape):
    return {"outputs": [x.transpose(-1, -2).contiguous() for x in tape.outputs]}


def channels_last(tape):
    return {"outputs": [x.permute(0, 2, 3, 1).reshape(x.shape).contiguous() for x in tape.outputs]}


def noise_transposed(tape):
    return {"noises": [x.transpose(-1, -2).contiguous() for x in tape.noises]}


def timesteps_plus(shift):
    return lambda tape: {"timesteps": [t + shift for t in tape.timesteps]}


def timesteps_reversed(tape):
    return {"timesteps": tape.timesteps[::-1]}


def step_numbers(tape):
    return {"timesteps": [torch.tensor(len(tape.timesteps) - 1 - i) for i in range(len(tape.timesteps))]}


VPRED = dict(prediction_type="v_prediction")
EPSILON = dict(prediction_type="epsilon")
SMALL = dict(variance_type="fixed_small")

UNIPC = dict(predict_x0=True, lower_order_final=True, disable_corrector=[])

MISTAKES = {
    "epsilon read as v, DDIM": ("prediction", option("DDIMScheduler", VPRED, EPSILON)),
    "v read as epsilon, DPM-Solver": ("prediction", option("DPMSolverMultistepScheduler", EPSILON, VPRED)),
    "epsilon read as v, Euler": ("prediction", option("EulerDiscreteScheduler", VPRED, {**EPSILON, "timestep_type": "discrete"})),
    "x0 read as epsilon, p_sample": ("prediction", guided_option("p_sample", dict(predict_xstart=False), predict_xstart=True)),
    "clipping missing, DDIM": ("clipping", option("DDIMScheduler", dict(clip_sample=False), dict(clip_sample=True, clip_sample_range=1.0))),
    "clipping missing, p_sample": ("clipping", guided_option("p_sample", dict(clip=False), clip=True)),
    "clipping missing, ddim_sample": ("clipping", guided_option("ddim_sample", dict(clip=False), clip=True)),
    "noise missing, DDPM": ("noise-missing", deviating(without_noise, name="DDPMScheduler", **SMALL)),
    "noise missing, p_sample": ("noise-missing", deviating(without_noise, "p_sample")),
    "noise missing, Euler ancestral": ("noise-missing", deviating(without_noise, name="EulerAncestralDiscreteScheduler")),
    "noise added twice, p_sample": ("noise-twice", deviating(noise_twice, "p_sample")),
    "noise used in two steps, p_sample": ("noise-twice", deviating(noise_of_before, "p_sample")),
    "noise subtracted, DDPM": ("noise-of-another-step", deviating(noise_subtracted, name="DDPMScheduler", **SMALL)),
    "noise at the last step, p_sample": ("noise-at-last-step", deviating(noise_at_the_end, "p_sample")),
    "fixed large for small, DDPM": ("variance", option("DDPMScheduler", dict(variance_type="fixed_large"), SMALL)),
    "fixed small for large, p_sample": ("variance", guided_option("p_sample", dict(sigma_small=True), sigma_small=False, learn_sigma=False)),
    "variance for deviation, p_sample": ("variance", deviating(variance_for_deviation, "p_sample", learn_sigma=False)),
    "fraction of the variance from 0, p_sample": ("variance", deviating(fraction_from_zero, "p_sample", learn_sigma=True)),
    "channels swapped, p_sample": ("channels-swapped", deviating(halves_swapped, "p_sample", learn_sigma=True)),
    "channels swapped, ddim_sample": ("channels-swapped", deviating(halves_swapped, "ddim_sample", learn_sigma=True)),
    "final alpha 1, DDIM": ("final-alpha", option("DDIMScheduler", dict(set_alpha_to_one=True), dict(set_alpha_to_one=False, timestep_spacing="leading", steps_offset=1))),
    "final alpha of timestep 0, DDIM": ("final-alpha", option("DDIMScheduler", dict(set_alpha_to_one=False), dict(set_alpha_to_one=True, timestep_spacing="leading", steps_offset=1))),
    "final sigma, Euler": ("final-alpha", option("EulerDiscreteScheduler", dict(final_sigmas_type="zero"), dict(final_sigmas_type="sigma_min", timestep_spacing="trailing"))),
    "previous timestep by stride, DDPM": ("previous-timestep", stride_of_ddpm("stride")),
    "previous timestep one too high, DDPM": ("previous-timestep", stride_of_ddpm("high")),
    "previous timestep one too low, DDPM": ("previous-timestep", stride_of_ddpm("low")),
    "previous timestep of the list, DDIM": ("previous-timestep", next_of_ddim),
    "betas not respaced, p_sample": ("betas-not-respaced", whole_process("p_sample")),
    "betas not respaced, ddim_sample": ("betas-not-respaced", whole_process("ddim_sample")),
    "betas not respaced, DDPM": ("betas-not-respaced", stride_of_ddpm("one")),
    "eta, DDIM": ("eta", option("DDIMScheduler", {}, dict(), dict(eta=1.0), dict(eta=0.0))),
    "eta, ddim_sample": ("eta", guided_option("ddim_sample", dict(eta=0.0), eta=1.0)),
    "epsilon from clipped x0, DDIM": ("epsilon-from-clipped", option("DDIMScheduler", {}, dict(clip_sample=True), {}, dict(use_clipped_model_output=True))),
    "epsilon from unclipped x0, DDIM": ("epsilon-from-clipped", option("DDIMScheduler", {}, dict(clip_sample=True), dict(use_clipped_model_output=True), {})),
    "trailing for leading, DDIM": ("spacing", reported_option("DDIMScheduler", dict(timestep_spacing="trailing", steps_offset=0), dict(timestep_spacing="leading"))),
    "leading for linspace, DDPM": ("spacing", reported_option("DDPMScheduler", dict(timestep_spacing="leading"), dict(timestep_spacing="linspace", **SMALL))),
    "offset 0 for 1, DDIM": ("spacing", reported_option("DDIMScheduler", dict(steps_offset=0), dict(timestep_spacing="leading", steps_offset=1))),
    "Karras left out, DPM-Solver": ("spacing", option("DPMSolverMultistepScheduler", dict(use_karras_sigmas=False), dict(use_karras_sigmas=True, use_exponential_sigmas=False))),
    "levels one later, ddim_sample": ("shifted-timesteps", shifted_levels(1)),
    "timesteps one too high, DDPM": ("shifted-timesteps", recorded(timesteps_plus(1), "DDPMScheduler", **SMALL)),
    "timesteps one too low, p_sample": ("shifted-timesteps", recorded(timesteps_plus(-1), sampler="p_sample")),
    "timesteps reversed, Euler": ("reported-timesteps", recorded(timesteps_reversed, "EulerDiscreteScheduler")),
    "step numbers, ddim_sample": ("reported-timesteps", recorded(step_numbers, sampler="ddim_sample", rescale_timesteps=False)),
    "order 1 for 2, DPM-Solver": ("solver-order", option("DPMSolverMultistepScheduler", dict(solver_order=1), dict(solver_order=2))),
    "order 2 for 1, DPM-Solver": ("solver-order", option("DPMSolverMultistepScheduler", dict(solver_order=2), dict(solver_order=1))),
    "no correction, Heun": ("solver-order", deviating(without_heun, name="HeunDiscreteScheduler")),
    "order 2 for 3, UniPC": ("solver-order", option("UniPCMultistepScheduler", dict(solver_order=2), dict(**UNIPC, solver_order=3))),
    "order 2 for 4, LMS": ("solver-order", option("LMSDiscreteScheduler", {}, {}, {}, dict(order=2))),
    "bh1 for bh2, UniPC": ("solver-type", option("UniPCMultistepScheduler", dict(solver_type="bh1"), dict(**UNIPC, solver_type="bh2", solver_order=2, final_sigmas_type="sigma_min"))),
    "no corrector, UniPC": ("solver-type", option("UniPCMultistepScheduler", dict(disable_corrector=list(range(30))), dict(**UNIPC, solver_type="bh2"))),
    "midpoint for Heun, DPM-Solver": ("solver-type", option("DPMSolverMultistepScheduler", dict(solver_type="midpoint"), dict(solver_type="heun", solver_order=2, algorithm_type="dpmsolver++"))),
    "DPM-Solver for DPM-Solver++": ("solver-type", option("DPMSolverMultistepScheduler", dict(algorithm_type="dpmsolver"), dict(algorithm_type="dpmsolver++", solver_order=2, final_sigmas_type="sigma_min"))),
    "noise missing, SDE-DPM-Solver++": ("noise-missing", deviating(without_noise, name="DPMSolverMultistepScheduler", algorithm_type="sde-dpmsolver++", solver_order=1)),
    "v read as epsilon, DEIS": ("prediction", option("DEISMultistepScheduler", EPSILON, VPRED)),
    "epsilon read as v, LMS": ("prediction", option("LMSDiscreteScheduler", VPRED, EPSILON)),
    "timesteps reversed, IPNDM": ("reported-timesteps", recorded(timesteps_reversed, "IPNDMScheduler")),
    "ddim_sample for p_sample": ("sampler", guided_option("p_sample", dict(sampler="ddim_sample"))),
    "linear for cosine, p_sample": ("schedule", guided_option("p_sample", dict(noise_schedule="linear"), noise_schedule="cosine")),
    "linear for scaled linear, DDIM": ("schedule", option("DDIMScheduler", dict(beta_schedule="linear"), dict(beta_schedule="scaled_linear"))),
    "zero SNR left out, DDIM": ("schedule", option("DDIMScheduler", dict(rescale_betas_zero_snr=False), dict(rescale_betas_zero_snr=True, **VPRED))),
    "output of the step before, DDIM": ("output-of-another-step", deviating(output_of_before, name="DDIMScheduler")),
    "output negated, p_sample": ("output-sign", deviating(output_negated, "p_sample", learn_sigma=False)),
    "velocity negated, FlowMatchEuler": ("output-sign", deviating(
        output_negated, name="FlowMatchEulerDiscreteScheduler", invert_sigmas=False, stochastic_sampling=False)),
    "scaled input, Euler": ("scaled-input", recorded(inputs_for_samples, "EulerDiscreteScheduler")),
    "scaled input, Euler ancestral": ("scaled-input", recorded(inputs_for_samples, "EulerAncestralDiscreteScheduler")),
    "outputs transposed, DDIM": ("axes", recorded(transposed, "DDIMScheduler", is_square=True)),
    "outputs with channels last, p_sample": ("axes", recorded(channels_last, sampler="p_sample", learn_sigma=False)),
    "noise transposed, DDPM": ("axes", recorded(noise_transposed, "DDPMScheduler", is_square=True, **SMALL)),
}


def make(title, rng, modules=None, sizes=(SIZE, SQUARE)):
    """A wrong trace: the mistake, the tape, what was recorded otherwise, and the first step that is wrong.

    `modules` are guided-diffusion's, for the titles that name its samplers.
    """
    global SIZE, SQUARE
    mistake, maker = MISTAKES[title]
    usual, (SIZE, SQUARE) = (SIZE, SQUARE), sizes
    try:
        for _ in range(60):
            made = attempt(lambda: checked(maker, rng, modules))
            if made:
                return mistake, *made
    finally:
        SIZE, SQUARE = usual
    raise SystemExit(f"{title}: no options show it")


def checked(make, rng, modules):
    tape, changes = make(rng, modules)
    right = again_right(tape, changes) if {"samples", "outputs", "noises"} & set(changes) else tape.right
    step = tape.first(changes.get("samples"), changes.get("timesteps"), right)
    if step is None:
        raise Unusable("too small a difference")
    return tape, changes, step


def again_right(tape, changes):
    """What the right scheduler makes of what is recorded."""
    run = tape.run
    samples, outputs = changes.get("samples", tape.samples), changes.get("outputs", tape.outputs)
    noises = changes.get("noises", tape.noises)
    if isinstance(run, DiffusersRun):
        run.scheduler.set_timesteps(run.steps)
    made = []
    for i in range(len(run.order)):
        run.scaled(i, samples[i])
        made.append(run.step(i, samples[i], outputs[i], noises[i]))
    if not all(torch.isfinite(x).all() for x in made):
        raise Unusable("not finite")
    return made
