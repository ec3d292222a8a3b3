"""What Ollama answers, path by path, as far as its models are concerned; talking is in `ollama_talk`."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.servers.ollama_talk import chat, generate
from tests.servers.raw_http import ClientGoneError, Line, RefusedError, Request, refused
from tests.servers.small_ollama import FOREVER, Model, World, full_name, stamp

_PULL_STEP = 64 << 10
Route = Callable[[World, Line, Request], Awaitable[None]]


async def say(line: Line, value: Any) -> None:
    """Answer with JSON."""
    await line.reply(200, json.dumps(value).encode())


async def frame(line: Line, value: Any) -> None:
    """One line of a stream."""
    await line.chunk(json.dumps(value, ensure_ascii=False).encode() + b"\n")


def details_of(model: Model) -> dict[str, Any]:
    return {
        "parent_model": "", "format": "gguf", "family": model.family, "families": [model.family],
        "parameter_size": model.parameter_size, "quantization_level": model.quant,
    }  # fmt: skip


async def root(_world: World, line: Line, _request: Request) -> None:
    await line.reply(200, b"Ollama is running", "text/plain; charset=utf-8")


async def version(world: World, line: Line, _request: Request) -> None:
    await say(line, {"version": world.version})


async def tags(world: World, line: Line, _request: Request) -> None:
    await say(line, {"models": [_tag(world, model) for model in world.models.values()]})


def _tag(world: World, model: Model) -> dict[str, Any]:
    listed: dict[str, Any] = {
        "name": model.name, "model": model.name, "modified_at": "2026-08-01T10:11:12.123456789+02:00",
        "size": model.size, "digest": model.digest, "details": details_of(model),
    }  # fmt: skip
    if world.release >= (0, 30):
        listed["capabilities"] = list(model.capabilities)
        listed["details"] |= {"context_length": model.trained_context, "embedding_length": 576}
    if model.remote_host:
        listed |= {"remote_model": model.name, "remote_host": model.remote_host}
    return listed


async def ps(world: World, line: Line, _request: Request) -> None:
    await say(line, {"models": [_runner(world, runner) for runner in world.running()]})


def _runner(world: World, runner: Any) -> dict[str, Any]:
    expires = datetime.now(UTC) + timedelta(seconds=runner.keep_alive)
    if runner.keep_alive >= FOREVER:
        expires = datetime(2318, 1, 1, tzinfo=UTC)
    listed = {
        "name": runner.model.name, "model": runner.model.name, "size": runner.size,
        "digest": runner.model.digest, "details": details_of(runner.model),
        "expires_at": stamp(expires), "size_vram": runner.vram,
    }  # fmt: skip
    return listed | ({"context_length": runner.context} if world.release >= (0, 10) else {})


async def show(world: World, line: Line, request: Request) -> None:
    model = world.find(request.json.get("model"))
    arch = model.family
    info = {
        "general.architecture": arch, f"{arch}.context_length": model.trained_context,
        f"{arch}.block_count": 30, "tokenizer.ggml.tokens": None,
    }  # fmt: skip
    if "embedding" in model.capabilities:
        info[f"{arch}.pooling_type"] = 1
    shown = {
        "license": model.licence, "modelfile": f"FROM {model.name}\n", "parameters": model.parameters,
        "template": model.template, "details": details_of(model), "model_info": info,
        "modified_at": "2026-08-01T10:11:12.123456789Z",
    }  # fmt: skip
    if model.system:
        shown["system"] = model.system
    if world.release >= (0, 6, 4):
        shown["capabilities"] = list(model.capabilities)
    await say(line, shown)


async def delete(world: World, line: Line, request: Request) -> None:
    model = world.find(request.json.get("model"))
    world.unload(model)
    del world.models[model.name]
    await line.reply(200)


async def copy(world: World, line: Line, request: Request) -> None:
    body = request.json
    source = world.models.get(full_name(body.get("source", "")))
    if source is None:
        raise refused(404, f'model "{body.get("source", "")}" not found')
    name = full_name(body.get("destination", ""))
    world.models[name] = dataclasses.replace(source, name=name)
    await line.reply(200)


async def pull(world: World, line: Line, request: Request) -> None:
    name = request.json.get("model")
    if not name:
        raise refused(400, "model is required")
    await line.begin()
    await frame(line, {"status": "pulling manifest"})
    model = world.registry.get(full_name(name))
    if model is None:
        await frame(line, {"error": "pull model manifest: file does not exist"})
        await line.end()
        return
    try:
        for digest, size in model.layers:
            await _fetch(world, line, digest, size)
    except ClientGoneError:
        world.cancelled.append("pull")
        raise
    for status in ("verifying sha256 digest", "writing manifest", "success"):
        if status == "success":
            world.models[model.name] = model
        await frame(line, {"status": status})
    await line.end()


async def _fetch(world: World, line: Line, digest: str, size: int) -> None:
    """One layer, from where it was left off; while nothing of it has come, nothing is said of that."""
    while True:
        done = world.fetched.get(digest, 0)
        told = {"status": f"pulling {digest[7:19]}", "digest": digest, "total": size}
        await frame(line, told | ({"completed": done} if done else {}))
        if done >= size:
            return
        await world.pause(lambda: line.gone, 0.0, lambda: _held(world))
        world.fetched[digest] = min(size, done + _PULL_STEP)
        await asyncio.sleep(0)


def _held(world: World) -> bool:
    return world.hold_pull_at is not None and sum(world.fetched.values()) >= world.hold_pull_at


async def has_blob(world: World, line: Line, request: Request) -> None:
    known = request.path.removeprefix("/api/blobs/") in world.blobs
    await line.reply(200 if known else 404)


async def add_blob(world: World, line: Line, request: Request) -> None:
    digest = request.path.removeprefix("/api/blobs/")
    if digest in world.blobs:
        await line.reply(200)
        return
    if digest != f"sha256:{hashlib.sha256(request.body).hexdigest()}":
        raise refused(400, f"digest mismatch, expected {digest!r}")
    world.blobs[digest] = request.body
    await line.reply(201)


async def create(world: World, line: Line, request: Request) -> None:
    body = request.json
    if not body.get("model"):
        raise refused(400, "model is required")
    if not (body.get("from") or body.get("files")):
        raise refused(400, "neither 'from' or 'files' was specified")
    for name, digest in (body.get("files") or {}).items():
        if name.startswith("/") or ".." in name:
            raise refused(400, "relative path required")
        if digest not in world.blobs:
            raise refused(400, f"{digest} was not found")
    await line.begin()
    for digest in (body.get("files") or {}).values():
        await frame(line, {"status": "parsing GGUF"})
        if not world.blobs[digest].startswith(b"GGUF"):
            await frame(line, {"error": "invalid file magic"})
            await line.end()
            return
        await frame(line, {"status": f"using existing layer {digest}"})
    name = full_name(body["model"])
    size = sum(len(world.blobs[digest]) for digest in (body.get("files") or {}).values())
    base = world.models.get(full_name(body.get("from") or ""))
    world.models[name] = dataclasses.replace(base, name=name) if base else Model(name, size=size)
    for status in ("writing manifest", "success"):
        await frame(line, {"status": status})
    await line.end()


_ROUTES: dict[tuple[str, str], Route] = {
    ("GET", "/"): root,
    ("HEAD", "/"): root,
    ("GET", "/api/version"): version,
    ("GET", "/api/tags"): tags,
    ("GET", "/api/ps"): ps,
    ("POST", "/api/show"): show,
    ("DELETE", "/api/delete"): delete,
    ("POST", "/api/copy"): copy,
    ("POST", "/api/pull"): pull,
    ("POST", "/api/create"): create,
    ("POST", "/api/chat"): chat,
    ("POST", "/api/generate"): generate,
}
_BLOBS = {"HEAD": has_blob, "POST": add_blob}


def route_of(request: Request) -> Route:
    """Whatever answers a request. Raises `RefusedError` where nothing does, or it is malformed."""
    if request.path.startswith("/api/blobs/sha256:") and request.method in _BLOBS:
        return _BLOBS[request.method]
    found = _ROUTES.get((request.method, request.path))
    if found is None:
        raise RefusedError(404, "404 page not found", "text/plain")
    if request.method in ("POST", "DELETE"):
        _check_json(request)
    return found


def _check_json(request: Request) -> None:
    if not request.body:
        raise refused(400, "missing request body")
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise RefusedError(415, "415 unsupported media type", "text/plain")
    try:
        value = request.json
    except ValueError as error:
        raise refused(400, str(error)) from error
    if not isinstance(value, dict):
        raise refused(400, "json: cannot unmarshal array into Go value")
