"""Multistep samplers: whole runs of the reference implementations in float64, and their coefficients in 50 digits.

Between two calls of the network a sampler is linear, and so is the whole run: each sample is a sum of the start, the outputs and the
noises with plain numbers. `case.run` [N, 2N + 1] holds them: after call k, the factors of the start, of the outputs of calls
0 ... N - 1, and of the noises of those calls. The network answers with x0, or with epsilon; the levels are those of `case.sigmas`
[N + 1] on the variance-preserving path. A case is sampler/N/prediction.

`case.rows` [R, 7] are coefficients by the papers' formulas on the exact levels of `coefficients.py`, for a case sampler/spacing/N: the
factors of the sample, of this call's estimate, of those one to three calls before, of the noise, and the condition number of that file;
`case.calls` are the calls they belong to. A polynomial is integrated by what it must do to the powers of s: the factors of the values at
its nodes solve a linear system.

Where the references differ from the mathematics:

- DPM-Solver and DPM-Solver++ of order 3, by their authors and in diffusers, take half of the second difference, which costs an order. The
  runs are theirs, as the option `matchesAuthorsCode`; the methods of order 3 are held to the coefficients.
- diffusers' SDE-DPM-Solver++ of order 3 has a wrong sign; the runs are k-diffusion's, which halves the second difference too.
- diffusers' SA-Solver gives a line the slope H/2; the runs are its, as the option `matchesAuthorsCode`, and the coefficients those of the paper.
- diffusers' UniPC is not finite where a step of order above 1 ends in clean data, and with bh1 none. Its runs lower the last orders, as it
  does by default, and those with bh1 stop before.
"""

import mpmath
import numpy
from mpmath import mpf
from safetensors.numpy import save

from recipes import coefficients
from recipes.plans import Process, float64, load_k_diffusion

RUN_STEPS = [1, 2, 3, 4, 7, 12]
COEFFICIENT_STEPS = [1, 2, 3, 5, 20, 1000]


def moments(exponent, count):
    """Integrals of H e^(-H(1-s)) s^j over 0 ... 1, each from the one before; the digits that cancel are there."""
    with mpmath.workdps(120):
        values = [1 - mpmath.exp(-exponent)]
        for j in range(1, count):
            values.append(1 - j * values[-1] / exponent)
        return values


def factors(nodes, wanted):
    """What multiplies the values at the nodes, if s^j is to give wanted[j], as far as there are nodes."""
    with mpmath.workdps(120):
        matrix = mpmath.matrix([[node**j for node in nodes] for j in range(len(nodes))])
        return list(mpmath.lu_solve(matrix, mpmath.matrix(wanted[: len(nodes)])))


class Row:
    """Factors of the sample, of up to four estimates, newest first, and of the noise; and how much larger what they are the difference of
    is."""

    cancelled = mpf(1)

    def __init__(self, sample, estimates=(), noise=mpf(0)):
        self.sample, self.noise = sample, noise
        self.estimates = list(estimates) + [mpf(0)] * (4 - len(estimates))

    def add(self, scale, estimates, ago=0):
        for k, factor in enumerate(estimates):
            self.estimates[ago + k] += scale * factor

    def list(self):
        return [self.sample, *self.estimates, self.noise]


def lambda_nodes(levels, i, count):
    """h and the nodes of the last `count` estimates, in units of it.

    That of a level without signal, which can be the first of a run alone, is at infinity: a polynomial that goes through it is in the limit
    the one through the others. It is left out, but for a step's own start, from which h is infinite."""
    end, *lambdas = [coefficients.logarithm(level) for level in levels[i + 1 : (i - count if i >= count else None) : -1]]
    h = end - lambdas[0]
    return h, [mpf(0)] + [(node - lambdas[0]) / h for node in lambdas[1:] if mpmath.isfinite(node)]


def exponential(levels, i, order, estimate, rule="heun", eta=0, halved=False):
    """Lu et al. 2022, proposition 4.1 of 2211.01095 and equation 3.4 of 2206.00927: a polynomial through `order` estimates."""
    (signal, noise), (signal2, noise2) = levels[i], levels[i + 1]
    if noise2 == 0:
        if estimate == "x0":
            return Row(mpf(0), [mpf(1)])
        return Row(signal2 / signal, [-signal2 * noise / signal])
    if estimate == "x0" and order == 1 and not eta:
        sample, held, _, _ = coefficients.ddim(levels[i], levels[i + 1], mpf(0))
        return Row(sample, [held])
    h, nodes = lambda_nodes(levels, i, order)
    exponent = (1 + mpf(eta)) * h if estimate == "x0" else -h
    wanted = moments(exponent, order)
    if order == 2 and rule == "midpoint":
        wanted[1] = wanted[0] / 2
    if order == 3 and halved:
        # k-diffusion's `sample_dpmpp_3m_sde` takes half of the second difference.
        wanted[2] /= 2
    held = factors(nodes, wanted)
    if estimate == "epsilon":
        return Row(signal2 / signal, [noise2 * factor for factor in held])
    drawn = noise2 * mpmath.sqrt(1 - mpmath.exp(-2 * eta * h)) if eta else mpf(0)
    kept = mpmath.exp(-eta * h) if eta else 1
    return Row(noise2 / noise * kept, [signal2 * factor for factor in held], drawn)


