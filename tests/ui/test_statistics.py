"""What a session has cost is seen on a screen, with bars and a plot that say what the numbers are."""

from __future__ import annotations

import msgspec

from tests.chat.test_export import session
from tests.ui.snapshot import SIZES, check, named
from tests.ui.support import Chats
from tui_chat.chat.model import Answer, FinishReason, Message, Session, Timings, Usage
from tui_chat.store.sessions import SessionStore
from tui_chat.ui.opening import Opening
from tui_chat.ui.plot import bar, plot


def test_bars_are_as_long_as_their_share() -> None:
    assert [bar(share, 4) for share in (0, 0.001, 0.25, 0.5, 0.53125, 1, 2)] == [
        "", "▏", "█", "██", "██▏", "████", "████"
    ]  # fmt: skip


def test_a_line_rises_falls_and_fills_its_width() -> None:
    assert plot([0, 1], 2, 1) == ["⣀⠏"]
    assert plot([1] * 100, 3, 2) == ["⠉⠉⠉", "⠀⠀⠀"]
    assert plot([0, 0], 2, 2) == ["⠀⠀", "⣀⣀"]
    assert plot([], 2, 1) == ["⠀⠀"]
    assert plot(range(8), 4, 2) == ["⠀⠀⡠⠊", "⡠⠊⠀⠀"]


def measured() -> Session:
    """Thirty answers of two models, each slower than the one before."""
    made = session(*(text for n in range(30) for text in (f"Question {n}?", f"Answer {n}.")))

    def timed(number: int, message: Message) -> Message:
        if message.answer is None:
            return message
        answer = Answer(
            "gemma-3-270m" if number % 6 == 1 else "SmolLM2-135M-Instruct.Q4_1",
            finish=FinishReason.STOP,
            usage=Usage(100 + number, 20, 90),
            timings=Timings(ttft_ms=90.0, decode_ms=100.0, decode_tps=210.0 - number),
        )
        return msgspec.structs.replace(message, answer=answer)

    messages = tuple(timed(number, message) for number, message in enumerate(made.messages))
    return msgspec.structs.replace(made, id="paint", title="Paint bot", messages=messages)


@SIZES
async def test_statistics_of_the_session_and_of_one_in_the_list(chats: Chats, size: tuple[int, int]) -> None:
    SessionStore(chats.home.paths.sessions).create(measured()).close()
    async with chats.open(size, Opening(name="paint")) as chat:
        await chat.press("ctrl+p", *"what this session has")
        await chat.sees("Show what this session has cost")
        await chat.press("enter")
        await chat.sees("60 messages · 30 answers · 1 branch", "wrote 600", "20 answers", "speed over time")
        await check(named("statistics", size), chat)
        await chat.press("escape", "f3")
        await chat.sees("1 session")
        await chat.press("ctrl+o")
        await chat.sees("60 messages", "gemma-3-270m")
        await chat.press("q", "escape")
        await chat.until(lambda: chat.app.screen is chat.screen, "for the chat")
