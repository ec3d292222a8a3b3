"""Copies text out of the app, says truly where it went, and offers a file where no clipboard takes it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from tui_chat.ui.output.app import PaintedApp
from tui_chat.ui.reach.clipboard import Verdict, copy
from tui_chat.ui.screens.dialogs import AskScreen
from tui_chat.ui.words import count

PLACE = "~/tui-chat-copy.md"

REMEDY_S = 12.0
"""How long what must be written down stays."""


async def copy_out(app: PaintedApp, text: str, say: Callable[[str], None]) -> None:
    """Copy `text` by every way there is; `say` is told which one took it."""
    sequence, verdict = await copy(text)
    app.to_terminal(sequence)
    if not verdict.reaches and not verdict.remedy:
        await _offer_a_file(app, text, verdict, say)
        return
    if verdict.reaches:
        say(f"copied {count(len(text), 'character')} {verdict.way}")
    else:
        say(f"not copied: {verdict.way}")
    if verdict.remedy:
        app.notify(verdict.remedy, markup=False, timeout=REMEDY_S)


async def _offer_a_file(app: PaintedApp, text: str, verdict: Verdict, say: Callable[[str], None]) -> None:
    """Ask for a file until one could be written, or the person leaves it."""
    place, note = PLACE, f"{count(len(text), 'character')}: {verdict.way}."
    while True:
        answer = await app.push_screen_wait(AskScreen("Save it to a file instead?", place, note=note))
        if answer is None:
            say(f"not copied: {verdict.way}")
            return
        place = answer
        try:
            await asyncio.to_thread(_write, place, text)
        except FileExistsError:
            note = "There is such a file already, and it is untouched. Another name?"
        except OSError as error:
            note = f"It could not be written: {error.strerror or error}. Another place?"
        else:
            say(f"saved {count(len(text), 'character')} to {place}")
            return


def _write(place: str, text: str) -> None:
    with Path(place).expanduser().open("x", encoding="utf-8") as out:
        out.write(text)
