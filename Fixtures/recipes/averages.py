"""Moving averages of weights, and their reconstruction after training.

`averages.safetensors`:

- `latest` [N, 3] weights after each of N steps; `decay/NAME` [N] and `average/NAME` [3] the decays and the last average of diffusers'
  EMAModel in float64, plain (`gradual`), with warm-up (`warmUp`) and with min_decay = decay (`constant`).
- `deviations` [K], `exponents` [K] σ_rel and γ of power-function averages, in 50 digits.
- `snapshots` [S, 2] γ and step of snapshots; `targets` [R, 2] γ and step of wanted averages; `weights` [R, S] what solves the normal
  equations of appendix C of Karras et al. 2024 in 50 digits; `residuals` [R] the norm of the difference of profiles that is left.
"""

import mpmath
import numpy
from mpmath import mpf
from safetensors.numpy import save


def diffusers():
    import torch
    from diffusers.training_utils import EMAModel

    torch.manual_seed(24)
    latest = torch.randn(20, 3, dtype=torch.float64).cumsum(0)
    made = {"latest": latest.numpy()}
    options = {
        "gradual": {"decay": 0.6}, "warmUp": {"decay": 0.85, "use_ema_warmup": True, "inv_gamma": 2.0, "power": 0.75},
        "constant": {"decay": 0.9, "min_decay": 0.9}}
    for name, arguments in options.items():
        parameter = torch.nn.Parameter(torch.zeros(3, dtype=torch.float64))
        average, decays = EMAModel([parameter], **arguments), []
        for row in latest:
            parameter.data.copy_(row)
            average.step([parameter])
            decays.append(average.cur_decay_value)
        made[f"decay/{name}"] = numpy.array(decays)
        made[f"average/{name}"] = average.shadow_params[0].numpy()
    return made


def product(a, b):
    """The integral of the product of two profiles, by its definition: both are (γ + 1)·τ^γ/t^(γ + 1)."""
    (first, start), (second, end) = a, b
    power = first + second + 1
    return (first + 1) * (second + 1) * min(start, end) ** power / power / start ** (first + 1) / end ** (second + 1)


def power():
    deviations = [mpf("0.01"), mpf("0.05"), mpf("0.1"), mpf("0.25"), mpf("0.288")]
    deviations = [mpf(float(deviation)) for deviation in deviations]
    exponents = []
    for deviation in deviations:
        # EDM2 takes the largest root of this polynomial.
        roots = mpmath.polyroots([1, 7, 16 - 1 / deviation**2, 12 - 1 / deviation**2], maxsteps=200, extraprec=200)
        exponents.append(max(mpmath.re(root) for root in roots))
    long, short = (mpf(float(exponents[k])) for k in (1, 2))
    snapshots = [(gamma, mpf(step)) for step in (250, 500, 750, 1000) for gamma in (long, short)]
    targets = [(mpf(10), mpf(1000)), (mpf(25), mpf(1000)), (mpf(8.5), mpf(900)), (short, mpf(750))]
    matrix = mpmath.matrix([[product(a, b) for b in snapshots] for a in snapshots])
    weights, residuals = [], []
    for target in targets:
        right = mpmath.matrix([product(a, target) for a in snapshots])
        solution = mpmath.lu_solve(matrix, right)
        weights.append(list(solution))
        left = product(target, target) - sum(right[i] * solution[i] for i in range(len(snapshots)))
        residuals.append(mpmath.sqrt(max(left, mpf(0))))
    return {
        "deviations": deviations, "exponents": exponents, "snapshots": snapshots, "targets": targets, "weights": weights,
        "residuals": residuals}


def averages():
    with mpmath.workdps(60):
        made = {name: numpy.array(values, dtype=object).astype(float) for name, values in power().items()}
    return save({**made, **diffusers()})


FILES = {"averages.safetensors": averages}
