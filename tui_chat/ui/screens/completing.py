"""Offers files after an @ and commands after a slash, and does what is taken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from textual import work
from textual.actions import parse
from textual.content import Content

from tui_chat.store.errors import StoreError
from tui_chat.ui.command import Command, Place
from tui_chat.ui.completing.asked import Asked, Kind
from tui_chat.ui.keymap import Keymap
from tui_chat.ui.keynames import shown
from tui_chat.ui.screens.attaching import AttachingActions
from tui_chat.ui.transcript.text import clean_line
from tui_chat.ui.widgets.filtered import Sought, columns
from tui_chat.ui.widgets.suggestions import Suggestions

if TYPE_CHECKING:
    from tui_chat.chat.attachments import Attachment
    from tui_chat.ui.completing.slash import Word

_ROWS_S = 2.0
"""How long a key that takes what is offered waits for it to be found."""


class CompletingActions(AttachingActions):
    """The actions of a screen whose input offers what may be meant; it is the prompt's `Completion`."""

    _asked: Asked | None = None
    _shut: Asked | None = None
    _offered: list[str] | list[Word] = []  # noqa: RUF012 - replaced, never changed
    _finding: asyncio.Task[None] | None = None
    _doubted = ""

    @property
    def offering(self) -> bool:
        """Whether something is offered for what stands before the cursor, or may be once it is found."""
        self.look()
        looked_for = self._finding is not None and not self._finding.done()
        return self._asked is not None and (looked_for or bool(self._offered))

    def look(self) -> None:
        """Bring what is offered up to date with the text; files are looked for in a thread."""
        if self.prompt.text not in ("", self._doubted):
            self._doubted = ""  # written anew, it is meant as a command again
        asked = self.prompt.asked if self.prompt.has_focus else None
        if asked is None or (self._shut is not None and asked.start != self._shut.start):
            self._shut = None
        if self._shut is not None:
            asked = None
        if asked == self._asked:
            return
        self._asked = asked
        if self._finding is not None:
            self._finding.cancel()
            self._finding = None
        if asked is None:
            self._offer([])
        elif asked.kind is Kind.COMMAND:
            self._offer(self._commands(asked.word))
        else:
            self._finding = asyncio.create_task(self._find_files(asked))

    def _commands(self, word: str) -> list[Word]:
        from tui_chat.ui.completing.slash import matching, words

        return matching(word, words(self._workspace.settings.routes.words)) if self._conversation else []

    async def _find_files(self, asked: Asked) -> None:
        from tui_chat.ui.completing.files import files_for

        found = await asyncio.to_thread(files_for, asked.word, ".", lambda: self._asked is not asked)
        if self._asked is asked:
            self._offer(found)

    def _offer(self, offered: list[str] | list[Word]) -> None:
        self._offered = offered
        width, keymap = max(20, self.size.width - 4), getattr(self.app, "keymap", Keymap())
        rows = [
            Content.styled(f"   {clean_line(each)}", "$foreground")
            if isinstance(each, str)
            else _row(each, keymap, width)
            for each in offered
        ]
        self.query_one(Suggestions).show(rows)
        self.show_hints()

    def show_hints(self) -> None:
        """Show the keys that do something now."""
        raise NotImplementedError

    def move(self, step: int) -> None:
        """Highlight another one."""
        self.query_one(Suggestions).move(step)

    def close(self) -> None:
        """Offer nothing more for this word; its text stays as it is."""
        self._shut = self.prompt.asked
        self.look()

    async def take(self, *, run: bool) -> bool:
        """Do what is highlighted, or write it out; False where nothing was found after all.

        Keys that follow wait for it, but not the screen: this runs where the input takes its keys.
        """
        from tui_chat.ui.completing.slash import TAKES

        if self._finding is not None:
            await asyncio.wait((self._finding,), timeout=_ROWS_S)
        at, asked = self.query_one(Suggestions).highlighted, self._asked
        if at is None or asked is None or at >= len(self._offered):
            return False
        chosen = self._offered[at]
        if isinstance(chosen, str):
            await self._take_file(asked, chosen)
        elif run and chosen.command is not None and chosen.command.id != "attach":
            self.prompt.put("")
            await self._run(chosen.command)
        else:
            more = chosen.command is None or chosen.word in TAKES
            self.prompt.put(f"/{chosen.word}{' ' if more else ''}")
            self._shut = None if more else self.prompt.asked
        self.look()
        return True

    async def _take_file(self, asked: Asked, name: str) -> None:
        if name.endswith("/"):
            self.prompt.write_at(asked.start, f"@{name}")
            return
        attachment = await self._read(name)
        if attachment is not None:
            self.prompt.write_at(asked.start, f"{name} ", (*self.prompt.attachments, attachment))
        else:
            self._shut = asked

    # What a line that begins with a slash means

    async def called(self, text: str, attachments: tuple[Attachment, ...]) -> str | None:
        """Run what was written as a command; else return the text to be sent, None where there is none."""
        from tui_chat.ui.completing.slash import SLASH, TAKES, call, words

        doubted, self._doubted = self._doubted, ""
        if text.startswith("//"):
            return text[1:]
        called, routes = call(text), self._workspace.settings.routes.words
        if called is None or f"/{called.word}" in routes or text == doubted:
            return text
        command = next((each.command for each in words({}) if each.word == called.word), None)
        if command is None:
            self._doubt(text, attachments, f"there is no /{called.word}")
        elif command.id == "attach" and called.rest:
            self.prompt.put("", attachments)
            await self.attach_file(called.rest)
        elif called.rest and called.word not in TAKES:
            self._doubt(text, attachments, f"/{called.word} takes nothing after it")
        elif called.rest:
            nothing = f"nothing is called {called.rest} · /{called.word} shows all"
            sought = Sought(called.rest, lambda: self._doubt(text, attachments, nothing))
            self.prompt.put("", attachments)
            await self._run(command, sought if TAKES[called.word] == "NAME" else called.rest)
        else:
            assert called.word in SLASH
            self.prompt.put("", attachments)
            await self._run(command)
        return None

    def _doubt(self, text: str, attachments: tuple[Attachment, ...], why: str) -> None:
        """Give back what cannot be run, and say why; sent once more, it is text."""
        self._doubted = text
        self.prompt.put(text, attachments)
        self.note(f"{why} · {self.with_keys('{input.send} sends it as text')}")

    async def _run(self, command: Command, *given: Sought | str) -> None:
        """Run a command as its key does, where its key does; what was `given` to it goes along."""
        reading = command.place is Place.TRANSCRIPT
        if reading:
            self.set_focus(self.transcript)
        done = await self.app.run_action(
            (*parse(command.action)[:2], given) if given else command.action, self
        )
        if reading:
            self.set_focus(self.prompt)
        if not done:
            self.note("there is nothing to do that with now")

    # Files

    @work(group="asking", exclusive=True)
    async def action_attach(self) -> None:
        """Ask for a file and attach it."""
        from tui_chat.ui.screens.dialogs import AskScreen

        named, note = "", ""

        def tell(text: str) -> None:
            nonlocal note
            note = text

        while True:
            ask = AskScreen("Attach which file?", named, note=note)
            answer = await self.app.push_screen_wait(ask)
            named = answer or ""
            if not named or await self.attach_file(named, tell):
                return

    async def attach_file(self, named: str, tell: Callable[[str], None] | None = None) -> bool:
        """Attach a file; says whether it is, and why not through `tell`."""
        attachment = await self._read(named, tell)
        if attachment is not None:
            self.prompt.attach((*self.prompt.attachments, attachment))
        return attachment is not None

    async def _read(self, named: str, tell: Callable[[str], None] | None = None) -> Attachment | None:
        from tui_chat.store.attaching import AttachError
        from tui_chat.ui.words import typed_path

        await self._opened.wait()
        assert self._conversation is not None
        try:
            read = await self._conversation.attachable(Path(typed_path(named)), named)
        except AttachError as error:
            (tell or self.note)(str(error))
        except StoreError as error:
            (tell or self.note)(error.problem.what)
        else:
            if read.picture is not None:
                self._say_who_sees()
            return read
        return None

    def _say_who_sees(self) -> None:
        """Where the model of this chat cannot see, say so now and not only when it is to be sent."""
        facts = self._presenter.facts
        if (
            facts.model is None
            or facts.model.sees
            or (self._conversation and self._conversation.session.routed)
        ):
            return
        seeing = [model.id for model in facts.models or () if model.sees]
        models = self.with_keys("{models:models}")
        who = f"{seeing[0]} does · {models}" if seeing else "and no other model here does"
        self.note(f"this model sees no pictures · {who}")


def _row(word: Word, keymap: Keymap, width: int) -> Content:
    from tui_chat.ui.completing.slash import usage

    left = Content.assemble((f"   {usage(word.word):<15}", "$accent"), (f" {word.title}", "$foreground"))
    keys = keymap.keyed(word.command).keys if word.command is not None else ""
    return columns(width, left, Content.styled(shown(keys.split(",")[0]) if keys else "", "$muted"))
