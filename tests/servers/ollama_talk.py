"""How Ollama answers: `/api/chat` and `/api/generate`, with their counts, cuts and refusals."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

from tests.servers.raw_http import ClientGoneError, Line, Request, refused
from tests.servers.small_ollama import Model, Runner, World, seconds, stamp, words

AROUND = 4
"""Words that the template puts around each message."""
_NS = 10**6
_ROLES = {"system", "user", "assistant", "tool"}


async def generate(world: World, line: Line, request: Request) -> None:
    """Only loads and unloads: nothing here sends it a prompt."""
    await _empty(world, line, request.json, response="")


async def chat(world: World, line: Line, request: Request) -> None:
    body = request.json
    messages = body.get("messages") or []
    if not messages:
        await _empty(world, line, body, message={"role": "assistant", "content": ""})
        return
    model = world.find(body.get("model"))
    _check(model, messages, body)
    try:
        runner = await world.take(model, body, lambda: line.gone)
        try:
            async with runner.turn:
                await _answer(world, line, runner, body)
        finally:
            world.release_runner(runner)
    except ClientGoneError:
        world.cancelled.append("chat")
        raise


async def _empty(world: World, line: Line, body: dict[str, Any], **shape: Any) -> None:
    """A request without anything to answer loads the model, or unloads it."""
    model = world.find(body.get("model"))
    told = {"model": model.name, "created_at": _now(), "done": True, **shape}
    if "keep_alive" in body and seconds(body["keep_alive"]) == 0:
        world.unload(model)
        told["done_reason"] = "unload"
    else:
        if "completion" not in model.capabilities:
            raise refused(400, f'"{model.name}" does not support generate')
        world.release_runner(await world.take(model, body, lambda: line.gone))
        told["done_reason"] = "load"
    await line.reply(200, json.dumps(told).encode())


def _check(model: Model, messages: list[dict[str, Any]], body: dict[str, Any]) -> None:
    if "completion" not in model.capabilities:
        raise refused(400, f'"{model.name}" does not support chat')
    think = body.get("think")
    if think not in (None, True, False, "low", "medium", "high", "max"):
        raise refused(400, f"invalid think value: {json.dumps(think)}")
    if think and "thinking" not in model.capabilities:
        raise refused(400, f'"{model.name}" does not support thinking')
    for message in messages:
        if message.get("role") not in _ROLES or not isinstance(message.get("content", ""), str):
            raise refused(400, "json: cannot unmarshal message")
    if "keep_alive" in body:
        seconds(body["keep_alive"])


def _prompt(messages: list[dict[str, Any]]) -> tuple[str, ...]:
    """A conversation as tokens."""
    around = ("<",) * (AROUND // 2)
    return tuple(
        each for message in messages for each in (*around, *words(message.get("content", "")), *around)
    )


def _fitted(world: World, runner: Runner, body: dict[str, Any]) -> list[dict[str, Any]]:
    """The messages that are read: without the oldest ones where they are too long, if that is allowed."""
    messages = list(body["messages"])
    if len(_prompt(messages)) < runner.context:
        return messages
    if body.get("truncate") is False and world.release >= (0, 12, 6):
        inner = {
            "code": 400, "type": "exceed_context_size_error",
            "message": f"request ({len(_prompt(messages))} tokens) exceeds the available context size "
            f"({runner.context} tokens), try increasing it",
            "n_prompt_tokens": len(_prompt(messages)), "n_ctx": runner.context,
        }  # fmt: skip
        raise refused(400, json.dumps({"error": inner}))
    while len(_prompt(messages)) >= runner.context:
        old = [at for at, message in enumerate(messages[:-1]) if message["role"] != "system"]
        if not old:
            raise refused(400, "the prompt is longer than the context length currently available")
        del messages[old[0]]
    return messages


async def _answer(world: World, line: Line, runner: Runner, body: dict[str, Any]) -> None:
    began = time.monotonic()
    options = body.get("options") or {}
    messages = _fitted(world, runner, body)
    prompt = _prompt(messages)
    known = next(
        (n for n, (old, new) in enumerate(zip(runner.read, prompt, strict=False)) if old != new), None
    )
    cached = min(len(runner.read), len(prompt)) if known is None else known
    told, reason = 0, "stop"
    limit = options.get("num_predict", -1)
    text = ""
    await line.begin()
    for thinking, piece in _said(runner.model, messages[-1], think=body.get("think") is not False):
        if 0 <= limit <= told:
            reason = "length"
            break
        if len(prompt) + told >= runner.context and not runner.shift:
            reason = "length"
            break
        await world.pause(lambda: line.gone, world.token_s, partial(world.holds, told))
        told += 1
        stop = next((stop for stop in options.get("stop", ()) if stop in text + piece), None)
        if stop is not None:
            break
        text += "" if thinking else piece
        await _say(line, runner.model, {"role": "assistant", "content": "" if thinking else piece} | (
            {"thinking": piece} if thinking else {}
        ))  # fmt: skip
    runner.read = (*prompt, *words(text))
    numbers = {
        "total_duration": round((time.monotonic() - began) * 1e9), "prompt_eval_count": len(prompt),
        "prompt_eval_duration": (len(prompt) - cached) * _NS, "eval_count": told,
        "eval_duration": max(0, told - 1) * _NS,
    }  # fmt: skip
    end = {"done": True, "done_reason": reason} | {name: n for name, n in numbers.items() if n}
    await _say(line, runner.model, {"role": "assistant", "content": ""}, **end)
    await line.end()


def _said(model: Model, last: dict[str, Any], *, think: bool) -> Iterator[tuple[bool, str]]:
    """What the model says, piece by piece, and whether it only thinks that; what was begun goes on."""
    begun = last.get("content", "") if last["role"] == "assistant" else ""
    if model.thinking and think and not begun:
        yield from ((True, word) for word in words(model.thinking))
    yield from ((False, word) for word in words(model.answer.removeprefix(begun)))


async def _say(line: Line, model: Model, message: dict[str, Any], **more: Any) -> None:
    told = {"model": model.name, "created_at": _now(), "message": message, **({"done": False} | more)}
    await line.chunk(json.dumps(told, ensure_ascii=False).encode() + b"\n")


def _now() -> str:
    return stamp(datetime.now(UTC))
