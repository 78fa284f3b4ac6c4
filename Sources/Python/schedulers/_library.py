"""The C library: its functions, their errors, and what is held in it."""

from __future__ import annotations

import ctypes
import functools
import os
import pathlib
import sys
from ctypes import POINTER, byref, c_char, c_char_p, c_double, c_int32, c_int64, c_size_t, c_uint64, c_void_p
from typing import Any

from .errors import BY_STATUS, ArgumentError, LibraryMissingError, LibraryVersionError, SchedulersError

ABI = 1
VARIABLE = "SCHEDULERS_LIBRARY"


class Error(ctypes.Structure):
    """schedulers_error: what a function says when it fails."""

    _fields_ = [("code", c_int32), ("text", c_char * 2044)]


class Query(ctypes.Structure):
    """schedulers_query: what is asked of the network in one call."""

    _fields_ = (
        *((name, c_int64) for name in ("step", "steps")),
        *((name, c_double) for name in ("timestep", "next_timestep", "input_scale", "signal", "noise")),
        *((name, c_double) for name in ("next_signal", "next_noise")),
        *((name, c_int32) for name in ("needs_noise", "draws_noise", "is_done")),
    )


class Info(ctypes.Structure):
    """schedulers_plan_info: what a plan is, as a whole."""

    _fields_ = (
        ("steps", c_int64),
        *((name, c_double) for name in ("initial_scale", "signal", "noise")),
        *((name, c_int32) for name in ("learns_variance", "is_stochastic")),
    )


P, T = c_void_p, c_char_p
# Of each function of schedulers.h that returns a status, what it takes before the error.
SIGNATURES: dict[str, tuple[Any, ...]] = {
    "catalog": (POINTER(P),),
    "plan_create": (T, POINTER(P)),
    "plan_json": (P, POINTER(P)),
    "plan_describe": (P, POINTER(Info)),
    "plan_queries": (P, c_int64, POINTER(Query)),
    "run_create": (P, c_int32, c_int64, c_int64, POINTER(P)),
    "run_copy": (P, POINTER(P)),
    "run_set_threads": (P, c_int32),
    "run_advance": (P, P, P, P, P),
    "run_advance_to": (P, P, P, P, P, P),
    "run_advance_drawing": (P, P, P, P, P),
    "run_seek": (P, c_int64),
    "run_check": (P, P),
    "run_state_size": (P, POINTER(c_size_t)),
    "run_save": (P, P, c_size_t),
    "run_restore": (P, P, c_size_t),
    "noise_create": (T, POINTER(P)),
    "noise_copy": (P, POINTER(P)),
    "noise_json": (P, POINTER(P)),
    "noise_next": (P, c_int32, c_int64, c_int64, c_double, c_double, P),
    "normals": (c_uint64, c_uint64, c_uint64, c_int32, c_int64, c_int64, P),
    "mix": (c_int32, c_int64, c_int64, P, P, P, P, P),
    "target": (T, c_int32, c_int64, c_int64, P, P, P, P, P),
    "weights": (T, c_int64, P, P, P),
    "schedule_create": (T, POINTER(P)),
    "schedule_timesteps": (P, POINTER(c_int64)),
    "schedule_table": (P, T, c_int64, P),
    "verify": (T, T, POINTER(P)),
}
KINDS = ("plan", "run", "noise", "schedule")


def path() -> pathlib.Path:
    """Where the library is: what the variable SCHEDULERS_LIBRARY says, or beside this file."""
    if given := os.environ.get(VARIABLE):
        return pathlib.Path(given)
    return pathlib.Path(__file__).with_name("libschedulers." + ("dylib" if sys.platform == "darwin" else "so"))


