"""Records a run of diffusers, k-diffusion or guided-diffusion as a trace that `scheduler verify` judges.

Paste this file beside your own script, or import it:

    from record_trace import record, record_pipeline
    record_pipeline(pipe, "trace.safetensors", prompt="a cat", num_inference_steps=30)

    scheduler = DDIMScheduler.from_pretrained("...", subfolder="scheduler")
    start = torch.randn(1, 4, 64, 64)
    record("trace.safetensors", scheduler, lambda x, t: unet(x, t, ...).sample, start, steps=30, eta=0.5)

A port in another language writes the same six things: see Docs/Verify.md. Needs torch and safetensors.
"""

import contextlib
import functools
import inspect
import json
import pathlib
import sys
import warnings

import torch
from safetensors.torch import save_file


# Classes whose times hold the end of the run, where the network is not asked.
HOLDING_END = ("DDPMWuerstchenScheduler", "SCMScheduler")


def told(scheduler):
    """The times at which the network is asked."""
    return scheduler.timesteps[:-1] if type(scheduler).__name__ in HOLDING_END else scheduler.timesteps


def record(path, scheduler, model, sample, steps=None, mu=None, sigmas=None, *, timesteps=None, strength=None,
           original_inference_steps=None, first_step=0, last_step=None, begin_index=False, edit=None, **step_arguments):
    """A run of a diffusers scheduler: `model(x, t)` is given what the scheduler scales the sample to.

    `mu`, `sigmas`, `timesteps`, `strength` and `original_inference_steps` are those of `set_timesteps`. They reach it
    as they are, without `steps` where times are given. The run goes over `scheduler.timesteps[first_step:last_step]`,
    and `begin_index` tells the scheduler where that begins, as most pipelines do. `edit(step, sample, t)` returns the
    sample that takes the place of what a step made.
    """
    settings = {"mu": mu, "sigmas": sigmas, "timesteps": timesteps, "strength": strength,
                "original_inference_steps": original_inference_steps}
    settings = {name: value for name, value in settings.items() if value is not None}
    count = {} if timesteps is not None or sigmas is not None else {"num_inference_steps": steps}
    with Watch(scheduler) as watch:
        name = type(scheduler).__name__
        if name == "SCMScheduler":
            # Its defaults are for two steps, and none is for given times.
            count = {"num_inference_steps": steps or len(timesteps) - 1}
            count |= {"max_timesteps": None} if timesteps is not None else {}
            count |= {"intermediate_timesteps": None} if timesteps is not None or steps != 2 else {}
        scheduler.set_timesteps(**count, **settings)
        if begin_index:
            scheduler.set_begin_index(first_step)
        scale = getattr(scheduler, "scale_model_input", lambda x, t: x)
        times = told(scheduler)
        for step, t in enumerate(times[first_step:last_step], first_step):
            output = model(scale(sample, t), t)
            if name == "UnCLIPScheduler":
                step_arguments["prev_timestep"] = times[step + 1] if step + 1 < len(times) else None
            at = t.expand(len(sample)) if name == "DDPMWuerstchenScheduler" else t
            # A graph over the whole run would hold every step in memory.
            sample = scheduler.step(output, at, sample, **step_arguments).prev_sample.detach()
            if edit:
                sample = edit(step, sample, t)
    if not watch.runs:
        raise ValueError(f"there is no step from {first_step} on")
    [run] = watch.runs
    run.ends_with(sample)
    run.steps, run.first = steps or run.steps, first_step
    run.save(path)


@contextlib.contextmanager
def recording(pipe, path):
    """Records what is asked of `pipe.scheduler` in a block, and writes the trace at its end.

    The times are recorded as they are set, where the run begins, the arguments of the steps, and samples that change
    between them. A block that is interrupted leaves the steps that it took. If the timesteps are set again, the next
    run goes to a file of its own, `-2` added to the name. The block is given a list, in which the files are at its end.
    """
    watch, written = Watch(pipe.scheduler), []
    try:
        with watch:
            yield written
    finally:
        path = pathlib.Path(path)
        for number, run in enumerate(watch.runs, 1):
            place = path if number == 1 else path.with_stem(f"{path.stem}-{number}")
            run.save(place)
            written.append(place)
        if not watch.runs:
            warnings.warn(f"{path} was not written: {type(pipe.scheduler).__name__} was asked for no step")


def record_pipeline(pipe, path, **arguments):
    """A call of a diffusers pipeline, `pipe(**arguments)`, recorded as it happens; its result is returned."""
    with recording(pipe, path):
        return pipe(**arguments)


