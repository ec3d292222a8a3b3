"""Servers that the settings name, under ``[servers.NAME]``."""

from __future__ import annotations

from typing import Annotated

import msgspec

from tui_chat.config.declared import Place, Tokens, about
from tui_chat.wire.plan import KvType
from tui_chat.wire.servers import ServerKind

Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=40)]
"""Of a server: what the ids of its models begin with, before a slash."""
Seconds = Annotated[float, msgspec.Meta(ge=0.001, le=86_400)]
Port = Annotated[int, msgspec.Meta(ge=1, le=65_535)]


class ServerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One server."""

    url: Annotated[
        str,
        about("Where a server is, such as `http://gpu-box:8000`; NAME is what its models' ids begin with"),
    ]
    kind: Annotated[ServerKind | None, about("What it is; else it is found out")] = None
    key_env: Annotated[str | None, about("Environment variable that holds its key")] = None
    key_command: Annotated[
        tuple[str, ...], about('A command that prints its key: `["pass", "show", "vllm"]`')
    ] = ()
    headers: Annotated[dict[str, str], about("Sent with every request, and never shown", secret=True)] = {}
    ca: Annotated[Place | None, about("File with the certificates to trust instead of the usual ones")] = None
    certificate: Annotated[Place | None, about("File with the certificate that we identify ourselves by")] = (
        None
    )
    certificate_key: Annotated[Place | None, about("File with the key of that certificate")] = None
    plain_key: Annotated[bool, about("Whether the key may be sent over plain HTTP to another machine")] = (
        False
    )
    connect_s: Annotated[Seconds, about("Seconds that connecting may take")] = 5.0
    first_token_s: Annotated[
        Seconds, about("Seconds that the first token may take; the server may have to load the model")
    ] = 600.0
    stall_s: Annotated[Seconds, about("Seconds that an answer may then stand still")] = 60.0
    parallel: Annotated[
        Annotated[int, msgspec.Meta(ge=1, le=256)], about("Answers that may be asked of it at once")
    ] = 1
    context: Annotated[Tokens | None, about("Tokens that its models read, where it does not tell")] = None
    kv_type: Annotated[
        KvType | None, about("Type of Ollama's KV cache, where its environment cannot be read")
    ] = None


class DetectSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How servers are looked for on this machine."""

    enabled: Annotated[bool, about("Whether servers on this machine are looked for")] = True
    ports: Annotated[tuple[Port, ...], about("Ports to look at beside those of known servers")] = ()
