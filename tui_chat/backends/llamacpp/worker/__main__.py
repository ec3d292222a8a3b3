"""Starts a worker: ``python -m … SOCKET_FD FLAGS_FD PARENT_PID``, standard error already a log file."""

from __future__ import annotations

import os
import socket
import sys

from tui_chat.backends.llamacpp.abort import AbortFlags
from tui_chat.backends.llamacpp.worker.lifeline import tie_to_parent, volunteer_for_oom


def main() -> None:
    """Secure the process's own end first, then load llama.cpp and serve."""
    line, flags, parent = map(int, sys.argv[1:4])
    tie_to_parent(parent)
    volunteer_for_oom()
    shared = AbortFlags(flags)
    os.close(flags)
    from tui_chat.backends.llamacpp.worker.serve import serve  # loads llama.cpp; only now may it print

    serve(socket.socket(fileno=line), shared)


if __name__ == "__main__":
    main()