def unipc(levels, i, order, corrects=True, b="bh2"):
    """Zhao et al. 2023, algorithms 1 and 2, in x0: the predictor from the corrected sample."""

    def change(step, isCorrected):
        used = min(order, step + 1)
        h, nodes = lambda_nodes(levels, step, used)
        nodes = ([mpf(1)] if isCorrected else []) + nodes
        wanted = moments(h, used + isCorrected)
        if len(wanted) == 2:
            wanted[1] = (h if b == "bh1" else wanted[0]) / 2
        return factors(nodes, wanted)

    (signal, noise), (signal2, noise2) = levels[i], levels[i + 1]
    row = Row(noise2 / noise)
    if i > 0 and corrects:
        row.add(levels[i][0] * row.sample, change(i - 1, True), ago=0)
        row.add(-levels[i][0] * row.sample, change(i - 1, False), ago=1)
    row.add(signal2, change(i, False) if noise2 > 0 else [mpf(1)])
    return row


def singlestep(levels, i, order, estimate):
    """Lu et al. 2022, algorithms 1 and 2 of 2206.00927 and algorithm 1 of 2211.01095, from a step's start, whose sample is the one before
    undone."""
    # Steps of full order, a shorter one, and one to clean data by itself, as one from a level without signal.
    inner, first = len(levels) - 1 - (levels[-1][1] == 0), int(levels[0][0] == 0)
    start = i if i in (inner, first - 1) else i - (i - first) % order

    def whole(end):
        (signal, noise), (signal2, noise2) = levels[start], levels[end]
        used = end - start
        lambdas = [coefficients.logarithm(level) for level in levels[start:end]]
        scale, ratio = (signal2, noise2 / noise) if estimate == "x0" else (noise2, signal2 / signal)
        if noise2 == 0:
            return ratio, [mpf(1)] if estimate == "x0" else [-noise / signal]
        h = coefficients.logarithm(levels[end]) - lambdas[0]
        nodes = [mpf(0)] + [(value - lambdas[0]) / h for value in lambdas[1:]]
        wanted = moments(h if estimate == "x0" else -h, used)
        if used == 2:
            wanted[1] = wanted[0] / 2
        if used == 3:  # the line through the first and the last
            outer = factors([nodes[0], nodes[2]], wanted[:2])
            return ratio, [scale * outer[0], mpf(0), scale * outer[1]]
        return ratio, [scale * factor for factor in factors(nodes, wanted)]

    ratio, made = whole(i + 1)
    if i == start:
        return Row(ratio, made)
    back, undone = whole(i)
    undone = [ratio / back * factor for factor in undone] + [mpf(0)]
    row = Row(ratio / back, [a - b for a, b in zip(made, undone)][::-1])
    row.cancelled = max((abs(a) + abs(b)) / abs(a - b) for a, b in zip(made, undone) if a != b)
    return row


def sa_solver(levels, i, predictor, corrector, tau):
    """Xue et al. 2023, SA-Predictor and SA-Corrector: the corrected sample is the predicted one with another polynomial."""

    def values(step, isCorrected):
        used = min(corrector - 1 if isCorrected else predictor, step + 1)
        h, nodes = lambda_nodes(levels, step, used)
        nodes = ([mpf(1)] if isCorrected else []) + nodes
        return factors(nodes, moments((1 + tau**2) * h, used + isCorrected))

    (signal, noise), (signal2, noise2) = levels[i], levels[i + 1]
    if noise2 == 0:
        row = Row(mpf(0), [mpf(1)])
        return row
    h, _ = lambda_nodes(levels, i, 1)
    row = Row(noise2 / noise * mpmath.exp(-(tau**2) * h), noise=noise2 * mpmath.sqrt(1 - mpmath.exp(-2 * tau**2 * h)))
    if i > 0:
        row.add(signal * row.sample, values(i - 1, True))
        row.add(-signal * row.sample, values(i - 1, False), ago=1)
    row.add(signal2, values(i, False))
    return row


