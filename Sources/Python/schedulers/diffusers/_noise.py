"""Noise as diffusers' classes draw it, from the same generator, in the same type and at the same calls."""

from __future__ import annotations

from typing import Any

import torch
from diffusers.utils.torch_utils import randn_tensor

from ._moves import Call


def drawn(
    scheduler: Any, asked: Call, call: int, output: torch.Tensor, x: torch.Tensor, given: dict[str, Any]
) -> torch.Tensor | None:
    """The noise of a step, or None; it is drawn where the original draws, also if the plan has no use of it."""
    traits = scheduler._traits
    draws = traits.draws(scheduler, call, asked.timestep, given)
    if not draws and not asked.needs_noise:
        return None
    generator: Any = given.get("generator")
    noise: torch.Tensor | None = given.get("variance_noise")
    if traits.brownian:
        # A path does not run on as a generator does, and what is not used need not be drawn.
        return path(scheduler, call, output, x, generator) if draws and asked.needs_noise else None
    if noise is not None:
        if generator is not None and "eta" in given and draws:
            raise ValueError("both a generator and variance_noise are given; leave one out")
        return noise.to(output.device, torch.float32) if traits.noise == "float32" else noise
    shape = x.shape if output.ndim > 1 and output.shape[1] == 2 * x.shape[1] else output.shape
    kind = output.dtype
    if traits.noise == "float32":
        kind = torch.float32
    elif traits.noise != "output":
        kind = torch.promote_types(torch.float32 if traits.noise == "wide" else x.dtype, kind)
    made: torch.Tensor = randn_tensor(shape, generator=generator, device=output.device, dtype=kind)
    return made


def path(scheduler: Any, call: int, output: torch.Tensor, x: torch.Tensor, generator: Any) -> torch.Tensor:
    """Of a Brownian path over sigma, from that of the call's step to that where it ends."""
    sigmas = scheduler.sigmas
    if scheduler._original.__name__ != "DPMSolverSDEScheduler":
        if scheduler.noise_sampler is None:
            seeds = [one.initial_seed() for one in generator] if isinstance(generator, list) else None
            scheduler.noise_sampler = tree(
                scheduler,
                output,
                scheduler.config.sigma_min,
                scheduler.config.sigma_max,
                seeds or generator and generator.initial_seed(),
            )
        noise: torch.Tensor = scheduler.noise_sampler(sigmas[call], sigmas[call + 1]).to(output.device)
        return noise
    if scheduler.noise_sampler is None:
        scheduler.noise_sampler = tree(
            scheduler, x, sigmas[sigmas > 0].min().item(), sigmas.max().item(), scheduler.noise_sampler_seed
        )
    start, end = sigmas[call - call % 2], sigmas[call - call % 2 + 1]
    # In logarithms and back, in float32: the path is rough, and another last digit another noise. The second call's is
    # what the path does from the middle on; the plan adds the part that the first has drawn.
    t, t_end = -start.log(), -end.log()
    middle = t + (t_end - t) * 0.5
    t, t_end = (t, middle) if call % 2 == 0 else (middle, t_end)
    noise = scheduler.noise_sampler((-t).exp(), (-t_end).exp())
    return noise


def tree(scheduler: Any, like: torch.Tensor, least: float, most: float, seed: Any) -> Any:
    """A path between two sigmas. Other sigmas than the original's have their own ends: torchsde does not stop where an
    end is all but one of them."""
    from diffusers.schedulers.scheduling_dpmsolver_sde import BrownianTreeNoiseSampler

    if scheduler.fidelity == "corrected":
        sigmas = scheduler.sigmas
        least, most = sigmas[sigmas > 0].min().item(), sigmas.max().item()
    return BrownianTreeNoiseSampler(like, least, most, seed)


def churned(
    scheduler: Any, call: int, x: torch.Tensor, output: torch.Tensor, noise: torch.Tensor, given: dict[str, Any]
) -> torch.Tensor:
    """x̂0 as Euler's classes answer it where they add noise: of the sample with it, and the sigma that it has then."""
    sigma: torch.Tensor = scheduler.sigmas[call]
    hat = sigma * (1 + min(given["s_churn"] / (len(scheduler.sigmas) - 1), 2**0.5 - 1))
    x = x.float() + noise * given.get("s_noise", 1.0) * (hat**2 - sigma**2) ** 0.5
    if hasattr(scheduler, "precondition_outputs"):
        denoised: torch.Tensor = scheduler.precondition_outputs(x, output, hat)
        return denoised
    if scheduler.config.prediction_type == "epsilon":
        x = x - hat * output
        return x
    if scheduler.config.prediction_type == "v_prediction":
        x = output * (-sigma / (sigma**2 + 1) ** 0.5) + x / (sigma**2 + 1)
        return x
    return output
