"""The stand-in is as strict as the real Ollama, and can be run beside a test."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.servers.ollama_stand_in import ollama_in_thread, ollama_stand_in
from tests.servers.ollama_support import TINY, hear, loaded, server_at
from tests.servers.small_ollama import Model
from tui_chat.chat.model import FinishReason
from tui_chat.wire.servers import ServerState

ASKED = {"model": TINY, "stream": False}
REFUSED: list[tuple[str, str, Any, int, str]] = [
    ("POST", "/api/generate", ASKED | {"keep_alive": "300"}, 400, "missing unit in duration"),
    ("POST", "/api/generate", ASKED | {"options": {"num_ctx": 2048.5}}, 500, "must be of type integer"),
    ("POST", "/api/generate", {"stream": False}, 400, "model is required"),
    ("POST", "/api/generate", None, 400, "missing request body"),
    ("POST", "/api/generate", [1], 400, "cannot unmarshal"),
    ("POST", "/api/chat", ASKED | {"messages": [{"role": "robot", "content": "Hi"}]}, 400, "unmarshal"),
    ("POST", "/api/chat", ASKED | {"messages": [{"role": "user"}], "think": "much"}, 400, "think value"),
    ("POST", "/api/create", {"model": "own"}, 400, "neither 'from' or 'files'"),
    ("POST", "/api/create", {"model": "own", "files": {"/etc/m.gguf": "sha256:0"}}, 400, "relative path"),
    ("POST", "/api/blobs/sha256:00", {}, 400, "digest mismatch"),
    ("POST", "/api/show", {"model": "nosuch"}, 404, "model 'nosuch' not found"),
    ("GET", "/api/chat", None, 404, "404 page not found"),
    ("GET", "/v1/nothing", None, 404, "404 page not found"),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "words"), REFUSED)
async def test_it_refuses_what_ollama_refuses(
    method: str, path: str, body: Any, status: int, words: str
) -> None:
    async with ollama_stand_in(Model(TINY)) as stand_in, httpx.AsyncClient(base_url=stand_in.url) as client:
        reply = await client.request(method, path, json=body)
        assert (reply.status_code, words in reply.text) == (status, True), reply.text


async def test_it_minds_the_type_of_a_body_and_the_name_that_it_is_called_by() -> None:
    async with ollama_stand_in(Model(TINY)) as stand_in, httpx.AsyncClient(base_url=stand_in.url) as client:
        assert (await client.post("/api/show", content=b'{"model": "tiny:1b"}')).status_code == 415
        assert (await client.get("/api/tags", headers={"Host": "evil.example"})).status_code == 403


async def test_it_counts_every_load_anew() -> None:
    async with ollama_stand_in(Model(TINY)) as stand_in, httpx.AsyncClient(base_url=stand_in.url) as client:
        for options in ({"num_ctx": 1024}, {"num_ctx": 1024, "top_k": 3}, {"num_ctx": 2048}, {}):
            await client.post("/api/generate", json=ASKED | {"options": options})
        assert [options for _, options in stand_in.world.loads] == [{"num_ctx": 1024}, {"num_ctx": 2048}, {}]


async def test_it_evicts_the_idle_and_forgets_the_expired() -> None:
    models = [Model(f"m{number}:1b") for number in range(4)]
    async with ollama_stand_in(*models) as stand_in, httpx.AsyncClient(base_url=stand_in.url) as client:
        for keep_alive, model in zip((60, 30, 90, 60), models, strict=True):
            await client.post("/api/generate", json={"model": model.name, "keep_alive": keep_alive})
        assert {runner.model.name for runner in stand_in.world.running()} == {"m0:1b", "m2:1b", "m3:1b"}
        for runner in stand_in.world.runners.values():
            runner.expires = 0.0
        assert (await client.get("/api/ps")).json() == {"models": []}


def test_it_runs_in_a_thread_of_its_own() -> None:
    with ollama_in_thread(Model(TINY)) as stand_in:
        assert httpx.get(f"{stand_in.url}/").text == "Ollama is running"
        assert [request.path for request in stand_in.seen] == ["/"]


async def test_it_runs_by_itself() -> None:
    command = [sys.executable, "-m", "tests.servers.ollama_stand_in", "--port", "0", "--version", "0.20.0"]
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        try:
            assert process.stdout is not None
            server = server_at(process.stdout.readline().strip())
            info = await server.look()
            assert (info.state, info.version) == (ServerState.UP, "0.20.0")
            assert (await hear(await loaded(server))).settled.finish is FinishReason.STOP
            await server.close()
        finally:
            process.terminate()
