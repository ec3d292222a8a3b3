"""Whatever Ollama does or says wrong, an answer ends with one typed reason, and keeps what was shown."""

from __future__ import annotations

import json
import socket

import pytest

from tests.servers.ollama_stand_in import Cut, Hang, Pause, Reset, Status, Step
from tests.servers.ollama_support import TINY, hear, listed, loaded, server_at, standing_in, talking
from tests.servers.small_ollama import Model
from tui_chat.backends.servers.failures import ServerError
from tui_chat.chat.model import FinishReason, ProblemCode
from tui_chat.wire.events import Waiting
from tui_chat.wire.servers import ServerState

SAID = tuple(talking(TINY, "One ", "two "))
"""What has come before something breaks."""
DEAD = "model runner has unexpectedly stopped, this may be due to resource limitations or an internal error"
NESTED = {
    "error": json.dumps(
        {"error": {"code": 400, "message": "request (3031 tokens) exceeds the available context size (1024 "
                   "tokens), try increasing it", "type": "exceed_context_size_error", "n_ctx": 1024}}
    )
}  # fmt: skip
CRASH = (
    "llama-server process has terminated: exit status 1: ggml_aligned_malloc: insufficient memory (attempted "
    "to allocate 1440.00 MB)\nllama_init_from_model: failed to initialize the context"
)


def error(words: str, status: int = 500) -> Status:
    return Status(status, json.dumps({"error": words}))


BROKEN: list[tuple[str, tuple[Step, ...], FinishReason, ProblemCode]] = [
    ("no end", SAID, FinishReason.INTERRUPTED, ProblemCode.STREAM_BROKEN),
    ("crash", (*SAID, Reset()), FinishReason.INTERRUPTED, ProblemCode.STREAM_BROKEN),
    ("cut", (*SAID, Cut()), FinishReason.INTERRUPTED, ProblemCode.STREAM_BROKEN),
    ("half a line, cut", (*SAID, b'{"model":"t', Cut()), FinishReason.INTERRUPTED, ProblemCode.STREAM_BROKEN),
    ("half a line", (*SAID, b'{"model":"ti'), FinishReason.BACKEND_ERROR, ProblemCode.SERVER_GARBLED),
    ("blank lines", (*SAID, b"\n\n"), FinishReason.INTERRUPTED, ProblemCode.STREAM_BROKEN),
    ("no JSON", (*SAID, b"<html>\n"), FinishReason.BACKEND_ERROR, ProblemCode.SERVER_GARBLED),
    ("a list", (*SAID, b"[1]\n"), FinishReason.BACKEND_ERROR, ProblemCode.SERVER_GARBLED),
    ("another shape", (*SAID, {"message": "hm"}), FinishReason.BACKEND_ERROR, ProblemCode.SERVER_GARBLED),
    ("no text", (*SAID, b'"\xff\xfe\n'), FinishReason.BACKEND_ERROR, ProblemCode.SERVER_GARBLED),
    ("runner dies", (*SAID, {"error": DEAD}), FinishReason.BACKEND_ERROR, ProblemCode.SERVER_FAILED),
    ("nested", (*SAID, NESTED), FinishReason.CONTEXT_OVERFLOW, ProblemCode.CONTEXT_OVERFLOW),
    ("memory", (*SAID, {"error": "CUDA error: out of memory"}),
     FinishReason.LOAD_FAILED, ProblemCode.OUT_OF_MEMORY),
    ("odd end", tuple(talking(TINY, "One ", "two ", done=True, done_reason="unload")),
     FinishReason.BACKEND_ERROR, ProblemCode.SERVER_GARBLED),
]  # fmt: skip