def record_guided(path, diffusion, flags, model, sample, sampler="p_sample", eta=0.0, clip_denoised=True):
    """A run of guided-diffusion's process, made by `create_gaussian_diffusion(**flags)`; `sampler` names its method."""
    arguments = {"eta": eta} if sampler.startswith("ddim") else {}
    count = diffusion.num_timesteps
    timesteps, samples, outputs, noises = [], [kept(sample)], [], []

    def told(x, timestep):
        answer = model(x, timestep)
        timesteps.append(timestep[0])
        outputs.append(kept(answer))
        return answer

    with Drawn([(torch, "randn_like")]) as drawn:
        for t in range(count) if sampler == "ddim_reverse_sample" else reversed(range(count)):
            drawn.clear()
            t = torch.full(sample.shape[:1], t, device=sample.device)
            made = getattr(diffusion, sampler)(told, sample, t, clip_denoised=clip_denoised, **arguments)
            sample = made["sample"].detach()
            samples.append(kept(sample))
            noises.append(drawn[-1] if drawn else torch.zeros_like(samples[0]))
    options = {"sampler": sampler, "eta": eta, "clip_denoised": clip_denoised}
    config = {"_class_name": "GaussianDiffusion", **flags, **options}
    save(path, json.dumps(config), count, timesteps, samples, outputs, noises, {})


def record_kdiffusion(path, sampler, sigmas, model, sample, process="eps", output="denoised", **arguments):
    """A run of `k_diffusion.sampling.sample_<sampler>` from `sample`, which is as noisy as `sigmas[0]`.

    With `output="denoised"`, `model(x, sigma)` returns x without its noise. With `output="model"` it is the network: it
    is given x as it wants it, over sqrt(sigma² + 1) unless `process` is "flow", and returns what it predicts. That is
    the noise for "eps", or else "v" or "flow".

    There is a row for each call of the model: the sample and the sigma it was given, its output, and the noise that the
    sampler drew between this call and the next. `arguments` are the sampler's own, such as `eta`. A `noise_sampler`
    among them draws the noise, which is independent numbers otherwise. Returns the result.
    """
    import k_diffusion.sampling

    name = sampler.removeprefix("sample_")
    method = getattr(k_diffusion.sampling, f"sample_{name}")
    known = inspect.signature(method).parameters
    if "sigmas" not in known:
        raise ValueError(f"{name} chooses its sigmas itself, so its run is not one of steps between given ones")
    sigmas = torch.as_tensor(sigmas, dtype=torch.float32).to(sample.device)
    told, samples, outputs, noises, denoised = [], [], [], [], {
        "eps": lambda x, sigma, out: x - sigma * out,
        "v": lambda x, sigma, out: x / (sigma**2 + 1) - out * sigma / (sigma**2 + 1) ** 0.5,
        "flow": lambda x, sigma, out: x - sigma * out,
    }[process]

    def answer(x, sigma, **extra):
        level = sigma.reshape(sigma.shape + (1,) * (x.ndim - sigma.ndim))
        told.append(sigma.flatten()[0])
        samples.append(kept(x))
        is_scaled = output == "model" and process != "flow"
        # What a network draws for itself is not the sampler's noise.
        watched, torch.randn_like = torch.randn_like, randn_like
        out = model(x / (level**2 + 1) ** 0.5 if is_scaled else x, sigma, **extra)
        torch.randn_like = watched
        outputs.append(kept(out))
        noises.append([])
        return denoised(x, level, out) if output == "model" else out

    def noted(noise):
        # What is drawn before the first call is already in the sample that it is given.
        if noises:
            noises[-1].append(kept(noise))
        return noise

    settings, randn_like = dict(arguments), torch.randn_like
    if "noise_sampler" in known:
        draw = settings.get("noise_sampler") or (lambda *_: torch.randn_like(sample))
        settings["noise_sampler"] = lambda *between: noted(draw(*between))
    else:
        torch.randn_like = lambda *a, **k: noted(randn_like(*a, **k))
    try:
        result = method(answer, sample, sigmas, **{"disable": True, **settings})
    finally:
        torch.randn_like = randn_like
    if any(len(drawn) > 1 for drawn in noises):
        raise ValueError(f"{name} draws more than once between two calls of the model; a trace has one noise for each")
    zero = torch.zeros_like(samples[0])
    noises = [drawn[0] if drawn else zero for drawn in noises] if any(noises) else None
    options = {key: value for key, value in arguments.items() if key not in ("extra_args", "callback", "disable")}
    config = {"_class_name": "KDiffusion", "sampler": name, "sigmas": plain(sigmas), "process": process,
              "output": output, **plain(options)}
    save(path, json.dumps(config), len(sigmas) - 1, told, samples + [kept(result)], outputs, noises, {})
    return result


