"""The rows of plans to 60 digits: every sampler of the catalog on every process, in the papers' algebra on exact levels.

A process is exact where its parameters are Doubles: alpha-bars are products of the stored betas, sigmas lie between those of timesteps 0
and T - 1 = 999, times of rectified flow and EDM's sigmas follow from the numbers that the names say. Timesteps between whole ones are
those of exact logarithms of sigma. `refused` cases have a level that the sampler cannot divide by, or a timestep that it cannot have.

- linear, scaled-linear, cosine, sigmoid: leading, trailing, linspace, beta, karras, exponential;
- zero-snr, the scaled linear schedule rescaled: those by timesteps;
- flow: shift-1 and shift-3, down to 1/N before the shift; sd3, shift 3 down to 0.001; karras, shift-3 laid anew between its ends; late, the
  last N steps of N + 1 of shift-3, which begin with signal;
- edm: karras and exponential, from 80 to 0.002.

The tensors:

- `cases` [C, 5]: sampler, process and spacing as indices into the three lists of the metadata, N, and the number of rows, -1 if refused.
- `rows` [R, 3]: of each row the call, how many samples it speaks of, and how many estimates.
- `high`, `low`: the factors of these and of the noise, one row after the other, as the nearest Double and what that leaves.

`rows.safetensors` has some rows of some of these cases, and those of issue 20: all for N up to 50 and 32 of more, of DDIM and
DPM-Solver++ 2M. `make rows` writes the whole of it into a folder, a file for each process; RowTests.swift judges both.

    python Fixtures/recipes/rows.py FOLDER
"""

import functools
import multiprocessing
import pathlib
import sys

if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

import mpmath
import numpy
import scipy.stats
from mpmath import mpf
from safetensors.numpy import save

from recipes import accelerated, coefficients, flow, multistep, plans, repaint, stages, truth

# What is wanted is right to 60, the end of what cancels.
DIGITS = 80
STEPS = [1, 2, 3, 5, 10, 20, 50, 200, 1000]
BY_TIMESTEP, BY_SIGMA = ["leading", "trailing", "linspace", "beta"], ["karras", "exponential"]
SCHEDULES = ["linear", "scaled-linear", "cosine", "sigmoid", "zero-snr"]
SPACINGS = {
    **{name: BY_TIMESTEP + BY_SIGMA * (name != "zero-snr") for name in SCHEDULES},
    "flow": ["shift-1", "shift-3", "sd3", "karras", "late"],
    "edm": BY_SIGMA,
}
PROCESSES = list(SPACINGS)
NAMES = list(dict.fromkeys(name for names in SPACINGS.values() for name in names))


class Refused(Exception):
    """What a sampler cannot run on."""


class Straight(stages.Path):
    """Rectified flow: timesteps are 1000 t, held at the ends of the grid."""

    def __init__(self, levels):
        self.least, self.most = levels[-2][1], levels[0][1]

    @staticmethod
    def level(sigma):
        return 1 / (1 + sigma), sigma / (1 + sigma)

    def sigma(self, timestep):
        time = min(max(timestep / 1000, self.least), self.most)
        return time / (1 - time)

    def timestep(self, sigma):
        return 1000 * sigma / (1 + sigma) if mpmath.isfinite(sigma) else mpf(1000)


class Exploding(stages.Path):
    """EDM: timesteps are ln(sigma)/4, samples x0 + sigma epsilon."""

    def __init__(self, levels):
        self.least, self.most = levels[-2][1], levels[0][1]

    @staticmethod
    def level(sigma):
        return mpf(1), sigma

    def sigma(self, timestep):
        return min(max(mpmath.exp(4 * timestep), self.least), self.most)

    def timestep(self, sigma):
        return mpmath.log(sigma) / 4

    def scale(self, level):
        return 1 / mpmath.sqrt(level[1] ** 2 + mpf(1) / 4)


@functools.cache
def process_of(name):
    exact = truth.definition("scaled-linear" if name == "zero-snr" else name, plans.COUNT)
    betas = [float(beta) for beta in exact]
    if name == "zero-snr":
        betas = [float(beta) for beta in truth.zero_terminal([mpf(beta) for beta in betas])]
    process = plans.Process(betas)
    return process, stages.Path(process)


def timesteps(spacing, steps):
    """As in `plans.py`; and at the shares of a beta distribution (Lee et al. 2024), the later of two on one timestep on the next free."""
    if spacing != "beta":
        return plans.timesteps(spacing, steps)
    chosen, bound = [], plans.COUNT
    for i in range(steps):
        if 2 * i == steps - 1 and i > 0:
            nearest = plans.half_even(plans.COUNT - 1, 2)  # the distribution is symmetric
        else:
            time = (plans.COUNT - 1) * float(scipy.stats.beta.ppf(1 - i / max(steps - 1, 1), 0.6, 0.6))
            nearest = round(time)
            assert abs(abs(time - nearest) - 0.5) > 1e-9
        bound = min(bound - 1, max(nearest, steps - 1 - i))
        chosen.append(bound)
    return chosen


