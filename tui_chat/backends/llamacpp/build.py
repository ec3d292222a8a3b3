"""What the installed llama.cpp was built for, found out without loading it."""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path

from tui_chat.wire.plan import DeviceKind

PACKAGE = "llama_cpp"
_LIBRARIES = {
    "ggml-cuda": DeviceKind.CUDA,
    "ggml-hip": DeviceKind.GPU,
    "ggml-vulkan": DeviceKind.GPU,
    "ggml-sycl": DeviceKind.GPU,
}


@functools.cache
def gpu_kinds() -> frozenset[DeviceKind]:
    """The kinds of GPU that llama.cpp can use here, by the backends that lie beside it."""
    spec = importlib.util.find_spec(PACKAGE)
    folders = spec.submodule_search_locations if spec else None
    names = [path.name for folder in folders or () for path in Path(folder, "lib").glob("*ggml-*")]
    return frozenset(kind for word, kind in _LIBRARIES.items() if any(word in name for name in names))


@functools.cache
def backend_name() -> str:
    """Name and version of the inference library, such as ``llama-cpp-python 0.3.36``."""
    import importlib.metadata  # 15 ms, which workers that only want `PACKAGE` can do without

    return f"llama-cpp-python {importlib.metadata.version('llama-cpp-python')}"
