"""What answers at an address: which server, if any, by what each says of itself and nobody else does."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from tui_chat.backends.detect.addresses import Address
from tui_chat.backends.detect.probe import Asking, Reply, client, is_open
from tui_chat.wire.lean import httpx
from tui_chat.wire.servers import ServerKind, ServerState

_VERSION = re.compile(r"[\w.+-]{1,40}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Answer:
    """What answers somewhere. `kind` None: something that wants a key, and does not say what it is."""

    kind: ServerKind | None
    state: ServerState = ServerState.UP
    version: str = ""


@dataclass(frozen=True, slots=True)
class _Mark:
    """What tells one server from all others that speak OpenAI's API.

    Attributes:
        owner: Who owns its models, by its ``/v1/models``.
        paths: Where to look, the first that is there.
        shown: Whether what is there is such a server's.
        version: Where it says its version, and in which field.
        owned: Whether `owner` has to be right, as what is at `paths` might be another's.
    """

    kind: ServerKind
    owner: str
    paths: tuple[str, ...]
    shown: Callable[[dict[str, Any]], bool]
    version: tuple[tuple[str, ...], str] = ((), "")
    owned: bool = False


_MARKS = (
    _Mark(
        ServerKind.LLAMA_SERVER,
        "llamacpp",
        ("/props",),
        lambda said: "default_generation_settings" in said or said.get("role") == "router",
        (("/props",), "build_info"),
    ),
    _Mark(
        ServerKind.LLAMA_SWAP,
        "llama-swap",
        ("/running",),
        lambda said: isinstance(said.get("running"), list),
        (("/api/version",), "version"),
    ),
    _Mark(
        ServerKind.VLLM,
        "vllm",
        ("/version",),
        lambda said: isinstance(said.get("version"), str),
        (("/version",), "version"),
        owned=True,
    ),
    _Mark(
        ServerKind.SGLANG,
        "sglang",
        ("/model_info", "/get_model_info"),
        lambda said: "model_path" in said,
        (("/server_info", "/get_server_info"), "version"),
    ),
    _Mark(
        ServerKind.LM_STUDIO,
        "organization_owner",
        ("/api/v0/models",),
        lambda said: _all_are_objects_with("state", said.get("data")),
    ),
    _Mark(
        ServerKind.TEXTGEN,
        "user",
        ("/v1/internal/model/info",),
        lambda said: "model_name" in said,
    ),
)


def _all_are_objects_with(key: str, listed: object) -> bool:
    return isinstance(listed, list) and all(isinstance(each, dict) and key in each for each in listed)


async def identify_all(addresses: Collection[Address]) -> dict[Address, Answer]:
    """Ask all addresses at once, and tell of those where a server is; takes 2 s if one is slow."""
    there = await asyncio.gather(*map(is_open, addresses))
    open_ones = [address for address, is_there in zip(addresses, there, strict=True) if is_there]
    if not open_ones:
        return {}
    async with await asyncio.to_thread(client) as asks:
        answers = await asyncio.gather(*(identify(Asking(asks, address.url)) for address in open_ones))
    return {address: answer for address, answer in zip(open_ones, answers, strict=True) if answer}


async def identify(asking: Asking) -> Answer | None:
    """Tell what answers; None for what is no model server."""
    models, version = await asyncio.gather(asking.get("/v1/models"), asking.get("/api/version"))
    if ollama := await _ollama(asking, version):
        return ollama
    if models is None:
        return None
    if models.refused:
        return await _refusing(asking, models)
    if _loading(models):
        return Answer(ServerKind.LLAMA_SERVER, ServerState.LOADING)
    if not _lists_models(models):
        return None
    return await _of_openai(asking, _owner(models))


async def _ollama(asking: Asking, version: Reply | None) -> Answer | None:
    """Others answer to ``/api/version`` too, some of them in order to pass for Ollama."""
    said = version.told.get("version") if version else None
    if not isinstance(said, str):
        return None
    root = await asking.get("/")
    if root is None or b"Ollama is running" not in root.body:
        return None
    return Answer(ServerKind.OLLAMA, version=_version(said))


async def _refusing(asking: Asking, models: Reply) -> Answer:
    """Who wants a key: llama-server and vLLM tell themselves by what they let everybody see."""
    error = models.said.get("error")
    if isinstance(error, dict) and error.get("type") == "authentication_error":
        health = await asking.get("/health")
        kind = ServerKind.LLAMA_SERVER if health and health.told.get("status") == "ok" else ServerKind.OPENAI
        return Answer(kind, ServerState.REFUSING)
    if error == "Unauthorized":
        version = await asking.get("/version")
        said = version.told.get("version") if version else None
        if isinstance(said, str):
            return Answer(ServerKind.VLLM, ServerState.REFUSING, _version(said))
    speaks = isinstance(error, dict) and isinstance(error.get("message"), str) and "type" in error
    return Answer(ServerKind.OPENAI if speaks else None, ServerState.REFUSING)


def _loading(models: Reply) -> bool:
    """llama.cpp's words while it loads."""
    error = models.said.get("error")
    unavailable = isinstance(error, dict) and error.get("type") == "unavailable_error"
    return models.status == httpx.codes.SERVICE_UNAVAILABLE and unavailable


def _lists_models(models: Reply) -> bool:
    """Whether it is a list of models in OpenAI's shape, and not of something else that is called so."""
    said, listed = models.told, models.told.get("data")
    if listed is None:
        return said.get("object") == "list" and "data" in said  # none, as some write it
    return _all_are_objects_with("id", listed) and (
        said.get("object") == "list" or any(each.get("object") == "model" for each in listed)
    )


def _owner(models: Reply) -> str:
    """Whom all models belong to; empty if to several, as with something that stands before other servers."""
    owners = {str(each.get("owned_by", "")) for each in models.told.get("data") or ()}
    return owners.pop() if len(owners) == 1 else ""


async def _of_openai(asking: Asking, owner: str) -> Answer:
    """Which of those that speak OpenAI's API: first the one that it says it is, then all others."""
    likely = [mark for mark in _MARKS if mark.owner == owner]
    others = [mark for mark in _MARKS if mark.owner != owner and not mark.owned]
    for marks in (likely, others):
        shown = await asyncio.gather(*(_shown(asking, mark, trusted=marks is likely) for mark in marks))
        if found := next((answer for answer in shown if answer), None):
            return found
    return Answer(ServerKind.OPENAI)


async def _shown(asking: Asking, mark: _Mark, *, trusted: bool) -> Answer | None:
    """Ask for one mark; one that is `trusted` need not answer in time to be believed."""
    reply = await asking.first(mark.paths)
    if trusted and (reply is None or reply.refused):
        return Answer(mark.kind, ServerState.REFUSING if reply else ServerState.UP)
    if reply is None or not reply.told or not mark.shown(reply.told):
        return None
    paths, field = mark.version
    told = reply if paths == mark.paths else await asking.first(paths)
    return Answer(mark.kind, version=_version(told.told.get(field)) if told else "")


def _version(said: object) -> str:
    """A version for a person to read: nothing that a terminal might take for more than text."""
    found = _VERSION.match(said) if isinstance(said, str) else None
    return found[0] if found else ""
