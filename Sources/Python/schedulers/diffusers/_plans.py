"""Where plans come from: the one place that asks the library for one."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import Any

from ..plans import Plan
from ._moves import Moves, moves


def request(config: Mapping[str, Any], steps: int | None, fidelity: str, arguments: Mapping[str, Any]) -> str:
    """What identifies a plan, as JSON."""
    return json.dumps(
        {"configuration": dict(config), "steps": steps, "fidelity": fidelity, "arguments": dict(arguments)},
        default=plain,
        sort_keys=True,
    )


@functools.lru_cache(maxsize=64)
def planned(request: str) -> Moves:
    """The moves of a request's plan."""
    asked = json.loads(request)
    arguments = asked["arguments"]
    plan = Plan.from_config(asked["configuration"], asked["steps"], fidelity=asked["fidelity"], **arguments)
    return moves(plan, arguments.get("first_step", 0))


def plain(value: Any) -> Any:
    """An array, a tensor or another number of somebody's as Python's."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, (tuple, set)):
        return list(value)
    raise TypeError(f"{value!r} is of type {type(value).__name__}, which no configuration holds")
