"""What tests of Ollama share: a server of ours for a stand-in, and a whole answer in one word."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.servers.ollama_stand_in import OllamaStandIn, ollama_stand_in
from tests.servers.small_ollama import Model
from tests.worker.support import Heard, user
from tui_chat.backends.ollama.server import OllamaServer
from tui_chat.backends.protocol import LoadedModel
from tui_chat.backends.servers.link import Link
from tui_chat.chat.model import Sampling
from tui_chat.config.servers import ServerSettings
from tui_chat.wire.api import Turn
from tui_chat.wire.events import Channel
from tui_chat.wire.plan import LoadOptions
from tui_chat.wire.servers import ServedModel

TINY = "tiny:1b"
CALM = Sampling(temperature=0, seed=1)
OPTIONS = LoadOptions(context=2048, gpu_layers=31)
QUESTION = user("Why is the sky blue?")
_numbers = itertools.count()


def server_at(url: str, *, more: dict[str, Any] | None = None, **settings: Any) -> OllamaServer:
    """A server of ours; `more` goes to it, and the rest into its settings."""
    return OllamaServer(Link("ollama", ServerSettings(url=url, **settings)), **(more or {}))


@asynccontextmanager
async def standing_in(
    *models: Model, settings: dict[str, Any] | None = None, more: dict[str, Any] | None = None, **world: Any
) -> AsyncIterator[tuple[OllamaStandIn, OllamaServer]]:
    """A stand-in with these models (or a tiny one), and our server for it, which has looked."""
    async with ollama_stand_in(*(models or (Model(TINY),)), **world) as stand_in:
        server = server_at(stand_in.url, more=more, **(settings or {}))
        await server.look()
        try:
            yield stand_in, server
        finally:
            await server.close()


def listed(server: OllamaServer, name: str = TINY) -> ServedModel:
    """A model as our server last saw it."""
    return next(model for model in server.info.models if model.name == name)


async def loaded(
    server: OllamaServer,
    name: str = TINY,
    options: LoadOptions | None = OPTIONS,
    keep_alive_s: float | None = 300,
) -> LoadedModel:
    return await server.load(listed(server, name), options, keep_alive_s, lambda _: None)


async def hear(
    model: LoadedModel, turns: tuple[Turn, ...] = QUESTION, sampling: Sampling = CALM, **more: Any
) -> Heard:
    """Have an answer to its end."""
    return Heard([event async for event in model.generate(f"a{next(_numbers)}", turns, sampling, **more)])


def thought(heard: Heard) -> str:
    return "".join(delta.text for delta in heard.deltas if delta.channel is Channel.THINKING)


def talking(model: str, *pieces: str, **last: Any) -> Iterator[dict[str, Any]]:
    """The lines of an answer; what is told of the `last` is added to it, and none is sent without that."""
    for piece in pieces:
        yield {"model": model, "created_at": "2026-08-01T10:11:12.1Z", "done": False,
               "message": {"role": "assistant", "content": piece}}  # fmt: skip
    if last:
        yield {"model": model, "message": {"role": "assistant", "content": ""}} | last


def give_blob(root: Path, ollama: OllamaStandIn, model: str, weights: Path) -> None:
    """Have the weights of one of its models lie below `root`, as an Ollama keeps them."""
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    (root / "blobs").mkdir(parents=True)
    (root / "blobs" / f"sha256-{digest}").symlink_to(weights)
    layer = {"mediaType": "application/vnd.ollama.image.model", "digest": f"sha256:{digest}"}
    manifest = json.dumps({"schemaVersion": 2, "layers": [layer]}).encode()
    name, tag = model.split(":")
    place = root / "manifests" / "registry.ollama.ai" / "library" / name / tag
    place.parent.mkdir(parents=True)
    place.write_bytes(manifest)
    ollama.world.models[model].digest = hashlib.sha256(manifest).hexdigest()
