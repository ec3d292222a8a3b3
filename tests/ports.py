"""Ports that nobody else is given: others take theirs from the system, and it gives from another range."""

from __future__ import annotations

import random
import socket
from contextlib import suppress

LOWEST, HIGHEST = 20_000, 32_000
"""Below what Linux gives to whoever asks for any port, and to whoever connects."""


def free_port(host: str = "127.0.0.1") -> int:
    """A port that is free and stays so, for a server that has to be told one before it starts."""
    while True:
        port = random.randint(LOWEST, HIGHEST)
        with suppress(OSError), socket.create_server((host, port)):
            return port