def straight(times):
    return [(1 - time, time) for time in times]


@functools.cache
def grid(process, spacing, steps):
    """The levels, the last of which is clean, and their path."""
    if process == "edm":
        levels = [(mpf(1), sigma) for sigma in plans.spaced(spacing, steps, mpf(80), mpf(0.002))]
        levels.append((mpf(1), mpf(0)))
        return levels, Exploding(levels)
    if process == "flow":
        if spacing == "late":
            levels = grid("flow", "shift-3", steps + 1)[0][1:]
            return levels, Straight(levels)
        shift = 1 if spacing == "shift-1" else 3
        last = mpf(0.001) if spacing == "sd3" else mpf(1) / steps
        times = [1 - (1 - last) * i / max(steps - 1, 1) for i in range(steps)]
        times = [shift * time / (1 + (shift - 1) * time) for time in times]
        if spacing == "karras":
            times = plans.spaced("karras", steps, times[0], times[-1])
        levels = [*straight(times), (mpf(1), mpf(0))]
        return levels, Straight(levels)
    known, path = process_of(process)
    if spacing in BY_SIGMA:
        levels = [coefficients.of_sigma(sigma) for sigma in known.sigma_grid(spacing, steps)]
    else:
        bars = [known.bars[t] for t in timesteps(spacing, steps)]
        levels = [(mpmath.sqrt(bar), mpmath.sqrt(1 - bar)) for bar in bars]
    return [*levels, (mpf(1), mpf(0))], path


def listed(rows, samples=1):
    """A number of rows and each of them as lists of its samples and estimates and its noise, from rows without a condition number."""
    return len(rows), lambda i: (rows[i][:samples], rows[i][samples:-1], rows[i][-1])


def without_condition(rows):
    return [row[:-1] for row in rows]


def distilled(name, levels, path):
    """LCM and TCD, which know no timestep below 0."""
    noisy = [stages.sigma_of(level) for level in levels if level[1] > 0]
    if any(path.timestep(sigma) < 0 for sigma in (noisy if name == "lcm" else noisy[1:])):
        raise Refused("a timestep below 0")
    return listed(without_condition(stages.ROWS[name](levels, path)), samples=2)


def multistep_rows(row, levels):
    def made(i):
        found = row(levels, i)
        return [found.sample], found.estimates, found.noise

    return len(levels) - 1, made


def samplers():
    """By name, what gives the number of calls and the row of each, from levels and their path."""
    result = {}
    for name in coefficients.SAMPLERS:
        result[name] = lambda levels, path, name=name: listed(without_condition(coefficients.rows(name, levels)))
    for name, row in multistep.ROWS.items():
        result[name] = lambda levels, path, row=row: multistep_rows(row, levels)
    for name, made in stages.ROWS.items():
        result[name] = lambda levels, path, made=made: listed(without_condition(made(levels, path)), samples=2)
    for name in ("lcm", "tcd"):
        result[name] = lambda levels, path, name=name: distilled(name, levels, path)
    result["flow-heun"] = lambda levels, path: listed(without_condition(flow.heun_rows(levels)))
    for name in ("heun-churn", "euler-churn"):
        result[name] = lambda levels, path, name=name: listed(without_condition(flow.churn_rows(name, levels, path.level)))
    for name in ("dpm++2m-inversion", "gradient-estimation"):
        result[name] = lambda levels, path, name=name: listed(without_condition(accelerated.rows(name, levels)))
    result["restart"] = lambda levels, path: listed(repaint.restart_rows(levels))
    result["repaint"] = lambda levels, path: listed(repaint.rows(levels))
    return result


SAMPLERS = samplers()


def trimmed(numbers):
    """Without zeros at the end. What cancels but for the last digits is 0."""
    numbers = [number if abs(number) > mpf(10) ** -50 else mpf(0) for number in numbers]
    while numbers and not numbers[-1]:
        numbers.pop()
    return numbers


def rows_of(sampler, levels, path, chosen=plans.kept):
    """Triples of a call, its samples and its estimates with the noise; None if the sampler refuses."""
    try:
        count, row = SAMPLERS[sampler](levels, path)
        made = []
        for call in chosen(count):
            samples, estimates, noise = row(call)
            made.append((call, trimmed(samples), trimmed(estimates), *(trimmed([noise]) or [mpf(0)])))
        numbers = [number for _, samples, estimates, noise in made for number in (*samples, *estimates, noise)]
        return made if all(mpmath.isfinite(number) for number in numbers) else None
    except (ZeroDivisionError, Refused):
        return None


