"""guided-diffusion's training losses and bounds, in float64, for every kind of mean, variance and loss.

`betas` are those of a respaced process of nine timesteps. Data x0 are pixels of 256 levels, shape 3×2×2×3, `noise[t]` and `outputs/MEAN[t]`
are what is mixed in and answered at each timestep t: near the truth, so that every probability is above 1e-6, where losses.py cuts off
at 1e-12. Outputs have twice the channels; where the variance is fixed, the first half is meant, and learned log variances are 3 lower.

- `loss/MEAN/VARIANCE/KIND.loss`, `.mse`, `.vb` [3]: training_losses at `timesteps`, one for each sample, with noise[0] and outputs[0];
  `.gradient`: that of the sum of the losses with respect to the output, by torch.
- `bound/MEAN/VARIANCE/clipping.total_bpd`, `.prior_bpd` [3], `.vb`, `.xstart_mse`, `.mse` [3, 9] from the last timestep down: calc_bpd_loop.
"""

import numpy
from safetensors.numpy import save

from recipes import guided
from recipes.guided_process import COUNT, DOUBLED, SECTIONS, SHAPE, normal
from recipes.trajectories import doubles

STEPS = 9
TIMESTEPS = [0, 3, 8]
PIXELS = numpy.clip(numpy.round(128 + 60 * normal(1, SHAPE)), 0, 255)
PIXELS[0, 0, 0, :2] = 0, 255
X0 = PIXELS / 127.5 - 1
NOISE = numpy.stack([normal(10 + t, SHAPE) for t in range(STEPS)])
SLIPS = numpy.stack([normal(100 + t, DOUBLED) for t in range(STEPS)])


@doubles()
def losses(checkout):
    import torch

    gaussian, respace = guided.load(checkout)
    as_torch = torch.from_numpy
    betas = gaussian.get_named_beta_schedule("linear", COUNT)

    def make(mean, variance, loss):
        return respace.SpacedDiffusion(
            use_timesteps=respace.space_timesteps(COUNT, SECTIONS), betas=betas, model_mean_type=gaussian.ModelMeanType[mean],
            model_var_type=gaussian.ModelVarType[variance], loss_type=gaussian.LossType[loss])

    likelihood, least = gaussian.discretized_gaussian_log_likelihood, []

    def watched(*arguments, **named):
        made = likelihood(*arguments, **named)
        least.append(made.detach().flatten(1).min(dim=1).values)
        return made

    gaussian.discretized_gaussian_log_likelihood = watched
    plain = make("EPSILON", "FIXED_SMALL", "MSE")
    t = torch.tensor(TIMESTEPS)
    tensors = {"betas": plain.betas, "x0": X0, "noise": NOISE, "timesteps": numpy.array(TIMESTEPS)}

    def outputs(mean, at, k):
        """The target for noise k at the timesteps `at`, with slips about as large as x0 can take at the first of them."""
        x0, noise = as_torch(X0), as_torch(NOISE[k])
        slips = as_torch(SLIPS[k].copy())
        noisy = plain.q_sample(x0, at, noise)
        target = {"EPSILON": noise, "START_X": x0, "PREVIOUS_X": plain.q_posterior_mean_variance(x0, noisy, at)[0]}[mean]
        slips[:, :2] = target + slips[:, :2] * (0.5 if mean == "EPSILON" else 0.01)
        return slips

    for mean in ("EPSILON", "START_X", "PREVIOUS_X"):
        answers = {k: outputs(mean, torch.full((SHAPE[0],), k), k) for k in range(STEPS)}
        mixed = outputs(mean, t, 0)
        tensors[f"outputs/{mean.lower()}"] = torch.stack([mixed, *answers.values()]).numpy()
        for variance in ("FIXED_SMALL", "FIXED_LARGE", "LEARNED", "LEARNED_RANGE"):
            def output(answer):
                if not variance.startswith("LEARNED"):
                    return answer[:, :2]
                return torch.cat([answer[:, :2], answer[:, 2:] - 3], dim=1) if variance == "LEARNED" else answer

            for loss in ("MSE", "RESCALED_MSE", "KL", "RESCALED_KL"):
                answer = output(mixed).clone().requires_grad_()
                terms = make(mean, variance, loss).training_losses(lambda *_: answer, as_torch(X0), t, noise=as_torch(NOISE[0]))
                terms["loss"].sum().backward()
                assert not least or least[-1][0] > numpy.log(1e-6), (mean, variance, least[-1])
                case = f"loss/{mean}/{variance}/{loss}".lower()
                for part, tensor in {**terms, "gradient": answer.grad}.items():
                    assert tensor.dtype == torch.float64
                    tensors[f"{case}.{part}"] = tensor.detach().numpy().copy()
            for clipping in ("none", "range"):
                if mean == "PREVIOUS_X" and clipping == "range":
                    continue
                process = make(mean, variance, "KL")
                draws = iter(range(STEPS - 1, -1, -1))
                torch.randn_like = lambda _: as_torch(NOISE[next(draws)])
                made = process.calc_bpd_loop(
                    lambda _, at: output(answers[process.timestep_map.index(int(at[0]))]), as_torch(X0),
                    clip_denoised=clipping == "range")
                for part, tensor in made.items():
                    assert tensor.dtype == torch.float64
                    tensors[f"bound/{mean}/{variance}/{clipping}.{part}".lower()] = tensor.numpy().copy()
                assert least[-1].min() > numpy.log(1e-6), (mean, variance, least[-1])
    gaussian.discretized_gaussian_log_likelihood = likelihood
    return save(tensors)


GUIDED = {"guided-losses.safetensors": losses}