def er_sde(levels, i, order):
    """Cui et al. 2023, algorithms 1 to 3 in x0, with the authors' phi; the integrals by quadrature in u = ln s."""
    (signal, noise), (signal2, noise2) = levels[i], levels[i + 1]
    if noise2 == 0:
        return Row(mpf(0), [mpf(1)])
    if signal == 0:
        return Row(mpf(0), [signal2], noise2)

    def phi(sigma):
        return sigma * (mpmath.exp(sigma ** mpf(0.3)) + 10)

    def integral(power):
        def inner(u):
            sigma = mpmath.exp(u)
            return (sigma - start) ** power * sigma / phi(sigma)

        ends = mpmath.log(end), mpmath.log(start)
        count = int(2 * (ends[1] - ends[0])) + 1
        return mpmath.quad(inner, mpmath.linspace(*ends, count + 1), method="gauss-legendre", maxdegree=6)

    known = [k for k in range(i, max(i - order, -1), -1) if levels[k][0] > 0]
    sigmas = [levels[k][1] / levels[k][0] for k in known]
    start, end = sigmas[0], noise2 / signal2
    run, ratio = end - start, phi(end) / phi(start)
    row = Row(signal2 / signal * ratio, [signal2 * (1 - ratio)], signal2 * mpmath.sqrt(end**2 - ratio**2 * start**2))
    if len(known) > 1:
        slopes = [[1 / (sigmas[0] - sigmas[1]), -1 / (sigmas[0] - sigmas[1])]]
        row.add(signal2 * (run + phi(end) * integral(0)), slopes[0])
        if len(known) > 2:
            before = 1 / (sigmas[1] - sigmas[2])
            scale = signal2 * (run**2 / 2 + phi(end) * integral(1)) * 2 / (sigmas[0] - sigmas[2])
            row.add(scale, slopes[0])
            row.add(-scale, [before, -before], ago=1)
    return row


def lms(levels, i, order):
    """The integral over sigma of the polynomial through the last epsilons."""
    sigmas = {k: levels[k][1] / levels[k][0] for k in range(max(i - order + 1, 0), i + 2)}
    used = min(order, i + 1)
    nodes = [(sigmas[i - k] - sigmas[i]) / (sigmas[i + 1] - sigmas[i]) for k in range(used)]
    mean = factors(nodes, [1 / mpf(j + 1) for j in range(used)])
    signal2 = levels[i + 1][0]
    return Row(signal2 / levels[i][0], [signal2 * (sigmas[i + 1] - sigmas[i]) * factor for factor in mean])


def ipndm(levels, i):
    """Liu et al. 2022, equations 11 and 12."""
    tables = [[1], [3, -1], [23, -16, 5], [55, -59, 37, -9]]
    used = tables[min(i, 3)]
    (signal, noise), (signal2, noise2) = levels[i], levels[i + 1]
    whole = noise2 - signal2 * noise / signal
    return Row(signal2 / signal, [whole * mpf(factor) / sum(used) for factor in used])


def row_of(levels, i, order, **options):
    return exponential(levels, i, min(order, i + 1), **options)


ROWS = {
    "dpm++3m": lambda levels, i: row_of(levels, i, 3, estimate="x0", rule="midpoint"),
    "dpm++2m-sde": lambda levels, i: row_of(levels, i, 2, estimate="x0", rule="midpoint", eta=1),
    "dpm++3m-sde": lambda levels, i: row_of(levels, i, 3, estimate="x0", rule="midpoint", eta=1),
    "dpm++3m-sde-k": lambda levels, i: row_of(levels, i, 3, estimate="x0", eta=1, halved=True),
    "dpm2m": lambda levels, i: row_of(levels, i, 2, estimate="epsilon", rule="midpoint"),
    "dpm3m": lambda levels, i: row_of(levels, i, 3, estimate="epsilon", rule="midpoint"),
    "dpm++2s": lambda levels, i: singlestep(levels, i, 2, "x0"),
    "dpm++3s": lambda levels, i: singlestep(levels, i, 3, "x0"),
    "dpm2s": lambda levels, i: singlestep(levels, i, 2, "epsilon"),
    "dpm3s": lambda levels, i: singlestep(levels, i, 3, "epsilon"),
    "sa-solver": lambda levels, i: sa_solver(levels, i, 2, 2, mpf(1)),
    "unipc": lambda levels, i: unipc(levels, i, 2),
    "unipc3": lambda levels, i: unipc(levels, i, 3),
    "deis": lambda levels, i: row_of(levels, i, 2, estimate="epsilon"),
    "deis3": lambda levels, i: row_of(levels, i, 3, estimate="epsilon"),
    "lms": lambda levels, i: lms(levels, i, 4),
    "ipndm": ipndm,
    **{f"er-sde-{order}": lambda levels, i, order=order: er_sde(levels, i, order) for order in (1, 2, 3)},
}