class Run:
    """What is recorded between two calls of `set_timesteps`."""

    def __init__(self, config, steps, times, settings):
        self.config, self.steps, self.times, self.settings = config, steps, times, settings
        self.timesteps, self.samples, self.outputs, self.noises, self.made = [], [], [], [], []
        self.arguments, self.first, self.begin_index = {}, None, None

    def takes_back(self):
        """The last step was an attempt, of which the pipeline wanted something else."""
        for kind in (self.timesteps, self.samples, self.outputs, self.noises, self.made):
            kind.pop()

    def ends_with(self, sample):
        """The sample after the last step, where it is not what that step made."""
        self.samples.append(kept(sample))

    def save(self, path):
        samples = self.samples if len(self.samples) > len(self.made) else self.samples + self.made[-1:]
        is_edited = any(not same(*pair) for pair in zip(samples[1:], self.made))
        noises = [torch.zeros_like(samples[0]) if noise is None else noise for noise in self.noises]
        first, more = self.begins(), {}
        if first or self.begin_index is not None:
            more["first_step"] = str(first)
        if self.begin_index is not None:
            more["begin_index"] = "true"
        save(path, self.config, self.steps, self.timesteps, samples, self.outputs,
             noises if any(noise is not None for noise in self.noises) else None, {**self.arguments, **self.settings},
             made=self.made if is_edited else None, **more)

    def begins(self):
        """The index of the first step in the scheduler's times. Where a time occurs twice, those after it decide."""
        if self.first is not None or self.begin_index is not None:
            return self.begin_index if self.first is None else self.first
        told, times = [float(t) for t in self.timesteps], [float(t) for t in self.times]
        found = (i for i in range(len(times)) if times[i : i + len(told)] == told)
        # Of times that are not the scheduler's, in its order, the first says where the run began if there is room.
        return next(found, next((i for i in range(len(times) - len(told) + 1) if times[i] == told[0]), 0))


class Watch:
    """Records what is asked of a scheduler of diffusers, as long as it is entered.

    The scheduler is given a class of its own for that time. A copy that a pipeline makes of it runs unwatched.
    """

    def __init__(self, scheduler):
        self.scheduler, self.runs, self.asked = scheduler, [], {}
        self.begin_index, self.is_new, self.index = None, True, None

    def __enter__(self):
        self.usual = type(self.scheduler)
        self.config = self.scheduler.to_json_string()
        sources = [sys.modules[kind.__module__] for kind in self.usual.__mro__]
        # DPMSolverSDEScheduler calls an object for its noise.
        trees = [source.BrownianTreeNoiseSampler for source in sources if hasattr(source, "BrownianTreeNoiseSampler")]
        owners = [(tree, "__call__") for tree in trees] or [(source, "randn_tensor") for source in sources]
        self.drawn = Drawn([place for place in dict.fromkeys(owners) if hasattr(*place)]).__enter__()
        names = [name for name in ("set_timesteps", "set_begin_index", "step") if hasattr(self.usual, name)]
        namespace = {name: getattr(self.usual, name) for name in ("__module__", "__qualname__", "__doc__")}
        namespace.update({name: self.watched(name) for name in names})
        self.scheduler.__class__ = type(self.usual.__name__, (self.usual,), namespace)
        return self

    def __exit__(self, *_):
        self.scheduler.__class__ = self.usual
        self.drawn.__exit__()

    def watched(self, name):
        usual, note = getattr(self.usual, name), getattr(self, name)

        @functools.wraps(usual)
        def method(scheduler, *positional, **named):
            if scheduler is not self.scheduler:
                return usual(scheduler, *positional, **named)
            self.drawn.clear()
            given = inspect.signature(usual).bind(scheduler, *positional, **named).arguments
            more = given.pop("kwargs", {})
            given = {**given, **more}
            del given["self"]
            # A step may write into the sample that it is given.
            before = kept(given["sample"]) if name == "step" else None
            self.indices = [getattr(scheduler, "step_index", None)]
            result = usual(scheduler, *positional, **named)
            self.indices.append(getattr(scheduler, "step_index", None))
            note(result, before, **given)
            return result

        return method

    def set_timesteps(self, result, _, num_inference_steps=None, device=None, **settings):
        self.asked = {"settings": plain(settings), "steps": num_inference_steps}
        self.begin_index, self.is_new = None, True

    def set_begin_index(self, result, _, begin_index=0):
        self.begin_index = int(begin_index)

    def step(self, result, before, model_output, timestep, sample, generator=None, return_dict=True,
             variance_noise=None, pred_original_sample=None, prev_timestep=None, **arguments):
        lost = [name for name, value in arguments.items() if value is not None and plain(value) is None]
        if lost:
            warnings.warn(f"a trace cannot hold {lost[0]}, so the steps will be judged as if it was not given")
        if self.is_new:
            run = Run(self.config, self.steps(), kept(told(self.scheduler)), self.asked.get("settings", {}))
            run.begin_index, run.arguments, self.is_new = self.begin_index, plain(arguments), False
            self.runs.append(run)
        run, (first, last) = self.runs[-1], self.indices
        if run.made and first is not None and first != self.index:
            run.takes_back()
        self.index = last
        if run.arguments != plain(arguments):
            warnings.warn("the arguments of the steps change within the run, and a trace holds those of the first")
        # Some classes are given a time for each sample.
        timestep = timestep.flatten()[0] if torch.is_tensor(timestep) else timestep
        if prev_timestep is not None and float(prev_timestep) != self.follower(timestep):
            warnings.warn("a step goes to another time than the scheduler's next; it will be judged as if it went there")
        run.timesteps.append(timestep)
        run.samples.append(before)
        output = model_output if pred_original_sample is None else self.output(before, pred_original_sample)
        run.outputs.append(kept(output))
        noise = self.drawn[-1] if self.drawn else None
        run.noises.append(noise if variance_noise is None else kept(variance_noise))
        run.made.append(kept(result[0] if isinstance(result, tuple) else result.prev_sample))

    def follower(self, timestep):
        """The scheduler's time after one, if there is one."""
        times = [float(t) for t in self.scheduler.timesteps]
        return dict(zip(times, times[1:])).get(float(timestep))

    def output(self, sample, denoised):
        """What the network would have to answer for EDM's scheduler to read the data that it is given."""
        sigma, sample = self.scheduler.sigmas[self.index - 1].double(), sample.double()
        read = lambda output: self.scheduler.precondition_outputs(sample, output, sigma)
        own = read(torch.zeros_like(sample))
        return ((denoised.double() - own) / (read(torch.ones_like(sample)) - own)).float()

    def steps(self):
        """What the scheduler was asked for. Given times leave it unsaid, and some classes keep the number of before."""
        known, settings = getattr(self.scheduler, "num_inference_steps", None), self.asked.get("settings", {})
        given = settings.get("timesteps") or settings.get("sigmas")
        if given and known not in (len(given), len(given) - 1):
            known = None
        return int(self.asked.get("steps") or known or len(told(self.scheduler)))