REFUSED: list[tuple[Status, FinishReason, ProblemCode, str]] = [
    (error(CRASH), FinishReason.LOAD_FAILED, ProblemCode.OUT_OF_MEMORY, "insufficient memory"),
    (error("model requires more system memory (8.4 GiB) than is available (5.6 GiB)"),
     FinishReason.LOAD_FAILED, ProblemCode.OUT_OF_MEMORY, "8.4 GiB"),
    (error("llama-server process has terminated: signal: aborted"),
     FinishReason.LOAD_FAILED, ProblemCode.LOAD_FAILED, "cannot load tiny:1b"),
    (error("timed out waiting for llama-server to start - progress 0.00"),
     FinishReason.LOAD_FAILED, ProblemCode.LOAD_FAILED, "timed out waiting"),
    (error("error loading model: this model may be incompatible with your version of Ollama. Please update"),
     FinishReason.LOAD_FAILED, ProblemCode.LOAD_FAILED, "incompatible"),
    (error('option "num_ctx" must be of type integer'),
     FinishReason.BACKEND_ERROR, ProblemCode.SERVER_FAILED, "num_ctx"),
    (error("model 'tiny:1b' not found", 404), FinishReason.LOAD_FAILED, ProblemCode.MODEL_UNKNOWN, "tiny:1b"),
    (error('"tiny:1b" does not support thinking', 400),
     FinishReason.BACKEND_ERROR, ProblemCode.NOT_POSSIBLE, "does not support thinking"),
    (error('"tiny:1b" does not support chat', 400),
     FinishReason.BACKEND_ERROR, ProblemCode.NOT_POSSIBLE, "does not support chat"),
    (Status(400, json.dumps(NESTED)),
     FinishReason.CONTEXT_OVERFLOW, ProblemCode.CONTEXT_OVERFLOW, "3031 tokens"),
    (Status(403), FinishReason.BACKEND_ERROR, ProblemCode.SERVER_REFUSED, "its own machine"),
    (error("this model cannot be used while cloud features are disabled", 403),
     FinishReason.BACKEND_ERROR, ProblemCode.SERVER_REFUSED, "cloud features"),
    (Status(502, "<html>Bad gateway</html>", "text/html"),
     FinishReason.BACKEND_ERROR, ProblemCode.SERVER_FAILED, "HTTP 502"),
    (Status(307, headers=(("Location", "http://elsewhere.example/api/chat"),)),
     FinishReason.BACKEND_ERROR, ProblemCode.UNSAFE_CONNECTION, "another address"),
    (Status(200, "<html>Welcome</html>", "text/html"),
     FinishReason.BACKEND_ERROR, ProblemCode.SERVER_GARBLED, "cannot be understood"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("steps", "finish", "code"), [each[1:] for each in BROKEN], ids=[each[0] for each in BROKEN]
)
async def test_what_breaks_in_the_middle_keeps_the_text(
    steps: tuple[Step, ...], finish: FinishReason, code: ProblemCode
) -> None:
    async with standing_in() as (stand_in, server):
        model = await loaded(server)
        stand_in.play("/api/chat", *steps)
        heard = await hear(model)
        assert heard.text == "One two "
        problem = heard.settled.problem
        assert (heard.settled.finish, problem and problem.code) == (finish, code)
        assert len(stand_in.asked("/api/chat")) == 1  # what had begun is not asked again
        assert (await hear(model)).settled.finish is FinishReason.STOP


@pytest.mark.parametrize(("status", "finish", "code", "words"), REFUSED, ids=[each[3] for each in REFUSED])
async def test_a_refusal_is_told_with_its_reason(
    status: Status, finish: FinishReason, code: ProblemCode, words: str
) -> None:
    async with standing_in() as (stand_in, server):
        model = await loaded(server)
        stand_in.play("/api/chat", status)
        settled = (await hear(model)).settled
        assert settled.problem is not None
        assert (settled.finish, settled.problem.code) == (finish, code)
        assert words in settled.problem.what
        assert "\n" not in settled.problem.what
        assert len(stand_in.asked("/api/chat")) == 1


async def test_a_busy_server_is_asked_again_and_that_is_shown() -> None:
    async with standing_in() as (stand_in, server):
        model = await loaded(server)
        stand_in.play(
            "/api/chat", error("server busy, please try again.  maximum pending requests exceeded", 503)
        )
        heard = await hear(model)
        assert heard.settled.finish is FinishReason.STOP
        (again,) = [
            event for event in heard.events if isinstance(event, Waiting) and event.retry_in_s is not None
        ]
        assert "takes no more work now" in again.why


async def test_silence_in_the_middle_ends_and_hangs_up() -> None:
    async with standing_in(settings={"stall_s": 0.2}) as (stand_in, server):
        model = await loaded(server)
        stand_in.play("/api/chat", *SAID, Hang())
        heard = await hear(model)
        assert heard.text == "One two "
        assert heard.settled.finish is FinishReason.TIMEOUT
        assert heard.settled.problem is not None
        assert heard.settled.problem.code is ProblemCode.SERVER_STALLED


async def test_a_line_that_comes_in_pieces_is_one_whatever_is_in_it() -> None:
    odd = "Ærø ☀ \x85\u2028\u2029"  # JSON need not escape these, and some libraries end lines there
    (line,) = (json.dumps(each, ensure_ascii=False).encode() for each in talking(TINY, odd))
    async with standing_in() as (stand_in, server):
        model = await loaded(server)
        at = line.index("☀".encode()) + 1
        stand_in.play(
            "/api/chat",
            b"\n",
            line[:at],
            Pause(0.01),
            line[at:] + b"\n",
            *talking(TINY, "sun", done=True, done_reason="stop"),
        )
        heard = await hear(model)
        assert heard.text == f"{odd}sun"
        assert heard.settled.finish is FinishReason.STOP


@pytest.mark.parametrize("version", ["0.33.0", "0.20.0"])
async def test_a_load_without_memory_says_so_in_both_eras(version: str) -> None:
    async with standing_in(version=version, memory=50_000_000) as (stand_in, server):
        with pytest.raises(ServerError) as raised:
            await loaded(server)
        assert raised.value.problem.code is ProblemCode.OUT_OF_MEMORY
        assert "\n" not in raised.value.problem.what
        assert stand_in.world.running() == []


async def test_a_server_that_is_gone_is_down_and_keeps_its_models() -> None:
    async with standing_in(Model(TINY), Model("other:1b")) as (stand_in, server):
        model = await loaded(server)
        await stand_in.stop()
        info = await server.look()
        assert info.state is ServerState.DOWN
        assert info.problem is not None
        assert info.problem.code is ProblemCode.SERVER_UNREACHABLE
        assert {each.name for each in info.models} == {TINY, "other:1b"}
        settled = (await hear(model)).settled
        assert settled.problem is not None
        assert settled.problem.code is ProblemCode.SERVER_UNREACHABLE
        with pytest.raises(ServerError) as raised:
            await loaded(server)
        assert raised.value.problem.code is ProblemCode.SERVER_UNREACHABLE


async def test_something_else_at_the_address_is_not_taken_for_ollama() -> None:
    async with standing_in() as (stand_in, server):
        for path, reply in {"/api/version": "{}", "/api/tags": '{"models": 3}', "/api/ps": "[]"}.items():
            stand_in.play(path, Status(200, reply))
            info = await server.look()
            assert info.state is ServerState.DOWN
            assert info.problem is not None
            assert info.problem.code is ProblemCode.SERVER_GARBLED
        assert (await server.look()).state is ServerState.UP
        assert listed(server).name == TINY


async def test_nobody_there_from_the_beginning() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody else can take it, and it refuses
        server = server_at(f"http://127.0.0.1:{taken.getsockname()[1]}")
        assert (await server.look()).state is ServerState.DOWN
        assert server.info.models == ()
        await server.close()
