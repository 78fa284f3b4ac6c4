"""Fifty steps of training in PyTorch with diffusers, and how far apart sets of digits are."""

import mpmath
import numpy
import torch

from peers import train_reference as reference

STEPS, BATCH = 50, 8


def steps():
    """A small network from given weights, on given batches: losses, norms of gradients, and parameters and averages afterwards."""
    from safetensors.numpy import save

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    random = numpy.random.default_rng(8)
    network = reference.Network(hidden=24, blocks=2, frequencies=16)
    with torch.no_grad():
        for parameter in network.parameters():
            scale = 0.1 if parameter.dim() == 1 else parameter.shape[1] ** -0.5
            parameter.copy_(torch.tensor(random.standard_normal(parameter.shape) * scale, dtype=torch.float32))
    tensors = {f"initial.{name}": value.detach().numpy().copy() for name, value in network.state_dict().items()}
    training = reference.Training(network, learning_rate=3e-3, warmup=5, steps=80, max_decay=0.9)
    images, labels = reference.digits()
    made = {name: [] for name in ("chosen", "labels", "timesteps", "epsilon", "losses", "norms")}
    for _ in range(STEPS):
        chosen = random.integers(len(images), size=BATCH)
        told = numpy.where(random.random(BATCH) < 0.2, reference.CLASSES, labels.numpy()[chosen])
        timesteps = random.integers(1000, size=BATCH)
        epsilon = random.standard_normal((BATCH, reference.PIXELS)).astype(numpy.float32)
        loss, norm = training.step(images[chosen], torch.tensor(told), torch.tensor(epsilon), torch.tensor(timesteps))
        for name, value in zip(made, (chosen, told, timesteps, epsilon, loss, norm)):
            made[name].append(value)
    for name, values in made.items():
        tensors[name] = numpy.array(values, dtype=numpy.float32 if name == "epsilon" else None)
    for (name, value), average in zip(network.named_parameters(), training.average.shadow_params):
        tensors[f"final.{name}"] = value.detach().numpy()
        tensors[f"average.{name}"] = average.numpy()
    return save(tensors)


def distances():
    """Fréchet distances between halves of the digits, one of them also changed.

    The covariances are exact, in whole eightieths, and the rest has 40 digits: tr (AB)^½ is the sum of the roots of the eigenvalues of
    A^½·B·A^½, of which those of pixels that are paper in all digits are 0."""
    from safetensors.numpy import save

    images = numpy.rint(80 * reference.digits()[0].numpy().astype(numpy.float64)).astype(numpy.int64)
    kept, other = images[1::2], images[::2]
    pictures = other.reshape(-1, 8, 8)
    pattern = numpy.fromfunction(lambda n, k: (37 * n + 17 * k) % 11, other.shape, dtype=numpy.int64)
    changed = {
        "half": other,
        "same": kept,
        "blurred": ((pictures + numpy.roll(pictures, -1, axis=2)) // 2).reshape(-1, 64),
        "noisy": other + 8 * pattern - 40,
        "scaled": other * 9 // 10,
    }
    # What is halved is even, and what is multiplied by 9/10 ends in 0.
    assert not (images % 10).any()
    size = images.shape[1]

    def moments(values):
        count, total = len(values), values.sum(0)
        products = count * (values.T @ values) - numpy.outer(total, total)
        scale = count * (count - 1) * 80**2
        return [mpmath.mpf(int(x)) / (80 * count) for x in total], mpmath.matrix(size) + mpmath.matrix(products.tolist()) / scale

    def roots(matrix):
        values, vectors = mpmath.eigsy(matrix)
        return [mpmath.sqrt(max(value, 0)) for value in values], vectors

    def trace(matrix):
        return sum(matrix[i, i] for i in range(size))

    with mpmath.workdps(40):
        mean, covariance = moments(kept)
        values, vectors = roots(covariance)
        root = vectors * mpmath.diag(values) * vectors.T
        made = {}
        for name, value in changed.items():
            other_mean, other_covariance = moments(value)
            shared = sum(roots(root * other_covariance * root)[0])
            shift = sum((a - b) ** 2 for a, b in zip(mean, other_mean))
            made[name] = numpy.array([float(shift + trace(covariance) + trace(other_covariance) - 2 * shared)])
    return save(made)


FILES = {"training.safetensors": steps, "frechet.safetensors": distances}