@functools.cache
def library() -> ctypes.CDLL:
    """The library, loaded at its first use.

    Raises `LibraryMissingError` where there is none, and `LibraryVersionError` for one of another interface.
    """
    place = path()
    remedy = f"install a wheel of this package, or set {VARIABLE} to the path of the library"
    if not place.is_file():
        raise LibraryMissingError(f"the library {place} is not there; {remedy}")
    try:
        loaded = ctypes.CDLL(str(place))
        version = loaded.schedulers_abi_version
        loaded.schedulers_version.restype = c_char_p
        loaded.schedulers_text_free.argtypes = [P]
        loaded.schedulers_text_free.restype = None
    except (OSError, AttributeError) as reason:
        raise LibraryMissingError(f"{place} cannot be loaded: {reason}; {remedy}") from None
    version.restype = c_int32
    if (found := version()) != ABI:
        raise LibraryVersionError(
            f"{place} has version {found} of its interface, and this package needs {ABI}; {remedy}"
        )
    try:
        for name, arguments in SIGNATURES.items():
            function = getattr(loaded, f"schedulers_{name}")
            function.argtypes, function.restype = [*arguments, POINTER(Error)], c_int32
        for kind in KINDS:
            destroy = getattr(loaded, f"schedulers_{kind}_destroy")
            destroy.argtypes, destroy.restype = [P], None
    except AttributeError as reason:
        raise LibraryVersionError(f"{place} lacks a function: {reason}; {remedy}") from None
    return loaded


def version() -> str:
    """The version of the library."""
    found: bytes = library().schedulers_version()
    return found.decode()


def call(name: str, *arguments: Any) -> None:
    """Calls a function, and raises what it says if it fails."""
    error = Error()
    status = getattr(library(), name)(*arguments, byref(error))
    if status:
        raise failure(status, error)


def failure(status: int, error: Error) -> SchedulersError:
    """The exception of a status."""
    return BY_STATUS.get(status, SchedulersError)(
        error.text.decode(errors="replace") or f"the library answers {status}"
    )


class Handle:
    """Something that the library holds, given back when nothing refers to it any more."""

    def __init__(self, kind: str, pointer: int) -> None:
        self._as_parameter_ = self.pointer = c_void_p(pointer)
        self._destroy = getattr(library(), f"schedulers_{kind}_destroy")
        self.kind = kind

    def copy(self) -> Handle:
        """A copy of a run or a noise source."""
        return _handle(self.kind, f"schedulers_{self.kind}_copy", self)

    def __del__(self) -> None:
        if destroy := getattr(self, "_destroy", None):
            destroy(self.pointer)


def _handle(kind: str, name: str, *arguments: Any) -> Handle:
    pointer = c_void_p()
    call(name, *arguments, byref(pointer))
    assert pointer.value is not None
    return Handle(kind, pointer.value)


def made(kind: str, request: str) -> Handle:
    """What a request in JSON describes: a plan, a noise source or a schedule."""
    return _handle(kind, f"schedulers_{kind}_create", encoded(request))


def run(plan: Handle, scalar: int, samples: int, size: int) -> Handle:
    return _handle("run", "schedulers_run_create", plan, scalar, samples, size)


def described(plan: Handle) -> Info:
    """What a plan is, as a whole."""
    info = Info()
    call("schedulers_plan_describe", plan, byref(info))
    return info


def queries(plan: Handle, count: int) -> ctypes.Array[Query]:
    """What is asked of the network in each call of a plan."""
    made = (Query * count)()
    call("schedulers_plan_queries", plan, count, made)
    return made


def draws(plan: Handle, count: int) -> tuple[bool, ...]:
    """Whether the library that a plan's configuration is of takes noise in each of its steps."""
    return tuple(bool(query.draws_noise) for query in queries(plan, count))


def text(name: str, *arguments: Any) -> str:
    """The text that a function makes."""
    pointer = c_void_p()
    call(name, *arguments, byref(pointer))
    assert pointer.value is not None
    try:
        return ctypes.string_at(pointer.value).decode()
    finally:
        library().schedulers_text_free(pointer)


def encoded(value: str) -> bytes:
    """A text for the library, in which no 0 ends it early."""
    if "\0" in value:
        raise ArgumentError("the text holds a character of code 0; leave it out")
    return value.encode("utf-8", errors="surrogatepass")
