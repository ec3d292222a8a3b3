"""Servers that the settings name, under ``[servers.NAME]``."""

from __future__ import annotations

from typing import Annotated

import msgspec

from tui_chat.wire.plan import KvType
from tui_chat.wire.servers import ServerKind

Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=40)]
"""Of a server: what the ids of its models begin with, before a slash."""
Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400)]
Port = Annotated[int, msgspec.Meta(ge=1, le=65_535)]


class ServerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One server.

    Attributes:
        url: Where it is, such as ``http://gpu-box:8000``; a path like ``/v1`` at its end may be left out.
        kind: What it is; None finds out.
        key_env: Name of the environment variable that holds its key.
        key_command: A command that prints its key, such as ``["pass", "show", "vllm"]``.
        headers: Sent with every request; as values may be secret, they are never shown.
        ca: File with the certificates to trust instead of the usual ones.
        certificate, certificate_key: Files with what we identify ourselves by.
        plain_key: Whether the key may be sent over plain HTTP to another machine.
        connect_s: How long connecting may take.
        first_token_s: How long the first token may take: the server may be loading the model first.
        stall_s: How long an answer may then stand still.
        parallel: How many answers may be asked of it at once.
        context: Tokens that its models read, where it does not tell.
        kv_type: Of Ollama's KV cache, where its environment cannot be read.
    """

    url: str
    kind: ServerKind | None = None
    key_env: str | None = None
    key_command: tuple[str, ...] = ()
    headers: dict[str, str] = {}
    ca: str | None = None
    certificate: str | None = None
    certificate_key: str | None = None
    plain_key: bool = False
    connect_s: Seconds = 5.0
    first_token_s: Seconds = 600.0
    stall_s: Seconds = 60.0
    parallel: Annotated[int, msgspec.Meta(ge=1, le=256)] = 1
    context: Annotated[int, msgspec.Meta(ge=256)] | None = None
    kv_type: KvType | None = None


class DetectSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether servers on this machine are looked for, and the ports asked beside those of known processes."""

    enabled: bool = True
    ports: tuple[Port, ...] = ()
