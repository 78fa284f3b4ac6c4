"""Puts the C library into a wheel, which is then one for a platform: part of the build by hatchling."""

import os
import pathlib
import platform
import sys
import sysconfig
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class LibraryHook(BuildHookInterface):
    """Takes the library that SCHEDULERS_LIBRARY names, or that `make c` built."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before a wheel is built."""
        if version == "editable":
            return
        name = "libschedulers." + ("dylib" if sys.platform == "darwin" else "so")
        built = pathlib.Path(self.root).parents[1] / ".build/c" / name
        library = pathlib.Path(os.environ.get("SCHEDULERS_LIBRARY") or built).resolve()
        if not library.is_file():
            raise FileNotFoundError(f"the library {library} is not there; build it with `make c`")
        build_data["force_include"][str(library)] = f"schedulers/{name}"
        build_data["pure_python"] = False
        # For every Python 3 of the platform: ctypes loads the library, which knows nothing of Python. On Linux this
        # says no more than the processor; `make wheel` then has auditwheel say which C library it needs.
        place = sysconfig.get_platform()
        if sys.platform == "darwin":
            # The floor of Package.swift, for the processor that the library was built on.
            place = f"macosx_13_0_{platform.machine()}"
        build_data["tag"] = f"py3-none-{place.replace('-', '_').replace('.', '_')}"
