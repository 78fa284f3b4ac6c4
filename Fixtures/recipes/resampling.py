"""Timesteps to train at, and noise to train with.

`timestep-sampling.safetensors`, in 50-digit arithmetic rounded once, but for the noise:

- `philox/SEED/STREAM` [6]: numbers 0 ... 4 and 2³³ + 1 of PhiloxGenerator, by its documented layout.
- `normal.u`, `normal.z`: shares and quantiles of the standard normal. `sigma/MEAN/DEVIATION`: those of a log-normal.
- `logit-normal/T/MEAN/DEVIATION` [T] and `log-normal/FORMULA/T[/zero]/MEAN/DEVIATION` [T]: probabilities of timesteps.
- `noise.*`: offset noise and input perturbation by the lines of diffusers' examples/text_to_image/train_text_to_image.py, in float64.

`resampling.safetensors`: guided-diffusion's resample.py. For each case `.timesteps` and `.losses` that were learned, `.checkpoints`,
how many of them at each look, `.probabilities` then [looks, T], and of a batch drawn then: `.uniforms`, `.drawn`, `.weights` [looks, N].
"""

import importlib

import mpmath
import numpy
from mpmath import mpf
from safetensors.numpy import save

from recipes import guided, noise, truth

# T, losses per timestep, uniform probability; guided-diffusion's own are 10 and 0.001.
CASES = [(7, 3, 0.05), (20, 10, 0.001), (1, 2, 0.5)]
LAWS = [(0.0, 1.0), (-0.75, 0.5), (1.5, 2.0)]


def cumulative(z):
    return mpmath.erfc(-z / mpmath.sqrt(2)) / 2


def probabilities(bounds, mean, deviation):
    """How probable it is that a normal number lies between each bound and the next."""
    below = [cumulative((bound - mpf(mean)) / mpf(deviation)) for bound in bounds]
    return numpy.array([float(after - before) for before, after in zip(below, below[1:])])


def philox(seed, stream):
    """The words of PhiloxGenerator."""
    numbers = []
    for position in (0, 1, 2, 3, 4, 2**33 + 1):
        block, half = divmod(position, 2)
        counter = [block % 2**32, block >> 32, stream % 2**32, stream >> 32]
        words = [int(word) for word in noise.philox_words(counter, seed ^ int.from_bytes(b"timestep", "big"))]
        numbers.append(words[2 * half] | words[2 * half + 1] << 32)
    return numpy.array(numbers, dtype=numpy.uint64).view(numpy.int64)


def training_noise():
    """The script's lines, with the noise that they draw recorded."""
    import torch
    from diffusers import DDPMScheduler

    torch.manual_seed(0)
    scheduler = DDPMScheduler()
    latents, drawn = torch.randn(2, 3, 4, 5, dtype=torch.float64), torch.randn(2, 3, 4, 5, dtype=torch.float64)
    offset, perturbation = torch.randn(2, 3, 1, 1, dtype=torch.float64), torch.randn(2, 3, 4, 5, dtype=torch.float64)
    timesteps = torch.tensor([700, 700])
    with_offset = drawn + 0.1 * offset
    new_noise = with_offset + 0.3 * perturbation
    return {
        "latents": latents, "drawn": drawn, "offset": offset, "perturbation": perturbation, "withOffset": with_offset,
        "alphaBar": scheduler.alphas_cumprod[700:701].double(),
        "noisy": scheduler.add_noise(latents, new_noise, timesteps),
        "target": scheduler.get_velocity(latents, with_offset, timesteps),
    }


def sampling():
    tensors = {f"philox/{seed:x}/{stream}": philox(seed, stream) for seed, stream in [(0, 0), (42, 3), (2**64 - 1, 2**40 + 5)]}
    shares = [mpf(2) ** -53, mpf(10) ** -12, mpf("0.001"), mpf("0.1"), mpf("0.3"), mpf("0.499999"), mpf("0.5")]
    shares = [mpf(float(share)) for share in shares + [1 - mpf(float(share)) for share in shares]]
    quantiles = [mpmath.sqrt(2) * mpmath.erfinv(2 * share - 1) for share in shares]
    tensors["normal.u"] = numpy.array([float(share) for share in shares])
    tensors["normal.z"] = numpy.array([float(z) for z in quantiles])
    for mean, deviation in [(-1.2, 1.2), *LAWS]:
        tensors[f"sigma/{mean}/{deviation}"] = numpy.array(
            [float(mpmath.exp(mpf(mean) + mpf(deviation) * z)) for z in quantiles])
    for mean, deviation in LAWS:
        for count in (1, 10, 1000):
            bounds = [truth.log(truth.quotient(mpf(t), mpf(count - t))) for t in range(count + 1)]
            tensors[f"logit-normal/{count}/{mean}/{deviation}"] = probabilities(bounds, mean, deviation)
    for case, mean, deviation in [("cosine/10", -1.2, 1.2), ("cosine/10/zero", -1.2, 1.2), ("linear/300", 0.5, 0.9)]:
        formula, count, *zero = case.split("/")
        stored = [mpf(float(beta)) for beta in truth.definition(formula, int(count))]
        if zero:
            stored = [mpf(float(beta)) for beta in truth.zero_terminal(stored)]
        logarithms = [truth.log(truth.quotient(1 - bar, bar)) / 2 for bar in truth.products(stored)]
        middles = [(a + b) / 2 for a, b in zip(logarithms, logarithms[1:])]
        bounds = [-truth.INFINITY, *middles, truth.INFINITY]
        tensors[f"log-normal/{case}/{mean}/{deviation}"] = probabilities(bounds, mean, deviation)
    tensors.update({f"noise.{name}": value.numpy() for name, value in training_noise().items()})
    return save(tensors)


def resampling(checkout):
    guided.load(checkout)
    numpy.int = int  # NumPy 2 has it no more; resample.py needs it.
    resample = importlib.import_module("guided_diffusion.resample")
    tensors = {}
    for case, (count, history, uniform) in enumerate(CASES):
        process = type("Process", (), {"num_timesteps": count})
        sampler = resample.LossSecondMomentResampler(process, history, uniform)
        random = numpy.random.RandomState(case)
        # Each timestep is learned `history` times; then more, so that old losses go.
        timesteps = numpy.concatenate([
            random.permutation(numpy.tile(numpy.arange(count), history)), random.randint(count, size=12 * count)])
        losses = random.lognormal(0, 1, len(timesteps)) / (1 + timesteps)
        full = count * history
        checkpoints = [0, full // 2, full - 1, full, full + 1, full + 5 * count, full + 12 * count]
        looks = {"probabilities": [], "uniforms": [], "drawn": [], "weights": []}
        for start, end in zip([0, *checkpoints], checkpoints):
            sampler.update_with_all_losses(timesteps[start:end], losses[start:end])
            weights = sampler.weights()
            looks["probabilities"].append(weights / weights.sum())
            numpy.random.seed(end)
            looks["uniforms"].append(numpy.random.random_sample(16))
            numpy.random.seed(end)
            drawn, importance = sampler.sample(16, "cpu")
            looks["drawn"].append(drawn.numpy())
            looks["weights"].append(importance.numpy())
        name = f"{count}/{history}/{uniform}"
        tensors[f"{name}.timesteps"], tensors[f"{name}.losses"] = timesteps, losses
        tensors[f"{name}.checkpoints"] = numpy.array(checkpoints)
        tensors.update({f"{name}.{look}": numpy.stack(values) for look, values in looks.items()})
    return save(tensors)


FILES = {"timestep-sampling.safetensors": sampling}
GUIDED = {"resampling.safetensors": resampling}
