"""The jobs of other libraries that `make bench` compares this one with.

    python Fixtures/peers/benchmark_peers.py [--guided-diffusion PATH]

Reads lines `job size repetitions` from standard input and answers each with the nanoseconds that one repetition took, or with
`missing` and the reason. `size` is the batch, channels, height and width, joined by x. `threads N` sets the number of torch's threads.
"""

import argparse
import os
import sys
import time

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy
import torch

STEPS = 1000
torch.set_grad_enabled(False)


def tensors(shape):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(shape, generator=generator), torch.randn(shape, generator=generator)


def scheduler(name, **options):
    import diffusers

    made = getattr(diffusers, name)(num_train_timesteps=STEPS, beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, **options)
    made.set_timesteps(STEPS)
    return made


def diffusers_step(name, shape, **options):
    stepper = scheduler(name)
    sample, output = tensors(shape)
    generator = torch.Generator().manual_seed(1)
    state = {"t": STEPS}

    def step():
        state["t"] = state["t"] - 1 if state["t"] > 10 else STEPS - 1
        stepper.step(output, state["t"], sample, generator=generator, **options)

    return step


def gaussian_diffusion(learned=False, loss=None):
    from guided_diffusion import gaussian_diffusion as gd

    return gd.GaussianDiffusion(
        betas=gd.get_named_beta_schedule("linear", STEPS), model_mean_type=gd.ModelMeanType.EPSILON,
        model_var_type=gd.ModelVarType.LEARNED_RANGE if learned else gd.ModelVarType.FIXED_SMALL,
        loss_type=loss or gd.LossType.MSE)


def network_output(shape, learned):
    """An output that stands for a network's, with the channels of a learned variance where there is one."""
    generator = torch.Generator().manual_seed(2)
    return torch.randn((shape[0], shape[1] * (2 if learned else 1), *shape[2:]), generator=generator)


def guided_step(method, shape, **options):
    diffusion = gaussian_diffusion()
    sample, output = tensors(shape)
    t = torch.full((shape[0],), 500)
    return lambda: getattr(diffusion, method)(lambda x, t, **_: output, sample, t, **options)


FACTORS = (0.9, 0.3, 1.1, -0.4)


def formula(x, m):
    a, b, p, q = FACTORS
    return a * x + b * (p * x + q * m).clamp(-1, 1)


def compiled(shape):
    step = torch.compile(formula)
    sample, output = tensors(shape)
    return lambda: step(sample, output)


def compiled_in_place(shape):
    step = torch.compile(lambda x, m: x.copy_(formula(x, m)))
    sample, output = tensors(shape)
    return lambda: step(sample, output)


def numpy_step(shape):
    x, m = (t.numpy() for t in tensors(shape))
    a, b, p, q = (numpy.float32(f) for f in FACTORS)
    return lambda: a * x + b * numpy.clip(p * x + q * m, -1, 1)


def numpy_noisy_step(shape):
    step, generator = numpy_step(shape), numpy.random.default_rng(0)
    s = numpy.float32(0.1)
    return lambda: step() + s * generator.standard_normal(shape, dtype=numpy.float32)


def normals(shape):
    buffer = torch.empty(shape)
    return lambda: buffer.normal_()


def fresh_normals(shape):
    return lambda: torch.randn(shape)


def numpy_randn(shape):
    state = numpy.random.RandomState(0)
    return lambda: state.randn(*shape)


def forward_process(method):
    """Forward noising with a timestep for each sample, by diffusers or by guided-diffusion."""

    def job(shape):
        x0, noise = tensors(shape)
        timesteps = torch.arange(shape[0]) * 61 % STEPS
        if method == "add_noise":
            stepper = scheduler("DDPMScheduler")
            return lambda: stepper.add_noise(x0, noise, timesteps)
        diffusion = gaussian_diffusion()
        return lambda: diffusion.q_sample(x0, timesteps, noise=noise)

    return job


def trained(shape, learned, loss):
    """guided-diffusion's training_losses on a network that has its output ready, and the gradient by that output."""
    from guided_diffusion import gaussian_diffusion as gd

    diffusion = gaussian_diffusion(learned, getattr(gd.LossType, loss))
    (x0, noise), output = tensors(shape), network_output(shape, learned)
    timesteps = torch.arange(shape[0]) * 61 % STEPS
    output.requires_grad_()

    def step():
        with torch.enable_grad():
            output.grad = None
            diffusion.training_losses(lambda x, t: output, x0, timesteps, noise=noise)["loss"].mean().backward()

    return step


def bound(shape, learned):
    """guided-diffusion's terms of the variational bound."""
    diffusion = gaussian_diffusion(learned)
    (x0, noise), output = tensors(shape), network_output(shape, learned)
    timesteps = torch.arange(shape[0]) * 61 % STEPS + 1
    sample = diffusion.q_sample(x0, timesteps, noise=noise)
    return lambda: diffusion._vb_terms_bpd(lambda x, t: output, x0, sample, timesteps)


def distribution(shape, learned):
    diffusion = gaussian_diffusion(learned)
    (sample, _), output = tensors(shape), network_output(shape, learned)
    timesteps = torch.arange(shape[0]) * 61 % STEPS
    return lambda: diffusion.p_mean_variance(lambda x, t: output, sample, timesteps)


def whole_bound(shape):
    diffusion = gaussian_diffusion(True)
    x0, output = tensors(shape)[0].clamp(-1, 1), network_output(shape, True)
    return lambda: diffusion.calc_bpd_loop(lambda x, t: output, x0)


