"""Fifty steps of training in PyTorch with diffusers, and how far apart sets of digits are."""

import numpy
import scipy.linalg
import torch

import train_reference as reference

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
    """Fréchet distances between halves of the digits, one of them also changed; by scipy's matrix square root."""
    from safetensors.numpy import save

    images = reference.digits()[0].numpy().astype(numpy.float64)
    kept, other = images[1::2], images[::2]
    pictures = other.reshape(-1, 8, 8)
    pattern = numpy.fromfunction(lambda n, k: (37 * n + 17 * k) % 11, other.shape)
    changed = {
        "half": other,
        "same": kept,
        "blurred": ((pictures + numpy.roll(pictures, -1, axis=2)) / 2).reshape(-1, 64),
        "noisy": other + 0.5 * (pattern / 5 - 1),
        "scaled": 0.9 * other,
    }

    def distance(a, b):
        middle = scipy.linalg.sqrtm(numpy.cov(a.T) @ numpy.cov(b.T))
        return ((a.mean(0) - b.mean(0)) ** 2).sum() + numpy.trace(numpy.cov(a.T) + numpy.cov(b.T) - 2 * middle.real)

    return save({name: numpy.array([distance(kept, value)]) for name, value in changed.items()})


FILES = {"training.safetensors": steps, "frechet.safetensors": distances}
