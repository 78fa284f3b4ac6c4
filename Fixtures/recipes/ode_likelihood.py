"""Log-likelihoods by the probability-flow ODE: k-diffusion's `log_likelihood`, its ODE solved to 12 digits.

`ode-likelihood.safetensors`: `x` [2, 3] samples at sigma_min; `sigmas` [2] sigma_min and sigma_max; `mixture` [3, 2] centre m and variance c of
each coordinate's density, half of N(m, c) and half of N(−m, c); `log-likelihood` [2]. As the coordinates are independent, the trace by a probe
of ±1 is exact.
"""

import numpy
from safetensors.numpy import save

from recipes.plans import load_k_diffusion

MIXTURE = [(0.5, 0.04), (1.25, 0.09), (0.75, 0.25)]


def likelihoods():
    import scipy.integrate
    import torch

    sampling = load_k_diffusion()
    centre, variance = torch.tensor(MIXTURE, dtype=torch.float64).T

    def denoise(x, sigma):
        spread = variance + sigma[:, None] ** 2
        return (variance * x + sigma[:, None] ** 2 * centre * torch.tanh(centre * x / spread)) / spread

    def odeint(function, state, times, atol, rtol, method):
        x, log = state
        def flat(t, y):
            d, change = function(torch.tensor(t), (torch.tensor(y[:x.numel()]).reshape(x.shape), None))
            return numpy.concatenate([d.flatten().numpy(), change.detach().numpy()])
        start = numpy.concatenate([x.flatten().numpy(), log.numpy()])
        made = scipy.integrate.solve_ivp(flat, times.tolist(), start, method="DOP853", rtol=1e-12, atol=1e-12)
        end = torch.tensor(made.y[:, -1])
        return x[None].expand(2, *x.shape).clone().index_copy(0, torch.tensor([1]), end[:x.numel()].reshape(1, *x.shape)), \
            torch.stack([log, end[x.numel():]])

    torch.manual_seed(7)
    x = torch.tensor([[0.4, -1.1, 0.2], [-0.7, 1.6, -1.3]], dtype=torch.float64)
    sigmas = (0.02, 20.0)
    kept, sampling.odeint = sampling.odeint, odeint
    try:
        value, _ = sampling.log_likelihood(denoise, x, *sigmas)
    finally:
        sampling.odeint = kept
    made = {
        "x": x.numpy(), "sigmas": numpy.array(sigmas), "mixture": numpy.array(MIXTURE),
        # Six digits fewer than the solver's, so that its last bits do not matter.
        "log-likelihood": numpy.round(value.numpy(), 9)}
    return save(made)


FILES = {"ode-likelihood.safetensors": likelihoods}
