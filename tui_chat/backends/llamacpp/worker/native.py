"""llama.cpp's C functions, without llama_cpp's high-level package.

`import llama_cpp` also imports its `Llama` class and numpy, which no worker uses: 0.30 s and 30 MiB
instead of 0.10 s. The bindings themselves need only the package's folder, so an empty package of that
name is put in its place. This happens in worker processes, which run nothing else.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from tui_chat.backends.llamacpp.build import PACKAGE


def _bindings() -> Any:
    if PACKAGE not in sys.modules:
        spec = importlib.util.find_spec(PACKAGE)
        if spec is None or spec.submodule_search_locations is None:
            raise ModuleNotFoundError("llama-cpp-python is not installed", name=PACKAGE)
        package = ModuleType(PACKAGE)
        package.__path__ = list(spec.submodule_search_locations)
        sys.modules[PACKAGE] = package
    return importlib.import_module(f"{PACKAGE}.{PACKAGE}")


def _ggml(bindings: Any) -> Any:
    """The library under llama.cpp: the very file that llama.cpp is linked to.

    The wheel holds copies of it under other names; loading one of those gives a second, empty registry.
    """
    name = "libggml-base.0.dylib" if sys.platform == "darwin" else "libggml-base.so.0"
    base = ctypes.CDLL(str(Path(bindings.__file__).parent / "lib" / name))
    base.ggml_backend_cpu_buffer_type.restype = ctypes.c_void_p
    return base


lib = _bindings()
"""The module of ctypes functions, named as in llama.h."""

ABORTED = 2
"""The status of an evaluation that was told to stop."""

ggml = _ggml(lib)
"""ggml's own functions, as far as this package declares them."""
