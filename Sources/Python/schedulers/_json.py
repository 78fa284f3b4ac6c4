"""JSON, and the files of configurations."""

from __future__ import annotations

import json
import os
import pathlib
from collections.abc import Mapping
from typing import Any, Union

from .errors import ArgumentError, FileError, JSONError

# A path of a configuration or of the folder it is in, its text, or its values.
Config = Union[str, "os.PathLike[str]", Mapping[str, Any]]


def loads(text: str, name: str) -> Any:
    """What a text in JSON means."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise JSONError(f"{name} is not JSON: {error}") from None


def dumps(values: Any, name: str) -> str:
    """Values as JSON; arrays as lists."""
    try:
        return json.dumps(values, default=_plain)
    except (TypeError, ValueError, RecursionError) as error:
        raise ArgumentError(f"{name} cannot be written as JSON: {error}") from None


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{value!r} is of type {type(value).__name__}")


def decoded(text: bytes, name: str) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise JSONError(f"{name} is not UTF-8: {error}") from None


def configuration(config: Config) -> Any:
    """The values of a configuration, of its file or of its text."""
    if isinstance(config, Mapping):
        return config
    if isinstance(config, str) and config.lstrip().startswith("{"):
        return loads(config, "the configuration")
    if not isinstance(config, (str, os.PathLike)):
        raise ArgumentError(f"a configuration of type {type(config).__name__}; give a path, a dict or JSON")
    path = pathlib.Path(config)
    try:
        if path.is_dir():
            path = path / "scheduler_config.json"
        return loads(decoded(path.read_bytes(), str(path)), str(path))
    except (OSError, ValueError) as error:
        if isinstance(error, JSONError):
            raise
        raise FileError(f"{config} cannot be read: {error}") from None


def camel(key: str) -> str:
    """A key of a request, as JSON has it: `zero_terminal_snr` is zeroTerminalSNR."""
    first, *rest = key.split("_")
    return first + "".join("SNR" if word == "snr" else word.capitalize() for word in rest)
