"""Fixtures, arrays of every kind, and networks."""

from __future__ import annotations

import functools
import json
import pathlib
from typing import Any

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
UNIT = 2.0**-53


@functools.cache
def numbers(file: str) -> dict[str, np.ndarray]:
    """The arrays of a file of Fixtures/Data."""
    from safetensors.numpy import load_file

    return load_file(ROOT / f"Fixtures/Data/{file}.safetensors")


def optional(name: str) -> Any:
    """A module that a test needs, which is skipped without it."""
    return pytest.importorskip(name)


class Kind:
    """Arrays of a module, made from those of NumPy and back."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.xp = optional({"numpy": "numpy", "torch": "torch", "jax": "jax.numpy", "mlx": "mlx.core"}[name])

    def array(self, values: np.ndarray, dtype: str | None = None) -> Any:
        dtype = dtype or str(values.dtype)
        if self.name == "numpy":
            return values.astype(dtype)
        if self.name == "torch":
            return self.xp.from_numpy(values.copy()).to(getattr(self.xp, dtype))
        if self.name == "jax":
            return self.xp.asarray(values, dtype=getattr(self.xp, dtype))
        return self.xp.array(values.astype(np.float32)).astype(getattr(self.xp, dtype))

    def double(self, array: Any) -> np.ndarray:
        if self.name == "torch":
            return array.detach().double().numpy()
        if self.name == "numpy":
            return array.astype(np.float64)
        return np.asarray(array.astype(self.xp.float32)).astype(np.float64)

    def twice(self, array: Any) -> Any:
        """An array beside itself in its channels."""
        join = self.xp.cat if self.name == "torch" else self.xp.concatenate
        return join([array, array], 1)


def classes() -> dict[str, list[dict[str, Any]]]:
    """Every class of diffusers that is read, with its options."""
    return json.loads((ROOT / "Fixtures/Data/diffusers-options.json").read_text())


OPTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"clip_sample": True},
    {"thresholding": True, "sample_max_value": 1.5, "dynamic_thresholding_ratio": 0.9},
    {"variance_type": "learned"},
    {"variance_type": "learned_range"},
)
OTHERS: tuple[dict[str, Any], ...] = (
    {"_class_name": "GaussianDiffusion", "learn_sigma": True, "timestep_respacing": "6", "sampler": "p_sample"},
    {"_class_name": "GaussianDiffusion", "timestep_respacing": "6", "sampler": "ddim_sample", "eta": 0.5},
    {"_class_name": "KDiffusion", "sampler": "dpmpp_2m_sde", "sigmas": [14.6, 5, 1, 0.3, 0]},
    {"_class_name": "KDiffusion", "sampler": "dpmpp_sde", "sigmas": [14.6, 5, 1, 0.3, 0], "output": "model"},
)
FIDELITIES = ("corrected", "diffusers")


def configurations() -> list[dict[str, Any]]:
    """A configuration of every class, with the options that change how a run is made where the class has them."""
    found = [
        {"_class_name": name, **option}
        for name, known in classes().items()
        for option in OPTIONS
        if set(option) <= {entry["name"] for entry in known}
    ]
    return [*found, *OTHERS]


def named(configuration: dict[str, Any]) -> str:
    """What a test of a configuration is called."""
    return "-".join(str(value) for value in configuration.values() if isinstance(value, (str, bool)))


@functools.cache
def _plan(text: str, fidelity: str, steps: int | None) -> Any:
    from schedulers import Plan, RequestError

    try:
        return Plan.from_config(text, steps, fidelity=fidelity)
    except RequestError as error:
        return error


def plan_of(configuration: dict[str, Any], fidelity: str, steps: int = 6) -> Any:
    """The plan of a configuration. Not every class takes each value of an option that several have."""
    is_whole = configuration["_class_name"] in ("GaussianDiffusion", "KDiffusion")
    plan = _plan(json.dumps(configuration), fidelity, None if is_whole else steps)
    if isinstance(plan, Exception):
        if configuration in ({"_class_name": configuration["_class_name"]}, *OTHERS):
            raise plan
        pytest.skip(str(plan))
    return plan


class Recording:
    """A start, outputs and noise for a plan, and the samples that the runtime of a hundred lines makes of them in
    double: Sources/Python/schedulers/plan.py, which .ci/runtimes holds to Swift's."""

    def __init__(self, plan: Any, shape: tuple[int, ...] = (2, 2, 3, 4), rounding: Any = lambda x: x) -> None:
        from schedulers.plan import Run

        rng, self.values = np.random.default_rng(len(plan)), json.loads(plan.json())
        wide = (shape[0], 2 * shape[1], *shape[2:]) if plan.learns_variance else shape
        self.start = rounding(plan.initial_scale * rng.standard_normal(shape))
        # What a network says of its variance may be a variance: not below 0, and at most 1.
        self.outputs = [rounding(np.clip(rng.standard_normal(wide), -2, 2)) for _ in plan.steps]
        if plan.learns_variance:
            for output in self.outputs:
                output[:, shape[1] :] = rounding(abs(output[:, shape[1] :]) / 2)
        self.noises = [rounding(rng.standard_normal(shape)) for _ in plan.steps]
        run, self.samples, self.denoised = Run(self.values, self.start), [self.start], []
        for output, noise in zip(self.outputs, self.noises):
            run.advance(output, noise)
            self.samples.append(run.sample)
            self.denoised.append(run.denoised)

    def difference(self, samples: list[np.ndarray]) -> float:
        """The largest difference from the samples after the start, relative to 1 or the largest number."""
        worst = max(float(abs(a - b).max()) for a, b in zip(samples, self.samples[1:], strict=True))
        return worst / max(1.0, *(float(abs(x).max()) for x in self.samples))

    def bound(self, unit: float, store: float = 0.0) -> float:
        """How far a run may be off whose sums have roundings of `unit`, and which rounds samples and estimates by
        `store`: each coefficient and each term is rounded, and what comes of that passes through the coefficients of
        later steps. Where x̂0 is clipped, no more than the width of the limits is left of it. The derivation is that of
        Tests/Runtimes/compare.py, which has no `store`."""
        clipping, errors, estimates = self.values["clipping"], [0.0], []
        limit = {"none": None, "range": max(abs(clipping.get("lower", 0)), abs(clipping.get("upper", 0))), "dynamic": 1}
        limit = limit[clipping["kind"]]
        for i, step in enumerate(self.values["steps"]):
            n, kept, read = step["next"], step["estimate"], step["denoised"]
            x, f = abs(self.samples[i]).max(), abs(self.outputs[i]).max()

            def over(a: float, b: float, x: float = x, f: float = f, read: Any = read) -> tuple[float, float]:
                """The size of a·x + b·v and its error, with v the output or the clipped x̂0."""
                size, error = f, 0.0
                if limit is not None:
                    size = abs(read["sample"]) * x + abs(read["output"]) * f
                    error = min(abs(read["sample"]) * errors[-1] + 4 * unit * size, 2 * limit)
                    size = min(size, limit)
                return abs(a) * x + abs(b) * size, abs(a) * errors[-1] + abs(b) * error

            newest = n["estimates"][0] if n["estimates"] else 0
            if limit is None:
                now = over(step["folded"]["sample"], step["folded"]["output"])
                made = over(kept["sample"] + kept["denoised"] * read["sample"], kept["denoised"] * read["output"])
            else:
                whole = over(n["denoised"] * read["sample"], 0)
                output = abs(n["denoised"] * read["output"] + n["output"]) * f
                now = over((n["samples"] or [0])[0] + n["made"] + newest * kept["sample"], newest * kept["denoised"])
                now = now[0] + whole[0] + output, now[1] + whole[1]
                made = over(kept["sample"], kept["denoised"])
            estimates.append((made[0], made[1] + (6 * unit + store) * made[0]))
            said = step["variance"] or {}
            root = np.exp((said["offset"] + abs(said["slope"])) / 2) if said.get("kind") == "learned" else 1
            terms = [now, (6 * abs(n["noise"]) * root, 0), (2 * abs(n["made"]) * x, 2 * abs(n["made"]) * errors[-1])]
            terms += [
                (abs(c) * abs(self.samples[i - k]).max(), abs(c) * errors[i - k])
                for k, c in enumerate(n["samples"])
                if k
            ]
            terms += [
                (abs(c) * estimates[i - k][0], abs(c) * estimates[i - k][1]) for k, c in enumerate(n["estimates"]) if k
            ]
            result = store * abs(self.samples[i + 1]).max()
            errors.append(sum(e for _, e in terms) + (len(terms) + 6) * unit * sum(s for s, _ in terms) + result)
        return 2 * max(errors) / max(1.0, *(float(abs(x).max()) for x in self.samples))
