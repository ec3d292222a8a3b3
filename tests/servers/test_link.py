"""What a link to a server refuses, hides and forgives, over real sockets and real TLS."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.servers.raw_http import Line
from tests.worker.support import hear
from tui_chat.backends.openai.server import OpenAIServer
from tui_chat.backends.servers.breaker import FAILURES, LONGEST_S, SHORTEST_S, Breaker
from tui_chat.backends.servers.failures import ServerError
from tui_chat.backends.servers.link import Link
from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.config.servers import ServerSettings
from tui_chat.wire.servers import ServedModel, ServerKind

SECRET = "sk-very-secret-indeed"
CERTIFICATE = Path(__file__).parent / "certificate"
"""Of localhost, signed by nobody else; it lasts until 2051."""


NOBODY = Problem(ProblemCode.SERVER_UNREACHABLE, "Nothing answers there.", remedy="Start it.")


@asynccontextmanager
async def serving(status: int, body: str, tls: bool = False, **headers: str) -> AsyncIterator[str]:
    """A server that answers everything so; its address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = Line(reader, writer)
        while await line.read() is not None:
            await line.reply(status, body.encode(), "application/json", **headers)
        writer.close()

    context = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE / "server.pem", CERTIFICATE / "server.key")
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"{'https' if tls else 'http'}://localhost:{port}"
    finally:
        server.close()


async def failure(link: Link) -> ServerError:
    with pytest.raises(ServerError) as caught:
        await link.ask("GET", "/v1/models")
    await link.close()
    return caught.value


def link_to(url: str, **settings: Any) -> Link:
    return Link("gpu-box", ServerSettings(url=url, **settings))


async def test_a_certificate_that_nobody_vouches_for_is_refused() -> None:
    async with serving(200, "{}", tls=True) as url:
        error = await failure(link_to(url))
        assert error.problem.code is ProblemCode.UNSAFE_CONNECTION
        assert "certificate" in error.problem.what
        assert "self" in error.problem.what, "it says what is wrong with it"


async def test_a_certificate_that_the_settings_name_is_trusted() -> None:
    async with serving(200, '{"ok": true}', tls=True) as url:
        link = link_to(url, ca=str(CERTIFICATE / "server.pem"))
        assert await link.ask_json("GET", "/v1/models") == {"ok": True}
        await link.close()


async def test_a_certificate_of_another_host_is_refused() -> None:
    async with serving(200, "{}", tls=True) as url:
        link = link_to(url.replace("localhost", "127.0.0.2"), ca=str(CERTIFICATE / "server.pem"))
        assert (await failure(link)).problem.code in (
            ProblemCode.UNSAFE_CONNECTION,
            ProblemCode.SERVER_UNREACHABLE,  # where 127.0.0.2 is not this machine
        )


async def test_a_certificate_file_that_is_none_is_said_to_be() -> None:
    error = await failure(link_to("https://localhost:9", ca=__file__))
    assert error.problem.code is ProblemCode.CONFIG_INVALID
    assert "certificate file" in error.problem.what


@pytest.mark.parametrize("to", ["https://elsewhere.example/v1/models", "/v1/models/"])
async def test_nobody_is_followed_to_another_address(to: str) -> None:
    async with serving(307, "", Location=to) as url:
        assert (await failure(link_to(url))).problem.code is ProblemCode.UNSAFE_CONNECTION


@pytest.mark.parametrize("how", ["key", "header"])
async def test_a_key_does_not_cross_the_network_in_plain_http(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOX_KEY", SECRET)
    how_told = {"key_env": "BOX_KEY"} if how == "key" else {"headers": {"Authorization": SECRET}}
    error = await failure(link_to("http://gpu-box.example:8000", **how_told))
    assert error.problem.code is ProblemCode.UNSAFE_CONNECTION
    assert "plain HTTP" in error.problem.what
    assert SECRET not in str(error.problem)


async def test_a_key_that_is_not_there_is_asked_for_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BOX_KEY", raising=False)
    error = await failure(link_to("http://localhost:9", key_env="BOX_KEY"))
    assert error.problem.code is ProblemCode.CONFIG_INVALID
    assert "$BOX_KEY" in error.problem.what


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (("false",), "status 1"),
        (("true",), "printed nothing"),
        (("printf", "a\\nb"), "more than one line"),
        (("no-such-program-at-all",), "FileNotFoundError"),
    ],
)
async def test_a_command_that_gives_no_key_is_named(command: tuple[str, ...], why: str) -> None:
    error = await failure(link_to("http://localhost:9", key_command=command))
    assert error.problem.code is ProblemCode.CONFIG_INVALID
    assert why in error.problem.what


@pytest.mark.parametrize("status", [400, 401, 429, 500])
async def test_a_key_that_a_server_repeats_is_not_passed_on(
    status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOX_KEY", SECRET)
    body = f'{{"error": {{"message": "Incorrect API key provided: {SECRET}.\\nUse another than {SECRET}"}}}}'
    async with serving(status, body) as url:
        error = await failure(link_to(url, key_env="BOX_KEY"))
        assert SECRET not in f"{error} {error.problem} {error.said} {error!r}"
        assert "Incorrect API key" in error.problem.what, "the rest is told"


async def test_a_server_that_does_not_answer_is_left_alone_and_asked_again_later() -> None:
    now = 100.0
    breaker = Breaker(lambda: now)
    for _ in range(FAILURES):
        breaker.check("gpu-box")
        breaker.failed(NOBODY)
    with pytest.raises(ServerError) as caught:
        breaker.check("gpu-box")
    assert caught.value.problem.code is ProblemCode.SERVER_UNREACHABLE
    assert "Nothing answers there." in caught.value.problem.what
    assert caught.value.problem.remedy == "Start it."
    pauses = []
    for _ in range(8):
        pauses.append(breaker.next_try_s)
        now += breaker.next_try_s
        breaker.check("gpu-box")  # one may try
        breaker.failed(NOBODY)
    assert pauses[0] == SHORTEST_S
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_S
    breaker.succeeded()
    breaker.check("gpu-box")
    assert breaker.next_try_s == 0


async def test_what_the_server_only_refuses_does_not_count_against_it() -> None:
    async with serving(404, '{"error": "no such path"}') as url:
        link = link_to(url)
        for _ in range(FAILURES + 1):
            with pytest.raises(ServerError):
                await link.ask("GET", "/v1/models")
        assert link.breaker.next_try_s == 0
        await link.close()


async def test_a_server_that_takes_the_line_and_says_nothing_is_given_up() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()  # until the client hangs up
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    link = link_to(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    with pytest.raises(ServerError) as caught:
        await link.ask("GET", "/v1/models", within_s=0.2)
    assert caught.value.problem.code is ProblemCode.SERVER_STALLED
    await link.close()
    server.close()


async def test_a_server_that_is_left_alone_does_not_fail_once_more_by_that() -> None:
    link = link_to("http://127.0.0.1:9")
    model = OpenAIServer(link, ServerKind.OPENAI).attach(ServedModel(name="any"))
    assert (await hear(model, "Hello")).settled.problem is not None
    pause = link.breaker.next_try_s
    assert pause > 0
    for _ in range(5):
        again = (await hear(model, "Hello")).settled.problem
        assert again is not None
        assert again.what.count("in a row") == 1, "the reason is told once"
    assert link.breaker.next_try_s <= pause, "asking in vain makes nobody wait longer"
    await link.close()
