"""What mypy makes of programs with the package, in strict mode: .ci/python checks it, and nothing runs it."""

import numpy as np
import numpy.typing as npt
from schedulers import Judgement, Philox, Plan, Query, Run, verify
from schedulers.training import Schedule
from typing_extensions import assert_type

Floats = npt.NDArray[np.float32]


def network(x: Floats, timestep: float) -> Floats:
    return x


def noise(shape: tuple[int, ...], query: Query) -> Floats:
    return np.zeros(shape, np.float32)


async def awaited(x: Floats, timestep: float) -> Floats:
    return x


x: Floats = np.zeros((1, 2, 3), np.float32)
plan = Plan.from_config({"_class_name": "DDPMScheduler"}, steps=5, fidelity="diffusers")
assert_type(plan.sample(x, network, Philox(1)), Floats)
assert_type(plan.sample(x, network, noise), Floats)
run = Run(plan, x, in_place=True)
assert_type(run, Run[Floats])
for query in run:
    assert_type(query, Query)
    run.advance(network(run.input, query.timestep), Philox(1))
assert_type(run.denoised, Floats | None)
assert_type(Philox(1).next((2, 3), like=x), Floats)
assert_type(verify("trace.safetensors"), Judgement)
assert_type(Schedule().mix(x, x, [3]), Floats)
assert_type(Schedule().sigmas, npt.NDArray[np.float64])
# Each must be an error, or mypy says that the comment is not needed.
Plan.from_config(3)  # type: ignore[arg-type]
plan.sample(x, lambda x: x)  # type: ignore[arg-type, misc]
