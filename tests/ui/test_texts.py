"""Texts of a conversation are selected, copied, saved and opened in an editor, with the keyboard alone."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.ui.support import SMALL, Chat, Chats
from tui_chat.chat.ids import new_id
from tui_chat.chat.model import Answer, FinishReason, Message, Role, Session
from tui_chat.store.sessions import SessionStore
from tui_chat.ui.opening import Opening

ANSWER = """First the *simple* way of doing it.

```python
def red():

    return 1
```

- one thing
- another thing

```rust
fn blue() {}
```

And so it ends."""
BLOCKS = (
    "First the simple way of doing it.",
    "python\ndef red():\n\n    return 1",
    "one thing\nanother thing",
    "rust\nfn blue() {}",
    "And so it ends.",
)


@contextlib.asynccontextmanager
async def _reading(chats: Chats) -> AsyncIterator[Chat]:
    now = datetime.now(UTC)
    asked = Message(new_id(), Role.USER, "How?", now)
    source = Answer(model="none", finish=FinishReason.STOP)
    said = Message(new_id(), Role.ASSISTANT, ANSWER, now, asked.id, "", source)
    session = Session(
        id=new_id(), title="colours", created=now, updated=now, leaf=said.id, messages=(asked, said)
    )
    SessionStore(chats.home.paths.sessions).create(session).close()
    async with chats.open(SMALL, Opening(name="colours")) as chat:
        await chat.sees("And so it ends")
        await chat.press("shift+tab")
        await chat.sees("tab write")
        yield chat


def _plain(text: str) -> list[str]:
    """The lines of a text without what only marks lists."""
    return [line.strip("•▪◦- ").rstrip() for line in text.splitlines()]


async def test_blocks_lines_words_and_characters(empty_chats: Chats) -> None:
    async with _reading(empty_chats) as chat:
        transcript = chat.screen.transcript
        for block in BLOCKS:
            await chat.press("right_square_bracket")
            assert _plain(transcript.selected_text) == _plain(block)
        await chat.press("left_square_bracket", "left_square_bracket", "left_square_bracket")
        assert _plain(transcript.selected_text) == _plain(BLOCKS[1])
        await chat.press("right_curly_bracket")
        assert _plain(transcript.selected_text) == [*_plain(BLOCKS[1]), "", *_plain(BLOCKS[2])]
        await chat.press("y")
        assert "def red():" in chat.app.clipboard
        assert chat.app.clipboard.endswith("another thing")
        assert not chat.screen.selecting
        assert chat.screen.reading

        await chat.press("v", "w", "w")
        assert transcript.selected_text == "First the s"
        await chat.press("o", "l", "o", "h")
        assert transcript.selected_text == "irst the"
        await chat.press("V")
        assert transcript.selected_text == BLOCKS[0]
        await chat.press("V", "end", "enter")
        assert chat.app.clipboard == BLOCKS[0][1:]
        await chat.press("v", "escape", "escape")
        assert chat.prompt.has_focus


async def test_a_code_block_is_saved_under_a_fitting_name(
    empty_chats: Chats, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with _reading(empty_chats) as chat:
        await chat.press("S")
        await chat.sees("Save which code block?", "1  def red():", "2  fn blue() {}")
        await chat.press("2")
        await chat.sees("Write the code to which file?", "code.rs")
        await chat.press("enter")
        await chat.until(lambda: (tmp_path / "code.rs").exists(), "for the file")
        await chat.sees("wrote ", "code.rs")
        await chat.press("S", "2")
        await chat.sees("which file?")
        await chat.press("enter")
        await chat.sees("exists already")
        await chat.press("ctrl+u", *"..", "enter")
        await chat.sees(".. is a folder. Name a file in it.")
        await chat.press("escape")
        monkeypatch.setenv("VISUAL", "nosuch -w")
        await chat.press("E")
        await chat.sees("nosuch -w is no editor that is there: set VISUAL, as in VISUAL=nano")
    assert (tmp_path / "code.rs").read_text() == "fn blue() {}\n"
