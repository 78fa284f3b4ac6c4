"""The model of Sources/DigitsModel in PyTorch, trained with diffusers' noise schedule, average and learning rate.

    .venv/bin/python Fixtures/train_reference.py --initial-weights FILE [--steps 1000]     # trains, and prints losses and speed

recipes/training.py runs it on given weights, batches and noise; `scheduler train` is to have the same losses.
"""

import argparse
import math
import pathlib
import time

import numpy
import torch

PIXELS, CLASSES = 64, 10


class Block(torch.nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.up = torch.nn.Linear(hidden, hidden)
        self.down = torch.nn.Linear(hidden, hidden)

    def forward(self, h, condition):
        return h + self.down(torch.nn.functional.silu(self.up(h + condition)))


class Network(torch.nn.Module):
    def __init__(self, hidden, blocks, frequencies, learns_variance=False):
        super().__init__()
        self.frequencies = frequencies
        self.input = torch.nn.Linear(PIXELS, hidden)
        self.time = torch.nn.Sequential(
            torch.nn.Linear(frequencies, hidden), torch.nn.SiLU(), torch.nn.Linear(hidden, hidden))
        self.labels = torch.nn.Embedding(CLASSES + 1, hidden)
        self.blocks = torch.nn.ModuleList(Block(hidden) for _ in range(blocks))
        self.output = torch.nn.Linear(hidden, 2 * PIXELS if learns_variance else PIXELS)

    def embedding(self, timesteps):
        """guided-diffusion's timestep_embedding, with the angles in float64."""
        half = self.frequencies // 2
        angles = timesteps.double()[:, None] * torch.exp(-math.log(10000) * torch.arange(half, dtype=torch.float64) / half)
        return torch.cat([angles.cos(), angles.sin()], dim=1).to(self.input.weight.dtype)

    def forward(self, x, timesteps, labels):
        condition = self.time(self.embedding(timesteps)) + self.labels(labels)
        h = self.input(x)
        for block in self.blocks:
            h = block(h, condition)
        return self.output(torch.nn.functional.silu(h))


def v_target(scheduler, x0, epsilon, timesteps):
    return scheduler.get_velocity(x0, epsilon, timesteps)


class Training:
    """A network, its optimizer, its average and its learning rate."""

    def __init__(self, network, learning_rate, warmup, steps, weight_decay=1e-2, max_grad_norm=1.0, max_decay=0.9999):
        from diffusers import DDPMScheduler
        from diffusers.optimization import get_scheduler
        from diffusers.training_utils import EMAModel

        self.network = network
        self.scheduler = DDPMScheduler(num_train_timesteps=1000, beta_schedule="squaredcos_cap_v2", prediction_type="v_prediction")
        self.optimizer = torch.optim.AdamW(network.parameters(), lr=learning_rate, weight_decay=weight_decay, foreach=True)
        self.rate = get_scheduler("cosine", self.optimizer, num_warmup_steps=warmup, num_training_steps=steps)
        self.average = EMAModel(
            network.parameters(), decay=max_decay, use_ema_warmup=True, inv_gamma=1.0, power=0.75, foreach=True)
        self.max_grad_norm = max_grad_norm

    def step(self, x0, labels, epsilon, timesteps):
        """The loss before the step, and the norm of the gradient."""
        sample = self.scheduler.add_noise(x0, epsilon, timesteps)
        target = v_target(self.scheduler, x0, epsilon, timesteps)
        output = self.network(sample, timesteps, labels)
        loss = torch.nn.functional.mse_loss(output, target)
        self.optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.max_grad_norm)
        self.optimizer.step()
        self.rate.step()
        self.average.step(self.network.parameters())
        return loss.item(), norm.item()


def digits():
    """Images in -1 ... 1 and labels; the ones with even index are for training."""
    lines = numpy.genfromtxt(pathlib.Path(__file__).parent / "Data" / "digits.csv", delimiter=",", skip_header=1)
    return torch.tensor(lines[:, 1:] / 8 - 1, dtype=torch.float32), torch.tensor(lines[:, 0], dtype=torch.int64)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--initial-weights", help="a safetensors file, such as the model.safetensors of `scheduler train`")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--train-batch-size", type=int, default=128)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    network = Network(hidden=192, blocks=5, frequencies=64)
    if arguments.initial_weights:
        from safetensors.torch import load_file

        network.load_state_dict(load_file(arguments.initial_weights))
    training = Training(network, learning_rate=2e-3, warmup=500, steps=arguments.steps)
    images, labels = digits()
    images, labels = images[::2], labels[::2]
    start = time.perf_counter()
    for step in range(arguments.steps):
        chosen = torch.randint(len(images), (arguments.train_batch_size,))
        told = torch.where(torch.rand(len(chosen)) < 0.1, CLASSES, labels[chosen])
        timesteps = torch.randint(1000, (len(chosen),))
        loss, _ = training.step(images[chosen], told, torch.randn(len(chosen), PIXELS), timesteps)
        if (step + 1) % 100 == 0:
            rate = (step + 1) / (time.perf_counter() - start)
            print(f"step {step + 1}: loss {loss:.4f}, {rate:.1f} steps a second on {arguments.threads} threads")


if __name__ == "__main__":
    main()
