"""guided-diffusion's distributions and guided steps: what p_mean_variance, p_sample, ddim_sample and their kin answer, in float64.

Tensors of a batch have the shape 3×2×2×3; `outputs` have twice the channels, and networks without learned variance give the first half.
A case is MEAN/VARIANCE/clipping with guided-diffusion's names in lower case; clipping is `none` or `range`.

`betas` are those of the respaced process, whose nine timesteps are 0 ... 8.

- `moments/...`: q_sample, q_mean_variance and q_posterior_mean_variance of x0 and noise, at `moments/timesteps`, one for each sample.
- `reverse/CASE.*`: p_mean_variance at those timesteps. `reverse/transformed.*`: with denoised_fn 0.9 x + 0.05, epsilon, fixed small, range.
- `sample/CASE.samples`: p_sample from the last timestep to 0, with `noise[call]` and `outputs[call]`; `guided/...`: with cond_fn, which
  answers `gradients[call]`; `sample/transformed.samples`: with that denoised_fn; `ddim/...`: ddim_sample with eta 0.5, likewise.
- `reversed/MEAN/clipping.samples`: ddim_reverse_sample from timestep 0 up.
"""

import numpy
from safetensors.numpy import save

from recipes import guided
from recipes.trajectories import doubles

SHAPE = (3, 2, 2, 3)
DOUBLED = (3, 4, 2, 3)
COUNT, SECTIONS = 1000, "4,3,2"
CALLS = 9


def normal(seed, shape):
    return numpy.random.default_rng(seed).standard_normal(shape)


X0 = numpy.clip(0.5 * normal(1, SHAPE), -1, 1)
NOISE = numpy.stack([normal(10 + call, SHAPE) for call in range(CALLS)])
OUTPUTS = numpy.stack([normal(100 + call, DOUBLED) for call in range(CALLS)]) * 0.8
GRADIENTS = numpy.stack([normal(200 + call, SHAPE) for call in range(CALLS)])
TIMESTEPS = [0, 4, 8]


def transform(x):
    return 0.9 * x + 0.05


def output(call, variance):
    """A learned log variance around −3, a place between the bounds as it comes, or the prediction alone."""
    made = OUTPUTS[call].copy()
    if variance == "LEARNED":
        made[:, 2:] -= 3
    return made if variance.startswith("LEARNED") else made[:, :2]


@doubles()
def process(checkout):
    import torch

    gaussian, respace = guided.load(checkout)
    as_torch = torch.from_numpy
    betas = gaussian.get_named_beta_schedule("linear", COUNT)
    tensors = {"x0": X0, "noise": NOISE, "outputs": OUTPUTS, "gradients": GRADIENTS}
    tensors["moments/timesteps"] = numpy.array(TIMESTEPS)
    t = torch.tensor(TIMESTEPS)

    def make(mean, variance):
        return respace.SpacedDiffusion(
            use_timesteps=respace.space_timesteps(COUNT, SECTIONS), betas=betas, model_mean_type=gaussian.ModelMeanType[mean],
            model_var_type=gaussian.ModelVarType[variance], loss_type=gaussian.LossType.MSE)

    def add(name, tensor):
        assert tensor.dtype == torch.float64, name
        tensors[name] = tensor.numpy().copy()

    def run(name, step, variance, start, up=False, **arguments):
        sample, samples = as_torch(start), []
        for call in range(CALLS):
            torch.randn_like = lambda _: as_torch(NOISE[call])
            if "cond_fn" in arguments:
                arguments["cond_fn"] = lambda *_: as_torch(GRADIENTS[call])
                arguments["model_kwargs"] = {}
            at = torch.full((SHAPE[0],), call if up else CALLS - 1 - call)
            sample = step(lambda *_: as_torch(output(call, variance)), sample, at, **arguments)["sample"]
            samples.append(sample)
        add(f"{name}.samples", torch.stack(samples))

    plain = make("EPSILON", "FIXED_SMALL")
    tensors["betas"] = plain.betas
    noisy = plain.q_sample(as_torch(X0), t, as_torch(NOISE[0]))
    add("moments/sample", noisy)
    for name, moments in {
        "forward": plain.q_mean_variance(as_torch(X0), t), "posterior": plain.q_posterior_mean_variance(as_torch(X0), noisy, t)
    }.items():
        for part, tensor in zip(("mean", "variance", "log_variance"), moments):
            add(f"moments/{name}.{part}", tensor.expand(SHAPE).contiguous())

    for variance in ("FIXED_SMALL", "FIXED_LARGE", "LEARNED", "LEARNED_RANGE"):
        for mean in ("EPSILON", "START_X", "PREVIOUS_X"):
            made = make(mean, variance)
            model = lambda *_: as_torch(output(0, variance))
            for clipping in ("none", "range"):
                case, clips = f"{mean}/{variance}/{clipping}".lower(), {"clip_denoised": clipping == "range"}
                reverse = made.p_mean_variance(model, noisy, t, **clips)
                for part, tensor in reverse.items():
                    add(f"reverse/{case}.{part}", tensor)
                if mean == "PREVIOUS_X":
                    continue
                if variance.startswith("LEARNED"):
                    run(f"sample/{case}", made.p_sample, variance, NOISE[0], **clips)
                if mean == "EPSILON":
                    run(f"guided/{case}", made.p_sample, variance, NOISE[0], cond_fn=True, **clips)
                if variance in ("FIXED_SMALL", "LEARNED_RANGE"):
                    run(f"ddim/guided/{case}", made.ddim_sample, variance, NOISE[0], cond_fn=True, eta=0.5, **clips)
                if variance == "FIXED_SMALL":
                    run(f"reversed/{mean.lower()}/{clipping}", made.ddim_reverse_sample, variance, X0, up=True, **clips)
    out = plain.p_mean_variance(lambda *_: as_torch(output(0, "FIXED_SMALL")), noisy, t, denoised_fn=transform)
    for part, tensor in out.items():
        add(f"reverse/transformed.{part}", tensor)
    run("sample/transformed", plain.p_sample, "FIXED_SMALL", NOISE[0], denoised_fn=transform)
    return save(tensors)


GUIDED = {"guided-process.safetensors": process}
