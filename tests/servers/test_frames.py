"""Server-sent events are read the same wherever they are torn, and chunks however they are filled in."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tui_chat.backends.openai.answer import Answer
from tui_chat.backends.openai.chunks import Halves, read_chunk
from tui_chat.backends.openai.frames import LONGEST, Frame, Frames, GarbledError
from tui_chat.backends.servers.dialogue import Piece
from tui_chat.chat.model import FinishReason

LINES = some.lists(
    some.one_of(
        some.text(min_size=1).map(lambda text: f"data: {json.dumps(text, ensure_ascii=False)}"),
        some.sampled_from((": ping", "event: x", "id: 3", "retry: 5", "data:", "data: [DONE]", "nonsense")),
    )
)


def cut(content: bytes, places: list[int]) -> list[bytes]:
    """`content` in pieces that begin at `places`."""
    bounds = [0, *sorted(place % (len(content) + 1) for place in places), len(content)]
    return [content[start:end] for start, end in pairwise(bounds)]


@given(LINES, some.sampled_from(("\n", "\r\n", "\r")), some.lists(some.integers(0, 10_000), max_size=8))
def test_frames_are_the_same_wherever_they_are_torn(lines: list[str], end: str, places: list[int]) -> None:
    content = "".join(f"{line}{end}{end}" for line in lines).encode()
    expected = [line[6:].encode() for line in lines if line.startswith("data: ")]
    frames = Frames()
    found = [frame.data for piece in cut(content, places) for frame in frames.feed(piece)]
    if rest := frames.end():
        found.append(rest)
    assert found == expected


def test_half_a_frame_is_no_frame() -> None:
    frames = Frames()
    assert frames.feed(b'data: {"a":') == []
    assert frames.end() == b'{"a":'


def test_what_has_no_end_is_given_up() -> None:
    frames = Frames()
    frames.feed(b"x" * LONGEST)
    with pytest.raises(GarbledError):
        frames.feed(b"x")


@given(some.text(some.characters(codec="utf-8")), some.lists(some.integers(0, 500), max_size=6))
def test_surrogate_pairs_are_put_together_again(text: str, places: list[int]) -> None:
    halves, found = Halves(), ""
    units = text.encode("utf-16-le")
    for piece in cut(units, [place % (len(units) // 2 + 1) * 2 for place in places]):
        found += halves.whole(piece.decode("utf-16-le", "surrogatepass"))
    assert found + halves.rest() == text


def test_half_a_pair_does_no_harm() -> None:
    halves = Halves()
    assert halves.whole("a\ud83d") + halves.whole("b") == "a\ufffdb"
    assert halves.whole("\ud83d") + halves.rest() == "\ufffd"


@pytest.mark.parametrize(
    "data",
    [b"{", b"[]", b"5", b"null", b'"x"', b"\xff\xfe", b'{"choices": 5}', b'{"choices": [5]}', b"[" * 100_000],
)
def test_what_is_no_chunk_is_garbled(data: bytes) -> None:
    with pytest.raises(GarbledError):
        read_chunk(data)


@pytest.mark.parametrize(
    "chunk",
    [
        {},
        {"choices": None, "usage": None},
        {"choices": [], "usage": {"prompt_tokens": 0, "completion_tokens": 0}},
        {"choices": [{"index": 0, "finish_reason": None}]},
        {"choices": [{"delta": None, "finish_reason": ""}]},
        {"choices": [{"delta": {"role": "assistant", "content": None, "tool_calls": None, "odd": 1}}]},
    ],
)
def test_what_servers_leave_out_does_not_matter(chunk: dict) -> None:
    answer = Answer("box", "tiny")
    assert answer.take(Frame(json.dumps(chunk).encode())) == []
    assert answer.final() is None


def ended(**delta: object) -> Answer:
    """An answer of one chunk, which also ends it."""
    answer = Answer("box", "tiny")
    chunk = {"choices": [{"delta": {"content": "Hi"}} | delta]}
    assert answer.take(Frame(json.dumps(chunk).encode())) == [Piece("Hi")]
    return answer


@pytest.mark.parametrize(
    ("reason", "finish", "told"),
    [
        ("stop", FinishReason.STOP, False),
        ("eos", FinishReason.STOP, False),
        ("length", FinishReason.LENGTH, False),
        ("max_tokens", FinishReason.LENGTH, False),
        ("content_filter", FinishReason.BACKEND_ERROR, True),
        ("tool_calls", FinishReason.STOP, True),
    ],
)
def test_how_it_ended_is_understood(reason: str, finish: FinishReason, told: bool) -> None:
    final = ended(finish_reason=reason).final()
    assert final is not None
    assert (final.finish, final.problem is not None) == (finish, told)
