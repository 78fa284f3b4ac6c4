"""Times `step` of diffusers' schedulers and of ours, beside each other in one run, as tables for Docs/Python.md.

    python Sources/Python/benchmarks/steps.py [--rounds 7]

SCHEDULERS_LIBRARY names the library; without it, the one that `make c` builds is taken. The network's output is ready,
x̂0 is answered where diffusers' class answers it, and noise comes from the same generator. A round makes a run with each
scheduler; a time is the median of all steps, a ratio that of the rounds' ratios.
"""

import argparse
import os
import pathlib
import platform
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "Sources/Python"))
os.environ.setdefault("SCHEDULERS_LIBRARY", str(ROOT / ".build/c/libschedulers.so"))

import diffusers  # noqa: E402
import torch  # noqa: E402
from schedulers.diffusers import Scheduler  # noqa: E402

# The names of the rows, the class and its options.
ROWS = {
    "Euler": ("EulerDiscreteScheduler", {}),
    "DDIM": ("DDIMScheduler", {"clip_sample": False}),
    "DDIM, clipped": ("DDIMScheduler", {}),
    "DPM-Solver++ 2M": ("DPMSolverMultistepScheduler", {}),
    "UniPC": ("UniPCMultistepScheduler", {}),
    "rectified flow": ("FlowMatchEulerDiscreteScheduler", {}),
    "Heun": ("HeunDiscreteScheduler", {}),
    "DDPM, with noise": ("DDPMScheduler", {}),
    "Euler ancestral, with noise": ("EulerAncestralDiscreteScheduler", {}),
}
SHAPES = {"16K": (1, 4, 64, 64), "64K": (1, 4, 128, 128), "512K": (8, 4, 128, 128), "12.6M": (16, 3, 512, 512)}


def times(scheduler, x, output, steps):
    """The seconds of each step of a run."""
    scheduler.set_timesteps(steps)
    takes = {"generator": torch.Generator().manual_seed(0)} if scheduler.__class__.__name__ in NOISY else {}
    found = []
    for t in scheduler.timesteps:
        if hasattr(scheduler, "scale_model_input"):
            scheduler.scale_model_input(x, t)
        start = time.perf_counter()
        scheduler.step(output, t, x, return_dict=False, **takes)
        found.append(time.perf_counter() - start)
    return found


NOISY = ("DDPMScheduler", "EulerAncestralDiscreteScheduler")


def row(name, options, shape, rounds):
    """The times of diffusers and ours in microseconds, and their ratio."""
    theirs = getattr(diffusers, name)(**options)
    ours = Scheduler.from_config(theirs, fidelity="diffusers")
    generator = torch.Generator().manual_seed(1)
    x, output = (torch.randn(shape, generator=generator) for _ in range(2))
    steps = 4 if x.numel() > 1 << 22 else 20
    for scheduler in (theirs, ours):
        times(scheduler, x, output, steps)
    made = [(times(theirs, x, output, steps), times(ours, x, output, steps)) for _ in range(rounds)]
    a, b = (1e6 * statistics.median(value for pair in made for value in pair[side]) for side in (0, 1))
    return a, b, statistics.median(statistics.median(p) / statistics.median(q) for p, q in made)


def table(threads, rounds):
    torch.set_num_threads(threads)
    print(f"| step of | {' | '.join(SHAPES)} |\n|---|{'---|' * len(SHAPES)}")
    for title, (name, options) in ROWS.items():
        cells = []
        for shape in SHAPES.values():
            theirs, ours, ratio = row(name, options, shape, rounds)
            cells.append(f"{theirs:.3g} by {ours:.3g}: **{ratio:.2g}**")
        print(f"| {title} | {' | '.join(cells)} |", flush=True)
    print(f"\nTwo sums of torch, in microseconds: {', '.join(f'{n} {sums(s):.3g}' for n, s in SHAPES.items())}.\n")


def sums(shape):
    """The microseconds of the two operations of torch without which a sample and an x̂0 cannot be made there."""
    x, output = torch.randn(shape), torch.randn(shape)
    found = []
    for _ in range(20 if x.numel() > 1 << 22 else 500):
        start = time.perf_counter()
        torch.add(x, output, alpha=0.5), torch.add(x, output, alpha=0.25)
        found.append(time.perf_counter() - start)
    return 1e6 * statistics.median(found)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7, help="how many runs each scheduler makes; 7 without it")
    rounds = parser.parse_args().rounds
    processors = os.cpu_count() or 1
    load = f", load average {os.getloadavg()[0]:.2f}" if hasattr(os, "getloadavg") else ""
    print(
        f"{platform.machine()}, {processors} processors{load}; Python {platform.python_version()}, torch "
        f"{torch.__version__}, diffusers {diffusers.__version__}. Microseconds of diffusers by ours: the ratio.\n"
    )
    with torch.no_grad():
        for threads, heading in ((1, "One thread"), (processors, "As many threads as processors")):
            print(f"{heading}:\n")
            table(threads, rounds)


if __name__ == "__main__":
    main()
