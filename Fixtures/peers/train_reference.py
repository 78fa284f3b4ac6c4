"""The model of Sources/DigitsModel in PyTorch, trained with diffusers' noise schedule, average and learning rate.

    scheduler train --output-dir first --max-train-steps 1 --lr-warmup-steps 1     # rate 0: the first weights and the defaults
    .venv/bin/python Fixtures/peers/train_reference.py --initial-weights first/model.safetensors --output torch.safetensors
    scheduler evaluate --model torch.safetensors

recipes/training.py runs it on given weights, batches and noise; `scheduler train` is to have the same losses.
"""

import argparse
import json
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
    path = pathlib.Path(__file__).resolve().parent.parent.parent / "Sources/DigitsModel/Resources/digits.csv"
    lines = numpy.genfromtxt(path, delimiter=",", skip_header=1)
    return torch.tensor(lines[:, 1:] / 8 - 1, dtype=torch.float32), torch.tensor(lines[:, 0], dtype=torch.int64)


def stratified(count):
    """`Stratified`: the i-th timestep from the i-th of equal slices."""
    return ((torch.arange(count, dtype=torch.float64) + torch.rand(count, dtype=torch.float64)) / count * 1000).long()


def batches(count, size):
    """Every digit once an epoch, in random order; a batch may begin in one epoch and end in the next."""
    order = torch.empty(0, dtype=torch.int64)
    while True:
        while len(order) < size:
            order = torch.cat([order, torch.randperm(count)])
        yield order[:size]
        order = order[size:]


# What this script trains; a configuration that says anything else is refused.
FIXED = {
    "prediction_type": "v", "ddpm_beta_schedule": "cosine", "ddpm_num_steps": 1000, "loss_type": "mse",
    "variance_type": "fixedLarge", "timestep_sampler": "stratified", "use_ema": True, "ema_inv_gamma": 1, "ema_power": 0.75,
    "adam_beta1": 0.9, "adam_beta2": 0.999, "adam_epsilon": 1e-8, "noise_offset": 0, "input_perturbation": 0,
    "lr_scheduler": "cosine", "gradient_accumulation_steps": 1,
}
# What it does as the configuration says, and what is not about the training.
FREE = {
    "hidden_size", "hidden_blocks", "train_batch_size", "max_train_steps", "learning_rate", "lr_warmup_steps", "adam_weight_decay",
    "max_grad_norm", "class_dropout", "ema_max_decay", "seed", "logging_steps", "checkpointing_steps", "checkpoints_total_limit",
    "validation_steps", "num_validation_images", "num_validation_samples", "guidance_scale", "s_churn",
    "s_noise",
}


def main():
    from safetensors import safe_open
    from safetensors.torch import save_file

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--initial-weights", required=True, help="a model.safetensors of `scheduler train`, whose configuration is kept but for")
    parser.add_argument("--max-train-steps", type=int, default=3000)
    parser.add_argument("--lr-warmup-steps", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0, help="of the order of the digits, the timesteps and the noise")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", help="a safetensors file for the averaged weights, for `scheduler evaluate --model`")
    arguments = parser.parse_args()
    with safe_open(arguments.initial_weights, framework="pt") as file:
        c = json.loads(file.metadata()["training_configuration"])
        weights = {name: file.get_tensor(name) for name in file.keys()}
    other = {name: value for name, value in c.items() if name not in FREE and (name not in FIXED or FIXED[name] != value)}
    if other:
        parser.error(f"{arguments.initial_weights} is of a training that this script does not do: {other}")
    c |= {"max_train_steps": arguments.max_train_steps, "lr_warmup_steps": arguments.lr_warmup_steps, "seed": arguments.seed}
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    network = Network(c["hidden_size"], c["hidden_blocks"], frequencies=64)
    network.load_state_dict(weights)
    training = Training(
        network, c["learning_rate"], c["lr_warmup_steps"], c["max_train_steps"], c["adam_weight_decay"], c["max_grad_norm"],
        c["ema_max_decay"])
    images, labels = (values[::2] for values in digits())
    start = time.perf_counter()
    for step, chosen in zip(range(c["max_train_steps"]), batches(len(images), c["train_batch_size"])):
        told = torch.where(torch.rand(len(chosen)) < c["class_dropout"], CLASSES, labels[chosen])
        loss, _ = training.step(images[chosen], told, torch.randn(len(chosen), PIXELS), stratified(len(chosen)))
        if (step + 1) % 500 == 0:
            rate = (step + 1) / (time.perf_counter() - start)
            print(f"step {step + 1}: loss {loss:.4f}, {rate:.1f} steps a second on {arguments.threads} threads", flush=True)
    if arguments.output:
        training.average.copy_to(network.parameters())
        save_file(network.state_dict(), arguments.output, {"training_configuration": json.dumps(c), "format": "pt"})


if __name__ == "__main__":
    main()
