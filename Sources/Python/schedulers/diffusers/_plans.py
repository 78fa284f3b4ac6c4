"""Where plans come from: the one place that asks the library for one."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from typing import Any

from ._moves import Moves, moves


def request(config: Mapping[str, Any], steps: int | None, fidelity: str, arguments: Mapping[str, Any]) -> str:
    """What identifies a plan, as JSON."""
    return json.dumps(
        {"configuration": dict(config), "steps": steps, "fidelity": fidelity, "arguments": dict(arguments)},
        default=plain, sort_keys=True)


@functools.lru_cache(maxsize=64)
def planned(request: str) -> Moves:
    """The moves of a request's plan."""
    asked = json.loads(request)
    text = plan_json(asked["configuration"], asked["steps"], asked["fidelity"], asked["arguments"])
    return moves(text, asked["arguments"].get("first_step", 0))


def plan_json(config: dict[str, Any], steps: int | None, fidelity: str, arguments: dict[str, Any]) -> str:
    """The plan in the format scheduler-plan/1."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(config, file)
        file.flush()
        command = [os.environ["SCHEDULERS_TOOL_PATH"], "plan", file.name, "--format", "json", "--fidelity", fidelity]
        command += ["--arguments", json.dumps(arguments)]
        command += ["--steps", str(steps)] if steps is not None else []
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise ValueError(done.stderr.strip())
    return done.stdout


def plain(value: Any) -> Any:
    """An array, a tensor or another number of somebody's as Python's."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, (tuple, set)):
        return list(value)
    raise TypeError(f"{value!r} is of type {type(value).__name__}, which no configuration holds")