# What the files call a run: the class of diffusers, or the function of k-diffusion, and its options.
MULTISTEP = dict(solver_order=3, lower_order_final=False, algorithm_type="dpmsolver++")
RUNS = {
    "dpm++2m": ("DPMSolverMultistepScheduler", {**MULTISTEP, "solver_order": 2}),
    "dpm++2m/heun": ("DPMSolverMultistepScheduler", {**MULTISTEP, "solver_order": 2, "solver_type": "heun"}),
    "dpm++3m/halved": ("DPMSolverMultistepScheduler", MULTISTEP),
    "dpm++3m/halved/lower": ("DPMSolverMultistepScheduler", {**MULTISTEP, "lower_order_final": True}),
    "dpm2m": ("DPMSolverMultistepScheduler", {**MULTISTEP, "solver_order": 2, "algorithm_type": "dpmsolver"}),
    "dpm2m/heun": ("DPMSolverMultistepScheduler", {**MULTISTEP, "solver_order": 2, "algorithm_type": "dpmsolver", "solver_type": "heun"}),
    "dpm3m/halved": ("DPMSolverMultistepScheduler", {**MULTISTEP, "algorithm_type": "dpmsolver"}),
    "dpm++2m-sde": ("sample_dpmpp_2m_sde", dict(solver_type="midpoint")),
    "dpm++2m-sde/heun/0.5": ("sample_dpmpp_2m_sde", dict(solver_type="heun", eta=0.5)),
    "dpm++3m-sde/halved": ("sample_dpmpp_3m_sde", {}),
    "dpm++3m-sde/halved/0.5": ("sample_dpmpp_3m_sde", dict(eta=0.5)),
    **{
        f"unipc/{order}/{b}{'/epsilon' * (not x0)}": ("UniPCMultistepScheduler", dict(solver_order=order, solver_type=b, predict_x0=x0))
        for order in (1, 2, 3)
        for b in ("bh1", "bh2")
        for x0 in (True, False)
    },
    "unipc/2/full": ("UniPCMultistepScheduler", dict(solver_order=2, lower_order_final=False)),
    "unipc/3/full": ("UniPCMultistepScheduler", dict(solver_order=3, lower_order_final=False)),
    "unipc/3/uncorrected": ("UniPCMultistepScheduler", dict(solver_order=3, disable_corrector=list(range(20)))),
    "unipc/3/corrected-later": ("UniPCMultistepScheduler", dict(solver_order=3, disable_corrector=[0, 3])),
    **{
        f"{'dpm++' if x0 else 'dpm'}{order}s{'/heun' * (rule == 'heun')}": (
            "DPMSolverSinglestepScheduler",
            dict(solver_order=order, solver_type=rule, algorithm_type="dpmsolver++" if x0 else "dpmsolver", lower_order_final=False))
        for order in (2, 3)
        for rule in ("midpoint", "heun")
        for x0 in (True, False)
    },
    **{
        f"sa-solver/{p}/{c}/{tau}": ("SASolverScheduler", dict(predictor_order=p, corrector_order=c, tau=tau, lower_order_final=lower))
        for p, c, tau, lower in ((2, 2, 1.0, False), (3, 4, 0.6, True), (4, 2, 0.0, False), (1, 3, 1.2, False))
    },
    "deis": ("DEISMultistepScheduler", dict(solver_order=2, lower_order_final=False)),
    "deis3": ("DEISMultistepScheduler", dict(solver_order=3, lower_order_final=False)),
    "deis3/lower": ("DEISMultistepScheduler", dict(solver_order=3, lower_order_final=True)),
    "lms": ("sample_lms", {}),
    "lms/2": ("sample_lms", dict(order=2)),
    "ipndm": ("IPNDMScheduler", {}),
}


