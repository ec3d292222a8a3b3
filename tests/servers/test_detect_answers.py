"""Servers are known by what they answer, and nothing else is taken for one."""

from __future__ import annotations

import asyncio
import gzip
import os
from pathlib import Path

import pytest

from tests.servers.listeners import Listener, listening, models
from tests.servers.processes import llama_cpp
from tests.worker.support import PATIENCE_S
from tui_chat.backends.detect import probe
from tui_chat.backends.detect.found import Found
from tui_chat.backends.detect.look import detect
from tui_chat.config.servers import DetectSettings
from tui_chat.wire.servers import ServerKind, ServerState

UP, LOADING, REFUSING = ServerState.UP, ServerState.LOADING, ServerState.REFUSING
RUNNING = b"Ollama is running"
KEY = {"error": {"message": "Invalid API Key", "type": "authentication_error", "code": 401}}
WAIT = {"error": {"message": "Loading model", "type": "unavailable_error", "code": 503}}

ANSWERS = {
    "Ollama": (
        {"/api/version": {"version": "0.33.0"}, "/": RUNNING, "/v1/models": models("library", "llama3.2")},
        (ServerKind.OLLAMA, UP, "0.33.0"),
    ),
    "Ollama without models": (
        {"/api/version": {"version": "0.33.0"}, "/": RUNNING, "/v1/models": {"object": "list", "data": None}},
        (ServerKind.OLLAMA, UP, "0.33.0"),
    ),
    "llama-server as a router": (
        {"/v1/models": models("llamacpp"), "/props": {"role": "router", "build_info": "b11434-1a2b3c4"}},
        (ServerKind.LLAMA_SERVER, UP, "b11434-1a2b3c4"),
    ),
    "llama-server while it loads": ({"/v1/models": (503, WAIT)}, (ServerKind.LLAMA_SERVER, LOADING, "")),
    "llama-server with a key, its models told to all": (
        {"/v1/models": models("llamacpp", "smol"), "/props": (401, KEY), "/health": {"status": "ok"}},
        (ServerKind.LLAMA_SERVER, REFUSING, ""),
    ),
    "llama-swap": (
        {
            "/v1/models": models("llama-swap", "coder"),
            "/running": {"running": []},
            "/api/version": {"version": "v216", "commit": "abc", "build_date": "2026-08-26"},
        },
        (ServerKind.LLAMA_SWAP, UP, "v216"),
    ),
    "vLLM": (
        {"/v1/models": models("vllm", "Qwen", max_model_len=4096), "/version": {"version": "0.11.2"}},
        (ServerKind.VLLM, UP, "0.11.2"),
    ),
    "vLLM with a key": (
        {"/v1/models": (401, {"error": "Unauthorized"}), "/version": {"version": "0.11.2"}},
        (ServerKind.VLLM, REFUSING, "0.11.2"),
    ),
    "SGLang": (
        {
            "/v1/models": models("sglang", "Qwen"),
            "/get_model_info": {"model_path": "Qwen", "is_generation": True},
            "/get_server_info": {"version": "0.5.2"},
        },
        (ServerKind.SGLANG, UP, "0.5.2"),
    ),
    "LM Studio": (
        {
            "/v1/models": models("organization_owner", "qwen2"),
            "/api/v0/models": {"object": "list", "data": [{"id": "qwen2", "state": "not-loaded"}]},
        },
        (ServerKind.LM_STUDIO, UP, ""),
    ),
    "text-generation-webui": (
        {
            "/v1/models": models("user", "Qwen3-4B.gguf"),
            "/v1/internal/model/info": {"model_name": "Qwen3-4B.gguf", "lora_names": []},
        },
        (ServerKind.TEXTGEN, UP, ""),
    ),
    "another that speaks OpenAI's API": (
        {"/v1/models": models("me", "mine"), "/version": {"version": "1.0"}},
        (ServerKind.OPENAI, UP, ""),
    ),
    "one that speaks it and wants a key": (
        {"/v1/models": (401, {"error": {"message": "No key", "type": "invalid_request_error"}})},
        (ServerKind.OPENAI, REFUSING, ""),
    ),
    "one that passes for Ollama in some respects": (
        {"/api/version": {"version": "0.7.0"}, "/": b"<html>", "/v1/models": models("koboldcpp", "x")},
        (ServerKind.OPENAI, UP, ""),
    ),
    "a gateway before several others": (
        {"/v1/models": {"object": "list", "data": [{"id": "a", "owned_by": "vllm"}, {"id": "b"}]}},
        (ServerKind.OPENAI, UP, ""),
    ),
    "a version that is no version": (
        {"/v1/models": models("vllm", "x"), "/version": {"version": "\x1b[31mred\x1b[0m"}},
        (ServerKind.VLLM, UP, ""),
    ),
}
STRANGERS = {
    "a web page for every path": Listener(otherwise=b"<!doctype html><div id=root></div>"),
    "nothing at all": Listener(),
    "a web front end with a version": Listener({"/api/version": {"version": "0.6.5"}, "/": b"<html>"}),
    "models of cars": Listener({"/v1/models": {"data": [{"id": 1, "brand": "Tatra"}]}}),
    "a list of nothing we know": Listener({"/v1/models": ["a", "b"]}),
    "a page that wants a password": Listener(otherwise=(401, b"<h1>Who are you?</h1>")),
    "an API that wants a key": Listener(otherwise=(401, {"detail": "Unauthorized"})),
    "one that is out of order": Listener(otherwise=(503, b"Service Unavailable")),
    "one that leads elsewhere": Listener(otherwise=(302, b""), headers="Location: http://192.0.2.1/\r\n"),
    "JSON of endless depth": Listener(otherwise=b'{"object":' * 100_000),
    "no Unicode": Listener(otherwise=b'{"object":"\xff\xfe"}'),
    "a small reply that unpacks to a large one": Listener(
        otherwise=gzip.compress(b" " * (64 << 20)), headers="Content-Encoding: gzip\r\n"
    ),
}


