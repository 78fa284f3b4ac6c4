"""What can go wrong. Each exception has one line of text that names value, place and remedy.

All are `SchedulersError`, which is a `ValueError`. Where the C library refuses something, the text is its own.
"""

from __future__ import annotations


class SchedulersError(ValueError):
    """Something that cannot be done as it was asked for."""


class ArgumentError(SchedulersError):
    """An argument that does not fit: an array's type, shape, device or memory, or a number out of its range."""


class JSONError(SchedulersError):
    """Text that is no JSON, or not of the form that is asked for, such as a plan of another version."""


class RequestError(SchedulersError):
    """A class, option, sampler, name or number that cannot be followed."""


class StateError(SchedulersError):
    """A run that is at its end or in use by another thread, or a step that needs noise and gets none."""


class NotFiniteError(SchedulersError):
    """A network's output with NaN or an infinity."""


class FileError(SchedulersError):
    """A file that cannot be read or judged."""


class OutOfMemoryError(SchedulersError):
    """More memory than there is."""


class LibraryError(SchedulersError):
    """The C library cannot be used."""


class LibraryMissingError(LibraryError):
    """The C library is not there, or is no library for this machine."""


class LibraryVersionError(LibraryError):
    """The C library has another interface than this package was written for."""


# By the statuses of schedulers.h.
BY_STATUS: dict[int, type[SchedulersError]] = {
    1: ArgumentError,
    2: JSONError,
    3: RequestError,
    4: StateError,
    5: NotFiniteError,
    6: FileError,
    7: OutOfMemoryError,
}