def diffusers_run(name, options, sigmas, prediction):
    """A run of a diffusers scheduler over given sigmas, on samples of the variance-preserving path."""
    import diffusers
    import torch
    from diffusers.schedulers import scheduling_sasolver

    steps = len(sigmas) - 1
    size = 2 * steps + 1
    unit = torch.eye(size, dtype=torch.float64)
    kind = {"epsilon": "epsilon", "x0": "sample"}[prediction]
    if name == "IPNDMScheduler":
        scheduler = diffusers.IPNDMScheduler()
        scheduler.set_timesteps(steps)
        scheduler.betas = torch.tensor([sigma / (1 + sigma**2) ** 0.5 for sigma in sigmas])
        scheduler.alphas = torch.tensor([1 / (1 + sigma**2) ** 0.5 for sigma in sigmas])
    else:
        last = dict(final_sigmas_type="zero" if sigmas[-1] == 0 else "sigma_min")
        if name in ("DEISMultistepScheduler", "SASolverScheduler"):
            last = {}
        if "tau" in options:
            options = {**options, "tau_func": lambda _, tau=options["tau"]: torch.tensor(tau)}
            del options["tau"]
        scheduler = getattr(diffusers, name)(prediction_type=kind, **last, **options)
        scheduler.set_timesteps(steps)
        scheduler.sigmas = torch.tensor(sigmas)
    assert len(scheduler.timesteps) == steps
    sample, samples = unit[0].reshape(1, size, 1, 1), []
    for call, t in enumerate(scheduler.timesteps):
        output = unit[1 + call].reshape(1, size, 1, 1)
        if name == "IPNDMScheduler":  # it is given v
            alpha, beta = scheduler.alphas[call], scheduler.betas[call]
            output = (output - beta * sample) / alpha if prediction == "epsilon" else (alpha * sample - output) / beta
        scheduling_sasolver.randn_tensor = lambda *_, **__: unit[1 + steps + call].reshape(1, size, 1, 1)
        sample = scheduler.step(output, t, sample).prev_sample
        assert sample.dtype == torch.float64
        samples.append(sample.flatten().numpy().copy())
    return numpy.array(samples)


def k_diffusion_run(sampler, options, sigmas, prediction):
    """A run of a k-diffusion sampler; its samples, x/signal, are scaled back, and noise k is the one drawn in call k."""
    import torch

    steps = len(sigmas) - 1
    size = 2 * steps + 1
    unit = torch.eye(size, dtype=torch.float64)
    seen = []

    def model(x, sigma):
        seen.append(x[0].clone())
        output = unit[len(seen)][None]
        return output if prediction == "x0" else x - sigma[0] * output

    if "sde" in sampler.__name__:
        options = {**options, "noise_sampler": lambda *_: unit[steps + len(seen)][None]}
    with torch.no_grad():
        start = unit[0][None] * (1 + sigmas[0] ** 2) ** 0.5
        end = sampler(model, start, torch.tensor(sigmas, dtype=torch.float64), disable=True, **options)
    samples = [*seen[1:], end[0]]
    return numpy.array([sample.numpy() / (1 + sigma**2) ** 0.5 for sample, sigma in zip(samples, sigmas[1:])])


@float64()
def multistep():
    sampling = load_k_diffusion()
    process = Process()
    tensors = {}
    for steps in RUN_STEPS:
        # Where diffusers has no step to clean data, or gives NaN for it, the run stops at the smallest sigma.
        clean = [float(sigma) for sigma in process.sigma_grid("karras", steps)] + [0.0]
        noisy = [float(sigma) for sigma in process.sigma_grid("karras", steps + 1)]
        tensors[f"{steps}.clean"], tensors[f"{steps}.noisy"] = numpy.array(clean), numpy.array(noisy)
        for name, (source, options) in RUNS.items():
            if steps == 1 and "sde" in name:
                continue  # k-diffusion's stop with an error after one step to clean data
            if steps > 7 and source.startswith(("DPMSolverSinglestep", "SASolver")):
                continue  # seven steps show all that they do
            sigmas = noisy if ends_in_noise(name) else clean
            for prediction in ("epsilon", "x0"):
                if source.startswith("sample"):
                    run = k_diffusion_run(getattr(sampling, source), options, sigmas, prediction)
                else:
                    run = diffusers_run(source, options, sigmas, prediction)
                assert numpy.isfinite(run).all(), (name, steps, prediction)
                tensors[f"{name}/{steps}/{prediction}.run"] = run
    return save(tensors)


def ends_in_noise(name):
    return name.startswith(("dpm2", "dpm3", "deis", "sa-solver")) or "bh1" in name or name.endswith(("/epsilon", "/full"))


def multistep_coefficients():
    def samplers(levels):
        def made(row, i):
            found, condition = row(levels, i), coefficients.condition(*levels[max(i - 3, 0) : i + 2])
            return [*found.list(), condition * found.cancelled]

        return {name: (len(levels) - 1, lambda i, row=row: made(row, i)) for name, row in ROWS.items()}

    return coefficients.bundle(COEFFICIENT_STEPS, ("leading", "karras"), samplers)


FILES = {"multistep.safetensors": multistep, "multistep-coefficients.safetensors": multistep_coefficients}
