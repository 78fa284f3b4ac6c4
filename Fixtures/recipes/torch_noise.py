"""What torch draws on a CPU, under both of its code paths.

An entry is consecutive draws from one generator. `words` are the float64 or int64 bits of all its numbers; of these, the file holds a
checksum, and samples: the first, the last and some between, as [position, bits in hexadecimal].
"""

import json
import os
import subprocess
import sys

import numpy

SEEDS = [0, 42, 1234, 2**32 + 7, 2**64 - 1]
MILLION = 1_000_003


def summary(values):
    """The checksum and samples of numbers: FNV-1a, word by word."""
    words = numpy.concatenate(values).view(numpy.uint64)
    digest = 0xCBF29CE484222325
    for word in words.tolist():
        digest = (digest ^ word) * 0x100000001B3 % 2**64
    positions = sorted({0, len(words) - 1, *(len(words) * k // 7 for k in range(1, 7))})
    return {"checksum": f"{digest:016x}", "samples": [[i, f"{int(words[i]):016x}"] for i in positions]}


def normals(arithmetic):
    """Entries of `torch.randn`, of the code path of this process."""
    import torch

    assert torch.backends.cpu.get_cpu_capability() == {"avx2": "AVX2", "standard": "DEFAULT"}[arithmetic]
    entries = []
    for precision in ("float32", "float64", "float16", "bfloat16"):
        runs = [(seed, [9, 9, 1, 16, 17, 31, 1000, 3]) for seed in SEEDS] + [(42, [15, 1, 3 * 5 * 7 * 11, 2]), (1234, [MILLION, 16])]
        for seed, draws in runs:
            generator = torch.Generator().manual_seed(seed)
            values = [torch.randn(n, dtype=getattr(torch, precision), generator=generator).double().numpy() for n in draws]
            entries.append(
                {"precision": precision, "arithmetic": arithmetic, "seed": f"{seed:x}", "draws": draws, **summary(values)})
    return entries


def torch_noise():
    import torch

    # The code path is chosen once in a process.
    other = subprocess.run(
        [sys.executable, "-c", "from recipes import torch_noise as t; print(t.json.dumps(t.normals('standard')))"],
        env={**os.environ, "ATEN_CPU_CAPABILITY": "default"}, cwd=os.path.dirname(os.path.dirname(__file__)),
        check=True, capture_output=True, text=True)
    file = {"normals": normals("avx2") + json.loads(other.stdout)}

    file["uniforms"] = []
    for precision in ("float32", "float64", "float16", "bfloat16"):
        draws = [7, 20000, 1]
        generator = torch.Generator().manual_seed(5)
        values = [torch.rand(n, dtype=getattr(torch, precision), generator=generator).double().numpy() for n in draws]
        file["uniforms"].append({"precision": precision, "seed": "5", "draws": draws, **summary(values)})

    file["integers"] = []
    for low, high in [(0, 1000), (-5, 7), (0, 2**28 - 1), (0, 2**28), (-(2**31), 2**31), (-(2**62), 2**62 + 3), (3, 4), (-(2**63), 2**63 - 1)]:
        draws = [3, 500, 1]
        generator = torch.Generator().manual_seed(77)
        values = [torch.randint(low, high, (n,), generator=generator).numpy() for n in draws]
        file["integers"].append({"low": low, "high": high, "seed": "4d", "draws": draws, **summary(values)})

    file["permutations"] = []
    for seed in (0, 99):
        draws = [0, 1, 2, 10, 1797]
        generator = torch.Generator().manual_seed(seed)
        values = [torch.randperm(n, generator=generator).numpy() for n in draws]
        file["permutations"].append({"seed": f"{seed:x}", "draws": draws, **summary(values)})

    # Everything draws from one stream, and the spare of a pair outlives what is drawn between.
    generator = torch.Generator().manual_seed(11)
    mixed = [torch.randn(3, generator=generator), torch.rand(2, generator=generator), torch.randn(20, generator=generator),
             torch.randint(0, 10, (2,), generator=generator), torch.randn(2, dtype=torch.float64, generator=generator),
             torch.randperm(4, generator=generator), torch.randn(2, generator=generator)]
    file["mixed"] = [value.double().tolist() for value in mixed]
    # diffusers' randn_tensor with a list of generators.
    from diffusers.utils.torch_utils import randn_tensor

    several = [torch.Generator().manual_seed(seed) for seed in (3, 1, 4)]
    file["listed"] = [randn_tensor((3, 2, 5, 5), generator=several).double().flatten().tolist() for _ in range(2)]
    return json.dumps(file, indent=1) + "\n"


def torch_run():
    """diffusers' DDPM on a CPU in float32, which draws its start and all of its noise from one generator: outputs[k] answers call k, and
    samples[k] is what comes of it."""
    import torch
    from diffusers import DDPMScheduler
    from diffusers.schedulers import scheduling_ddpm
    from diffusers.utils.torch_utils import randn_tensor
    from safetensors.numpy import save

    # Other recipes put recorded noise in its place.
    scheduling_ddpm.randn_tensor = randn_tensor
    assert torch.float32.itemsize == 4 and torch.get_default_dtype() == torch.float32
    scheduler = DDPMScheduler(num_train_timesteps=1000, beta_schedule="scaled_linear", clip_sample=False)
    scheduler.set_timesteps(20)
    shape, generator = (2, 3, 4, 5), torch.Generator().manual_seed(0)
    outputs = numpy.random.default_rng(7).standard_normal((20, *shape), dtype="float32")
    start = sample = torch.randn(shape, generator=generator)
    samples = []
    for output, t in zip(outputs, scheduler.timesteps):
        sample = scheduler.step(torch.from_numpy(output), t, sample, generator=generator).prev_sample
        assert sample.dtype == torch.float32
        samples.append(sample.numpy())
    return save({"betas": scheduler.betas.double().numpy(), "timesteps": scheduler.timesteps.numpy(), "outputs": outputs,
                 "start": start.numpy(), "samples": numpy.stack(samples)})


FILES = {"noise-torch.json": torch_noise, "torch-run.safetensors": torch_run}
