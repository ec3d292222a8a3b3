"""Carrying conversations out of tui-chat, as documents, and into it, from files."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Protocol

from textual import work

from tui_chat.chat.export.document import Form
from tui_chat.chat.importing.failure import ImportFailedError
from tui_chat.store.errors import StoreError
from tui_chat.ui import words
from tui_chat.ui.goal import Goal
from tui_chat.ui.progress import Pace, counted
from tui_chat.ui.screens.dialogs import AskScreen, PickScreen
from tui_chat.ui.screens.keeping import KeepingActions
from tui_chat.ui.transcript.fences import suffix_of
from tui_chat.wire.words import size

_FORMS = {
    Form.MARKDOWN: "Markdown, to read anywhere",
    Form.HTML: "HTML, one file for a browser",
    Form.JSON: "JSON, which can be imported again",
}
_NAME_CELLS = 40


class Write(Protocol):
    """Writes something to a file, and returns its bytes; raises `FileExistsError` and `StoreError`."""

    async def __call__(self, path: Path, *, overwrite: bool) -> int:
        """Write it to `path`, over what is there only if it may."""
        ...


class CarryingActions(KeepingActions):
    """The actions of a screen whose conversation can be exported, and which can show what was imported."""

    @work(group="asking", exclusive=True)
    async def action_export_branch(self) -> None:
        """Write the branch that is shown to a file."""
        await self._export("this branch", whole=False)

    @work(group="asking", exclusive=True)
    async def action_export_tree(self) -> None:
        """Write all branches to a file."""
        await self._export("the whole conversation", whole=True)

    async def _export(self, what: str, *, whole: bool) -> None:
        conversation = self._conversation
        if conversation is None or not conversation.session.messages:
            self.note("there is nothing to export yet")
            return
        picked = await self.app.push_screen_wait(PickScreen(f"Export {what} as", list(_FORMS.values())))
        if picked is None:
            return
        form = tuple(_FORMS)[picked]

        async def write(path: Path, *, overwrite: bool) -> int:
            collection = self._workspace.collection
            return await collection.export(
                conversation.session,
                path,
                form,
                whole=whole,
                pictures=conversation.pictures,
                overwrite=overwrite,
            )

        await self._write_out(what, f"{_file_name(conversation.session.title)}.{form}", write)

    @work(group="asking", exclusive=True)
    async def action_save_code(self) -> None:
        """Write a code block of the focused message to a file."""
        block = await self._code_block("Save which code block?")
        if block is None:
            return

        async def write(path: Path, *, overwrite: bool) -> int:
            return await self._workspace.collection.write_out(block.text, path, overwrite=overwrite)

        await self._write_out("the code", f"code{suffix_of(block.language)}", write)

    async def _write_out(self, what: str, named: str, write: Write) -> None:
        """Ask for a file, `named` at first, and write to it; over another one only when told twice."""
        refused, note = "", ""
        while named:
            ask = AskScreen(f"Write {what} to which file?", named, note=note)
            answer = await self.app.push_screen_wait(ask)
            named = answer or ""
            path = words.typed_path(named)
            try:
                written = named and await write(path, overwrite=named == refused)
            except FileExistsError:
                refused, note = named, f"{named} exists already; enter once more overwrites it."
            except StoreError as error:
                note = _told(error)
            else:
                if written != "":
                    place = words.shorten(words.place(str(path.absolute())), _NAME_CELLS)
                    self.note(f"wrote {size(int(written))} to {place}")
                return

    @work(group="asking", exclusive=True)
    async def action_import(self) -> None:
        """Take in the conversations of a file: show the only one, or the list they are in now."""
        named, note = "", ""
        while True:
            ask = AskScreen("Import conversations from which file?", named, note=note)
            answer = await self.app.push_screen_wait(ask)
            named = answer or ""
            if not named:
                return
            try:
                tell = partial(self._tell_imported, Pace(monotonic()))
                taken = await self._workspace.collection.take(words.typed_path(named), tell)
            except (ImportFailedError, StoreError) as error:
                note = _told(error)
            else:
                break
        told = f"imported {words.count(len(taken), 'conversation')}"
        if len(taken) == 1:
            await self._go(Goal(taken[0]))
            self.note(told)
        else:
            self.choose_session(told)

    def _tell_imported(self, pace: Pace, done: int, total: int) -> None:
        if self.is_attached and total > 1:
            left_s = pace.left_s(monotonic(), done, total)
            self.note(f"importing {counted(done, total, 'conversations', left_s)}")


def _told(error: ImportFailedError | StoreError) -> str:
    """Say what went wrong and what to do."""
    return f"{error.problem.what} {error.problem.remedy}"


def _file_name(title: str) -> str:
    """Make a name for a file of a session's title."""
    return re.sub(r"[^\w]+", "-", title.lower()).strip("-")[:60] or "chat"
