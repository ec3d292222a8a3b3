"""Says whether llama.cpp can be loaded here and sees a GPU: ``python -m …`` prints ``gpu`` or ``cpu``."""

from __future__ import annotations

import sys


def main() -> None:
    """Load the library, ask it, and print the answer as the last line."""
    from tui_chat.backends.llamacpp.worker.native import lib

    lib.llama_backend_init()
    sys.stdout.write("gpu\n" if lib.llama_supports_gpu_offload() else "cpu\n")


if __name__ == "__main__":
    main()
