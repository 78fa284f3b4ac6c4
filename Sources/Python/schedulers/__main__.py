"""`python -m schedulers --version`."""

from __future__ import annotations

import argparse
import sys

import numpy

from . import __version__, _library
from .errors import LibraryError


def main() -> int:
    """Prints the version of the package and of its library; 1 if the library cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m schedulers", description=__doc__)
    parser.add_argument("--version", action="store_true", help="print the versions of the package and of its library")
    if not parser.parse_args().version:
        parser.print_help()
        return 0
    try:
        print(f"schedulers {__version__}, library {_library.version()} at {_library.path()}, NumPy {numpy.__version__}")
    except LibraryError as error:
        print(f"schedulers {__version__}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
