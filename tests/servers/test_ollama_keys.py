"""What is sent to an Ollama beside what was asked: keys only where the settings say so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers.ollama_stand_in import Status
from tests.servers.ollama_support import hear, loaded, server_at, standing_in
from tui_chat.chat.model import ProblemCode
from tui_chat.wire.servers import ServerState

SECRET = "s3cret-of-mine"


async def test_a_key_of_the_environment_is_sent_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ollama's own client sends it to whatever server it is given."""
    monkeypatch.setenv("OLLAMA_API_KEY", SECRET)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with standing_in() as (stand_in, server):
        await hear(await loaded(server))
        await server.copy("tiny:1b", "mine")
        assert [request.path for request in stand_in.seen if "authorization" in request.headers] == []


async def test_the_key_of_the_settings_is_sent_always_and_never_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MY_KEY", SECRET)
    monkeypatch.setenv("OLLAMA_API_KEY", "another")
    settings = {"key_env": "MY_KEY", "headers": {"X-Team": "blue-team"}}
    async with standing_in(settings=settings) as (stand_in, server):
        model = await loaded(server)
        stand_in.play("/api/chat", Status(401, f'{{"error": "Bearer {SECRET} of blue-team is not known"}}'))
        problem = (await hear(model)).settled.problem
        assert problem is not None
        assert problem.code is ProblemCode.SERVER_REFUSED
        assert SECRET not in str(problem)
        assert "blue-team" not in str(problem)
        assert {request.headers["authorization"] for request in stand_in.seen} == {f"Bearer {SECRET}"}
        assert {request.headers["x-team"] for request in stand_in.seen} == {"blue-team"}


async def test_a_key_does_not_cross_the_network_in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", SECRET)
    server = server_at("http://ollama.example:11434", key_env="MY_KEY")
    info = await server.look()
    assert info.state is ServerState.REFUSING
    assert info.problem is not None
    assert info.problem.code is ProblemCode.UNSAFE_CONNECTION
    await server.close()


async def test_a_command_is_asked_for_the_key_once(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    command = ("sh", "-c", f"echo once >> {asked}; echo {SECRET}")
    async with standing_in(settings={"key_command": command}) as (stand_in, server):
        await hear(await loaded(server))
        assert {request.headers["authorization"] for request in stand_in.seen} == {f"Bearer {SECRET}"}
        assert asked.read_text() == "once\n"


async def test_a_server_that_sends_us_on_is_not_followed() -> None:
    async with standing_in() as (stand_in, server):
        moved = Status(302, headers=(("Location", "http://elsewhere.example/"),))
        stand_in.play("/api/version", moved)
        assert (await server.look()).state is ServerState.REFUSING
