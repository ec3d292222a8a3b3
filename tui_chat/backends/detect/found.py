"""What the search for servers brings."""

from __future__ import annotations

from dataclasses import dataclass

from tui_chat.backends.detect.addresses import HOST, Address
from tui_chat.wire.servers import ServerKind, ServerState

PORTS = {
    ServerKind.OLLAMA: 11434,
    ServerKind.LLAMA_SERVER: 8080,
    ServerKind.LLAMA_SWAP: 8080,
    ServerKind.VLLM: 8000,
    ServerKind.SGLANG: 30000,
    ServerKind.LM_STUDIO: 1234,
    ServerKind.TEXTGEN: 5000,
}
"""Where they listen if nobody tells them otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One server, or one process that is only seen.

    Attributes:
        name: One and the same whenever it is found, and no other's: what its models' ids may begin with.
        url: Where it is asked; empty for a process that nothing answers for.
        state: `UP`, `LOADING` or `REFUSING` as it answered; `UNKNOWN` of what was not asked.
        version: As it says; empty where it does not.
        pid: Its process, where that can be seen; 0 else.
        memory_bytes: What its processes hold of GPUs.
        command: How that process was started, without its arguments: they may hold keys.
        known: Whether its address was known before; then it was not asked.
    """

    name: str
    kind: ServerKind
    url: str = ""
    state: ServerState = ServerState.UNKNOWN
    version: str = ""
    pid: int = 0
    memory_bytes: int = 0
    command: str = ""
    known: bool = False


def name_of(kind: ServerKind, address: Address) -> str:
    """What a server is called: by its kind alone where it has its kind's own port.

    It hangs on nothing but kind and address, so that it stays when others come and go.
    """
    parts = [kind.value]
    if address.port != PORTS.get(kind):
        parts.append(str(address.port))
    if address.host != HOST:
        parts.append(address.host)
    return "-".join(parts)
