"""Two versions of an answer side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from tui_chat.chat.model import Message
from tui_chat.client.changes import Change, MessageSettled, Progressed, Reloaded, Streamed
from tui_chat.ui import words
from tui_chat.ui.commands import Place, commands
from tui_chat.ui.screens.passing import PassingScreen
from tui_chat.ui.telling import answer_item, user_item
from tui_chat.ui.transcript.items import AnswerItem, Item
from tui_chat.ui.transcript.view import Transcript
from tui_chat.ui.widgets.lines import HintLine

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui_chat.client.conversation import Conversation


class BesideScreen(PassingScreen[str | None]):
    """Two siblings, of which each side can go through all; gives the one to go on with, or None."""

    CSS_PATH = "lists.tcss"
    own_places = (Place.BESIDE,)

    def __init__(self, conversation: Conversation, id: str, name_model: Callable[[str], str]) -> None:
        super().__init__()
        self._conversation = conversation
        self._name_model = name_model
        self._ids = [message.id for message in conversation.tree.siblings(id)]
        left = self._ids.index(id)
        self._at = [left, left + 1 if left + 1 < len(self._ids) else left - 1]
        self._side = 0

    def compose(self) -> ComposeResult:
        """Lay out question, the two versions, and keys."""
        with Vertical(classes="list"):
            yield Static("", classes="list-head", markup=False)
            with Horizontal(classes="beside"):
                yield Transcript(id="beside-0")
                yield Transcript(id="beside-1")
            yield HintLine()

    def on_mount(self) -> None:
        """Show both, and what is still being written as it comes."""
        self.query_one(HintLine).show(list(commands(Place.BESIDE)))
        self._unsubscribe = self._conversation.subscribe(self._hear)
        self.call_after_refresh(self._draw)

    def on_unmount(self) -> None:
        """Stop listening."""
        self._unsubscribe()

    def _pane(self, side: int) -> Transcript:
        return self.query_one(f"#beside-{side}", Transcript)

    def _draw(self) -> None:
        first = self._conversation.tree.get(self._ids[0])
        asked = self._conversation.tree.get(first.parent).text if first.parent else ""
        head = Content.styled(" ".join(asked.split())[:200], "bold").truncate(
            self.size.width - 4, ellipsis=True
        )
        self.query_one(".list-head", Static).update(head)
        for side, at in enumerate(self._at):
            self._pane(side).set_items([self._item(at)], follow=False)
            self._pane(side).set_class(side == self._side, "-chosen")
        self.set_focus(self._pane(self._side))

    def _item(self, at: int) -> Item:
        message: Message = self._conversation.tree.get(self._ids[at])
        place = f"{at + 1} of {len(self._ids)}"
        if message.answer is None:
            return user_item(message, branch=place)
        if (live := self._conversation.lives.get(message.id)) is not None:
            message = msgspec.structs.replace(message, text=live.text, thinking=live.thinking)
        assert message.answer is not None
        usual = self._conversation.session.sampling
        model = self._name_model(message.answer.model)
        return answer_item(message, self.keys_in_force, model, place, newest=False, usual=usual)

    def _hear(self, change: Change) -> None:
        if not self.there:
            return
        match change:
            case Streamed(id, text, channel):
                for side, at in enumerate(self._at):
                    if self._ids[at] == id:
                        self._pane(side).stream(id, text, channel)
            case Progressed(id, phase):
                for side, at in enumerate(self._at):
                    if self._ids[at] == id:
                        self._pane(side).phase(id, words.phase(phase, "the model"))
            case MessageSettled(message):
                for side, at in enumerate(self._at):
                    item = self._item(at)
                    if self._ids[at] == message.id and isinstance(item, AnswerItem):
                        self._pane(side).settle(item)
            case Reloaded():
                self._draw()

    # Actions

    def action_version(self, step: int) -> None:
        """Show another version at the side the keyboard is on."""
        at = self._at[self._side] + step
        if at == self._at[1 - self._side]:
            at += step
        if 0 <= at < len(self._ids):
            self._at[self._side] = at
            self._draw()

    def action_side(self) -> None:
        """Move the keyboard to the other side."""
        self._side = 1 - self._side
        self._draw()

    def action_choose(self) -> None:
        """Go on with the version the keyboard is on."""
        self.dismiss(self._ids[self._at[self._side]])

    def action_leave(self) -> None:
        """Stay with the version one came from."""
        self.dismiss(None)
