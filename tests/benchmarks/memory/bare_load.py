"""Loads a model as llama-cpp-python does by itself, in a process that has imported it, and prints the ms.

Run as ``python -m tests.benchmarks.memory.bare_load FILE CONTEXT UBATCH THREADS``.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from tui_chat.wire.plan import LoadOptions


def bare_load(path: Path, options: LoadOptions, threads: int) -> float:
    """Milliseconds for the load alone, in a process of its own; `options` are those of a model in RAM."""
    command = [sys.executable, "-m", __spec__.name, path, options.context, options.ubatch, threads]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True)
    return float(done.stdout)


def main(path: str, context: int, ubatch: int, threads: int) -> None:
    """Load once and print how long that took."""
    import llama_cpp

    llama_cpp.llama_backend_init()
    started = time.perf_counter()
    model = llama_cpp.Llama(
        path,
        n_ctx=context,
        n_batch=ubatch,
        n_ubatch=ubatch,
        n_threads=threads,
        flash_attn=True,
        verbose=False,
    )
    print((time.perf_counter() - started) * 1e3)
    model.close()


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