def diffused(shape):
    """What a training script of diffusers does before its network, for v-prediction."""
    stepper, x0 = scheduler("DDPMScheduler"), tensors(shape)[0]
    timesteps = torch.arange(shape[0]) * 61 % STEPS

    def step():
        noise = torch.randn_like(x0)
        return stepper.add_noise(x0, noise, timesteps), stepper.get_velocity(x0, noise, timesteps)

    return step


def brownian(steps):
    """The steps of a run of DPM++ SDE in torchsde's tree, as k-diffusion asks for them, and a tree to begin with."""

    def job(shape):
        import torchsde

        sigmas = torch.linspace(14.6146 ** (1 / 7), 0.0292 ** (1 / 7), steps + 1) ** 7

        def run():
            tree = torchsde.BrownianTree(sigmas[-1], torch.zeros(shape), sigmas[0], entropy=1)
            for end, start in zip(sigmas[1:], sigmas):
                tree(end, start)

        return run

    return job


def numpy_normals(shape):
    generator = numpy.random.default_rng(0)
    buffer = numpy.empty(shape, dtype=numpy.float32)
    return lambda: generator.standard_normal(out=buffer, dtype=numpy.float32)


def quantile(shape):
    flat = tensors(shape)[0].reshape(shape[0], -1)
    return lambda: torch.quantile(flat.abs(), 0.995, dim=1)


def snr_weights(shape):
    """As diffusers' training scripts weigh losses: compute_snr, then the smaller of it and gamma, divided by it."""
    from diffusers.training_utils import compute_snr

    ddpm = scheduler("DDPMScheduler")
    timesteps = torch.arange(4096) % STEPS

    def weights():
        snr = compute_snr(ddpm, timesteps)
        return torch.stack([snr, 5 * torch.ones_like(timesteps)], dim=1).min(dim=1)[0] / snr

    return weights


def training(shape):
    """A step of train_reference.py."""
    import train_reference

    torch.manual_seed(0)
    run = train_reference.Training(train_reference.Network(192, 5, 64), learning_rate=1e-3, warmup=1, steps=10**9)
    x0, labels = torch.randn(128, 64), torch.arange(128) % 11

    def step():
        with torch.enable_grad():
            run.step(x0, labels, torch.randn(128, 64), torch.randint(STEPS, (128,)))

    return step


def construction(shape):
    from diffusers import DDPMScheduler

    return DDPMScheduler


JOBS = {
    "diffusers-ddim": lambda shape: diffusers_step("DDIMScheduler", shape, eta=0.0),
    "diffusers-ddpm": lambda shape: diffusers_step("DDPMScheduler", shape),
    "guided-p_sample": lambda shape: guided_step("p_sample", shape),
    "guided-ddim_sample": lambda shape: guided_step("ddim_sample", shape, eta=0.0),
    "guided-construction": lambda shape: gaussian_diffusion,
    "diffusers-construction": construction,
    "diffusers-snr": snr_weights,
    "compile": compiled,
    "compile-in-place": compiled_in_place,
    "numpy": numpy_step,
    "numpy-noise": numpy_noisy_step,
    "torch-normal": normals,
    "torch-randn": fresh_normals,
    "numpy-normal": numpy_normals,
    "numpy-randn": numpy_randn,
    "diffusers-add_noise": forward_process("add_noise"),
    "guided-q_sample": forward_process("q_sample"),
    "torch-quantile": quantile,
    "torch-training": training,
    "guided-mse": lambda shape: trained(shape, False, "MSE"),
    "guided-hybrid": lambda shape: trained(shape, True, "RESCALED_MSE"),
    "guided-bound": lambda shape: bound(shape, True),
    "guided-bound-fixed": lambda shape: bound(shape, False),
    "guided-distribution": lambda shape: distribution(shape, True),
    "guided-bpd": whole_bound,
    "guided-bpd-digits": lambda shape: whole_bound((64, 1, 8, 8)),
    "diffusers-diffuse": diffused,
    "torchsde-20": brownian(20),
    "torchsde-200": brownian(200),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--guided-diffusion")
    arguments = parser.parse_args()
    if arguments.guided_diffusion:
        sys.path.insert(0, arguments.guided_diffusion)
    # Libraries may print; the answers are alone on the real standard output.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    ready = {}
    for line in sys.stdin:
        job, *rest = line.split()
        try:
            if job == "threads":
                torch.set_num_threads(int(rest[0]))
                torch._dynamo.reset()
                ready.clear()
                print("0", file=answers)
                continue
            if job == "versions":
                import diffusers

                print(f"Python {sys.version.split()[0]}, torch {torch.__version__}, diffusers {diffusers.__version__}, "
                      f"NumPy {numpy.__version__}", file=answers)
                continue
            size, repetitions = rest[0], int(rest[1])
            if (job, size) not in ready:
                # Large tensors of one size at a time.
                for key in [key for key in ready if key[1] != size]:
                    del ready[key]
                ready[job, size] = JOBS[job](tuple(map(int, size.split("x"))))
                ready[job, size]()
            run = ready[job, size]
            start = time.perf_counter_ns()
            for _ in range(repetitions):
                run()
            print((time.perf_counter_ns() - start) / repetitions, file=answers)
        except Exception as error:
            print("missing", str(error).splitlines()[0] if str(error) else type(error).__name__, file=answers)


main()
