"""Which addresses of this machine are asked whether a server is there."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable

from tui_chat.backends.detect.addresses import HOST, Address, address_of
from tui_chat.backends.detect.found import PORTS
from tui_chat.backends.detect.processes import Processes
from tui_chat.wire.servers import ServerKind

_MORE = (8001, 8081)
"""Where a second one is usually put."""


def candidates(extra: Iterable[int], seen: Processes, known: Collection[Address]) -> frozenset[Address]:
    """The addresses to ask: usual ports, `extra` ones, ``$OLLAMA_HOST``, and those of servers' processes.

    Args:
        extra: Ports from the settings.
        seen: Tells who listens where, and what is not to be asked.
        known: Addresses whose server is known, and that need not be asked.
    """
    ports = {*PORTS.values(), *_MORE, *extra}
    found = {Address(HOST, port) for port in ports}
    found |= {address for runtime in seen.runtimes for address in runtime.addresses}
    if ollama := address_of(os.environ.get("OLLAMA_HOST", ""), PORTS[ServerKind.OLLAMA]):
        found.add(ollama)
    return frozenset(found - seen.closed - set(known))
