"""llama.cpp's C functions, without llama_cpp's high-level package.

`import llama_cpp` also imports its `Llama` class and numpy, which no worker uses: 0.30 s and 30 MiB
instead of 0.10 s. The bindings themselves need only the package's folder, so an empty package of that
name is put in its place. This happens in worker processes, which run nothing else.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import sys
from types import ModuleType
from typing import Any

PACKAGE = "llama_cpp"
BACKEND = f"llama-cpp-python {importlib.metadata.version('llama-cpp-python')}"


def _bindings() -> Any:
    if PACKAGE not in sys.modules:
        spec = importlib.util.find_spec(PACKAGE)
        if spec is None or spec.submodule_search_locations is None:
            raise ModuleNotFoundError("llama-cpp-python is not installed", name=PACKAGE)
        package = ModuleType(PACKAGE)
        package.__path__ = list(spec.submodule_search_locations)
        sys.modules[PACKAGE] = package
    return importlib.import_module(f"{PACKAGE}.{PACKAGE}")


lib = _bindings()
"""The module of ctypes functions, named as in llama.h."""