class Drawn(list):
    """What the functions at some places return, as long as it is entered."""

    def __init__(self, places):
        super().__init__()
        self.usual = [(owner, name, getattr(owner, name)) for owner, name in places]

    def __enter__(self):
        for owner, name, function in self.usual:
            setattr(owner, name, self.noted(function))
        return self

    def __exit__(self, *_):
        for owner, name, function in self.usual:
            setattr(owner, name, function)

    def noted(self, function):
        def noting(*positional, **named):
            result = function(*positional, **named)
            self.append(kept(result))
            return result

        return noting


def kept(tensor):
    """A copy on the CPU, without its graph."""
    return tensor.detach().to("cpu", copy=True).contiguous()


def same(a, b):
    return a.shape == b.shape and bool(((a == b) | ((a != a) & (b != b))).all())


def plain(value):
    """What JSON can hold of the arguments of a call: numbers, texts and lists of them."""
    if isinstance(value, dict):
        held = {name: plain(item) for name, item in value.items()}
        return {name: item for name, item in held.items() if item is not None}
    if hasattr(value, "tolist"):
        return value.tolist() if value.ndim < 2 else None
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value if isinstance(value, (bool, int, float, str)) else None


def stacked(tensors):
    """In the type that holds all of them; whole ones as float32."""
    tensors = [kept(tensor) for tensor in tensors]
    kind = functools.reduce(torch.promote_types, (tensor.dtype for tensor in tensors))
    return torch.stack([tensor.to(kind if kind.is_floating_point else torch.float32) for tensor in tensors])


PRECISIONS = {torch.float64: "float64", torch.float16: "float16", torch.bfloat16: "bfloat16"}


def contents(config, steps, timesteps, samples, outputs, noises, step_arguments, made=None, **more):
    """The tensors and texts of a trace."""
    whole = not any(torch.is_tensor(t) and t.is_floating_point() for t in timesteps)
    times = torch.tensor([float(t) for t in timesteps], dtype=torch.float64)
    tensors = {"timesteps": times.to(torch.int64 if whole else torch.float32)}
    written = {"samples": samples, "model_outputs": outputs, "noises": noises, "made": made}
    tensors.update({name: stacked(values) for name, values in written.items() if values is not None})
    metadata = {"format": "scheduler-trace/1", "scheduler_config": config, "num_inference_steps": str(steps), **more}
    if step_arguments:
        metadata["step_arguments"] = json.dumps(step_arguments)
    # The first sample may be wider than what the steps made of it.
    kinds = {sample.dtype for sample in samples[1:]}
    if len(kinds) == 1 and kinds <= PRECISIONS.keys():
        metadata["precision"] = PRECISIONS[kinds.pop()]
    return tensors, metadata


def save(path, *recorded, **more):
    tensors, metadata = contents(*recorded, **more)
    save_file(tensors, path, metadata)