class Bundle:
    """The tensors of a file."""

    def __init__(self):
        self.cases, self.rows, self.numbers = [], [], []

    def add(self, sampler, process, spacing, steps, made):
        indices = list(SAMPLERS).index(sampler), PROCESSES.index(process), NAMES.index(spacing)
        self.cases.append((*indices, steps, -1 if made is None else len(made)))
        for call, samples, estimates, noise in made or []:
            self.rows.append((call, len(samples), len(estimates)))
            self.numbers += truth.split([*samples, *estimates, noise]).tolist()

    def extend(self, other):
        self.cases += other.cases
        self.rows += other.rows
        self.numbers += other.numbers

    def saved(self):
        numbers = numpy.array(self.numbers)
        tensors = {
            "cases": numpy.array(self.cases, dtype=numpy.int32),
            "rows": numpy.array(self.rows, dtype=numpy.int32).reshape(-1, 3),
            "high": numbers[:, 0].copy(),
            "low": numbers[:, 1].astype(numpy.float32),
        }
        # In one entry, as several come in any order.
        return save(tensors, metadata={"lists": ";".join(",".join(names) for names in (SAMPLERS, PROCESSES, NAMES))})


def few(count):
    """The calls of a run that a subset has: where it warms up, one in the middle and the last two."""
    return range(count) if count <= 5 else sorted({0, 1, 2, count // 2, count - 2, count - 1})


def subset():
    """Two cases of every sampler on every process, of spacings and N that go round, and the table of issue 20."""
    bundle = Bundle()
    with mpmath.workdps(DIGITS):
        for p, (process, spacings) in enumerate(SPACINGS.items()):
            grids = [(spacing, steps) for spacing in spacings for steps in STEPS]
            # A stride without a common divisor: neighbouring samplers have other spacings and other N.
            order = [grids[(k * 11 + 5 * p) % len(grids)] for k in range(len(grids))]
            at = 0
            for sampler in SAMPLERS:
                found = tried = 0
                while found < 2 and tried < len(order):
                    spacing, steps = order[at % len(order)]
                    at, tried = at + 1, tried + 1
                    made = rows_of(sampler, *grid(process, spacing, steps), chosen=few)
                    bundle.add(sampler, process, spacing, steps, made)
                    found += made is not None
                assert found > 0, (sampler, process)
        for sampler in ("ddim", "dpm++2m"):
            for steps in (20, 50, 1000):
                made = rows_of(sampler, *grid("scaled-linear", "trailing", steps))
                bundle.add(sampler, "scaled-linear", "trailing", steps, made)
    return bundle.saved()


def whole(job):
    """All cases of some spacings of a process. Many timesteps are the same ones in every spacing."""
    process, spacings = job
    bundle, known = Bundle(), {}
    with mpmath.workdps(DIGITS):
        for spacing in spacings:
            for steps in STEPS:
                key = tuple(timesteps(spacing, steps)) if spacing in BY_TIMESTEP else (spacing, steps)
                if key not in known:
                    made = grid(process, spacing, steps)
                    known[key] = {name: rows_of(name, *made) for name in SAMPLERS}
                for sampler, rows in known[key].items():
                    bundle.add(sampler, process, spacing, steps, rows)
    return process, bundle


def write(folder):
    """Every case, with two processes of the machine."""
    jobs = []
    for process, spacings in SPACINGS.items():
        together = [spacing for spacing in spacings if spacing in BY_TIMESTEP and process in SCHEDULES]
        jobs += [(process, group) for group in [together, *([spacing] for spacing in spacings if spacing not in together)] if group]
    folder.mkdir(parents=True, exist_ok=True)
    bundles = {process: Bundle() for process in PROCESSES}
    with multiprocessing.Pool(2) as pool:
        for done, (process, bundle) in enumerate(pool.imap(whole, jobs, chunksize=1), 1):
            bundles[process].extend(bundle)
            print(f"{done} of {len(jobs)}: {process}, {', '.join(jobs[done - 1][1])}: {len(bundle.rows)} rows", flush=True)
    for process, bundle in bundles.items():
        path = folder / f"{process}.safetensors"
        path.write_bytes(bundle.saved())
        print(f"wrote {path}: {len(bundle.cases)} cases, {len(bundle.rows)} rows")


FILES = {"rows.safetensors": subset}

if __name__ == "__main__":
    write(pathlib.Path(sys.argv[1]))