async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(os.urandom(1 << 12))
    await writer.drain()


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def breaks_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{"object":"list"')
    await writer.drain()


async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"object":"list","data":[')
    while not writer.is_closing():
        writer.write(b'{"id":"x","object":"model"},' * 1000)
        await writer.drain()


async def endless_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while not writer.is_closing():
        writer.write(b"X-More: and more\r\n" * 1000)
        await writer.drain()


async def dripping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while not writer.is_closing():
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)


BROKEN = (garbage, silent, hangs_up, breaks_off, endless, endless_head, dripping)


async def found_at(*listeners: Listener, **settings: object) -> dict[str, Found]:
    """What is found where these listen, by its URL."""
    found = await detect(DetectSettings(ports=tuple(each.port for each in listeners)), (), None, ())
    return {each.url: each for each in found if each.url in {listener.url for listener in listeners}}


@pytest.mark.parametrize("name", ANSWERS)
async def test_a_server_is_known_by_what_it_answers(name: str) -> None:
    routes, expected = ANSWERS[name]
    listener = Listener(routes)
    async with listening(listener):
        found = (await found_at(listener))[listener.url]
    assert (found.kind, found.state, found.version) == expected
    assert found.name == f"{found.kind.value}-{listener.port}"
    assert found.pid == os.getpid()


async def test_a_llama_cpp_server_is_found_by_its_port(starter_model: Path, tmp_path: Path) -> None:
    with llama_cpp(starter_model, tmp_path) as server, llama_cpp(starter_model, tmp_path, "secret") as closed:
        found = await detect(DetectSettings(ports=(server.port, closed.port)), (), None, ())
    by_url = {each.url: each for each in found}
    assert by_url[server.url].kind is by_url[closed.url].kind is ServerKind.LLAMA_SERVER
    assert (by_url[server.url].state, by_url[closed.url].state) == (UP, REFUSING)
    assert (by_url[server.url].pid, by_url[closed.url].pid) == (server.pid, closed.pid)
    assert by_url[server.url].version


@pytest.mark.parametrize("name", STRANGERS)
async def test_nothing_else_is_taken_for_a_server(name: str) -> None:
    async with listening(STRANGERS[name]):
        assert await found_at(STRANGERS[name]) == {}


async def test_what_does_not_keep_to_the_rules_keeps_nobody_from_being_found() -> None:
    well = Listener(ANSWERS["vLLM"][0])
    broken = [Listener(behave=each) for each in BROKEN]
    async with asyncio.timeout(PATIENCE_S), listening(well, *broken):
        assert list(await found_at(well, *broken)) == [well.url]


async def test_nothing_is_sent_but_gets_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_API_KEY", "secret")
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    monkeypatch.setenv("HTTP_PROXY", "http://192.0.2.1:1")
    for patience in (
        "CONNECT_S",
        "WITHIN_S",
    ):  # so many at once take a busy machine longer than a person waits
        monkeypatch.setattr(probe, patience, PATIENCE_S)
    giving = [Listener(routes, headers="Set-Cookie: a=secret; Path=/\r\n") for routes, _ in ANSWERS.values()]
    async with listening(*giving, *STRANGERS.values()):
        assert len(await found_at(*giving, *STRANGERS.values())) == len(giving)
    for each in (*giving, *STRANGERS.values()):
        assert 2 <= len(each.requests) <= 12
        assert all(head.startswith("GET /") and "secret" not in head for head in each.requests)
        assert not any(name in head.lower() for head in each.requests for name in ("authorization", "cookie"))


async def test_a_stranger_is_asked_two_questions() -> None:
    stranger = Listener()
    async with listening(stranger):
        await found_at(stranger)
    assert len(stranger.requests) == 2


async def test_a_known_server_is_not_asked_but_its_process_is_told() -> None:
    listener = Listener(ANSWERS["vLLM"][0])
    async with listening(listener) as (port,):
        found = await detect(DetectSettings(ports=(port,)), (f"http://localhost:{port}/v1",), None, ())
    (known,) = (each for each in found if each.url == listener.url)
    assert known.known
    assert known.pid == os.getpid()
    assert listener.requests == []


async def test_we_do_not_find_ourselves() -> None:
    listener = Listener(ANSWERS["vLLM"][0])
    async with listening(listener) as (port,):
        found = await detect(DetectSettings(ports=(port,)), (), None, (os.getpid(),))
    assert [each for each in found if each.url == listener.url] == []
    assert listener.requests == []


@pytest.mark.parametrize("value", ["127.0.0.1:{}", "0.0.0.0:{}", ":{}", "http://localhost:{}", "[::1]:{}"])
async def test_ollama_is_found_where_its_variable_says(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    listener = Listener(ANSWERS["Ollama"][0])
    async with listening(listener, host="::1" if "::1" in value else "127.0.0.1") as (port,):
        monkeypatch.setenv("OLLAMA_HOST", value.format(port))
        found = await detect(DetectSettings(), (), None, ())
    (ollama,) = (each for each in found if each.url.endswith(f":{port}"))
    assert ollama.kind is ServerKind.OLLAMA


async def test_one_elsewhere_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    listener = Listener(ANSWERS["Ollama"][0])
    async with listening(listener) as (port,):
        monkeypatch.setenv("OLLAMA_HOST", f"gpu-box:{port}")
        await detect(DetectSettings(), (), None, ())
    assert listener.requests == []


async def test_nothing_is_looked_for_where_that_is_switched_off() -> None:
    listener = Listener(ANSWERS["vLLM"][0])
    async with listening(listener) as (port,):
        assert await detect(DetectSettings(enabled=False, ports=(port,)), (), None, ()) == ()
    assert listener.requests == []
