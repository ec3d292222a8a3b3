"""The branch map: the whole tree of a conversation, and how soon the model could go on from where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui_chat.chat.acts import Doing, Name, Redo, Remove, Undo
from tui_chat.chat.branches import name_of
from tui_chat.chat.model import Message, Role
from tui_chat.client.changes import Change, EngineNews, MessageAdded, MessageSettled, Reloaded
from tui_chat.client.warmth import Heat, Warmth, warmth_of
from tui_chat.store.errors import StoreError
from tui_chat.ui import words
from tui_chat.ui.branch_rows import BranchRow, branch_rows
from tui_chat.ui.commands import Place, commands
from tui_chat.ui.screens.dialogs import AskScreen
from tui_chat.ui.screens.passing import PassingScreen
from tui_chat.ui.telling import setup_words
from tui_chat.ui.widgets.filtered import columns
from tui_chat.ui.widgets.lines import HintLine
from tui_chat.ui.widgets.rows import Rows
from tui_chat.wire.api import Kept
from tui_chat.wire.words import about, speed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui_chat.client.conversation import Conversation
    from tui_chat.client.workspace import Workspace

_HEATS = {
    Heat.HOT: ("● hot", "$success"),
    Heat.WARM: ("◐ parked", "$accent"),
    Heat.COLD: ("○ cold", "$muted"),
}
_HEAT_CELLS = 14
_HERE = "  ← here"


class Chosen(msgspec.Struct, frozen=True):
    """What to go to: a message here, or `fork`, a conversation that was made from one."""

    message: str = ""
    fork: Conversation | None = None


class BranchesScreen(PassingScreen[Chosen | None]):
    """Walk, name and prune the tree; gives where to go, or None for staying."""

    CSS_PATH = "lists.tcss"
    own_places = (Place.BRANCHES,)

    def __init__(
        self, workspace: Workspace, conversation: Conversation, name_model: Callable[[str], str]
    ) -> None:
        super().__init__()
        self._workspace = workspace
        self._conversation = conversation
        self._name_model = name_model
        self._unfolded: frozenset[str] = frozenset()
        self._rows: list[BranchRow] = []
        self._warmth: dict[str, Warmth] = {}
        self._kept: Kept | None = None

    def compose(self) -> ComposeResult:
        """Lay out title, map, note and keys."""
        with Vertical(classes="list"):
            yield Static("", classes="list-head", markup=False)
            yield Rows(markup=False, compact=True)
            yield Static("", classes="list-note", markup=False)
            yield HintLine()

    def on_mount(self) -> None:
        """Show the tree at once, and what is kept of it as soon as the engine has told."""
        self.query_one(HintLine).show(list(commands(Place.BRANCHES)))
        self._unsubscribe = [self._conversation.subscribe(self._hear), self._workspace.subscribe(self._hear)]
        self.call_after_refresh(self._draw, self._conversation.tree.leaf)
        self._look()

    def on_unmount(self) -> None:
        """Stop listening."""
        for unsubscribe in self._unsubscribe:
            unsubscribe()

    def on_resize(self) -> None:
        """Rows are drawn for a width."""
        self.call_after_refresh(self._draw)

    def _hear(self, change: Change) -> None:
        if isinstance(change, MessageAdded | MessageSettled | Reloaded | EngineNews) and self.there:
            self._look()

    @work(exclusive=True, group="warmth")
    async def _look(self) -> None:
        """Ask what is kept; an engine that is gone keeps what is parked, but nobody can tell what."""
        session = self._conversation.session
        self._kept = await self._workspace.kept(session.id, session.model or "")
        self._draw()

    @property
    def current(self) -> BranchRow | None:
        """The highlighted row."""
        at = self.query_one(OptionList).highlighted
        return self._rows[at] if at is not None and at < len(self._rows) else None

    def _draw(self, to: str | None = None) -> None:
        """Draw the map, with the highlight on message `to`, or else where it was."""
        if not self.there:
            return
        conversation, options = self._conversation, self.query_one(OptionList)
        session = conversation.session
        was = self.current
        self._rows = branch_rows(conversation.tree, self._unfolded)
        self._warmth = warmth_of(conversation.tree, self._kept, session.model or "")
        here = {message.id for message in conversation.tree.path()}
        width = max(20, options.scrollable_content_region.width or self.size.width)
        options.clear_options()
        options.add_options([Option(self._drawn(row, here, width)) for row in self._rows])
        wanted = to or (was.id if was else None)
        at = next((i for i, row in enumerate(self._rows) if row.id == wanted and row.message), None)
        if self._rows:
            options.highlighted = (
                at if at is not None else min(options.option_count - 1, self._last_here(here))
            )
        options.focus()
        model = self._name_model(session.model) if session.model else "no model"
        leaves = len(conversation.tree.leaves())
        branches = "1 branch" if leaves == 1 else f"{leaves:,} branches"
        self.query_one(".list-head", Static).update(
            Content.assemble(
                (session.title or "new chat", "bold"), (f"   {branches} · going on with {model}", "$muted")
            )
        )

    def _last_here(self, here: set[str]) -> int:
        return max((i for i, row in enumerate(self._rows) if row.id in here), default=0)

    def _drawn(self, row: BranchRow, here: set[str], width: int) -> Content:
        guides = (row.guides, "$rule")
        if row.message is None:
            return Content.assemble(guides, (f"⋮ {words.count(row.folded, 'message')}", "$muted"))
        message = row.message
        left = Content.assemble(guides, *self._said(message))
        right = self._heat(message) if message.role is Role.ASSISTANT else Content("")
        if message.id not in here:
            left = left.stylize("$muted")
        if message.id == self._conversation.tree.leaf:
            room = width - right.cell_length - len(_HERE) - 2
            left = Content.assemble(left.truncate(max(0, room), ellipsis=True), (_HERE, "$accent"))
        return columns(width, left, right)

    def _said(self, message: Message) -> list[tuple[str, str]]:
        """Who said what, or what changed there."""
        name = [(f"[{message.name}] ", "bold $accent")] if message.name else []
        pinned = [("  pinned", "$muted")] if message.pinned else []
        line = " ".join(message.text.split())[:200]
        if message.cut is not None:
            back = "brought back" if message.cut.restored else words.count(message.cut.messages, "message")
            return [*name, (f"── context cut ({back})", "$muted")]
        if message.setup is not None:
            return [*name, (f"── from here on: {setup_words(message.setup)}", "$muted")]
        if message.answer is None:
            return [*name, ("you: ", "$muted"), (line, "$foreground"), *pinned]
        facts = [self._name_model(message.answer.model)]
        if message.answer.timings.decode_tps:
            facts.append(speed(message.answer.usage, message.answer.timings))
        if message.answer.usage.completion_tokens:
            facts.append(f"{about(message.answer.usage)}{message.answer.usage.completion_tokens:,} tok")
        if message.answer.edited:
            facts.append("edited")
        if message.in_flight:
            facts.append("being written")
        return [*name, ("  ".join(facts), "$foreground"), (f"  {line}", "$muted"), *pinned]

    def _heat(self, message: Message) -> Content:
        warmth = self._warmth.get(message.id)
        if warmth is None or message.in_flight:
            return Content("")
        text, style = _HEATS[warmth.heat]
        if warmth.heat is Heat.COLD and warmth.seconds is not None:
            text += f" ~{words.roughly(warmth.seconds)}"
        return Content.styled(f"{text:<{_HEAT_CELLS}}", style)

    # Actions

    @on(OptionList.OptionSelected)
    def action_choose(self) -> None:
        """Go to the highlighted message, or unfold a stretch."""
        row = self.current
        if row is None:
            return
        if row.message is None:
            self._unfolded |= {row.id}
            self._draw(row.id)
        else:
            self.dismiss(Chosen(row.id))

    def action_leave(self) -> None:
        """Stay where one is."""
        self.dismiss(None)

    def action_sibling(self, step: int) -> None:
        """Move the highlight to a sibling."""
        row = self.current
        if row is None or row.message is None:
            return
        siblings = [message.id for message in self._conversation.tree.siblings(row.id)]
        at = siblings.index(row.id) + step
        if 0 <= at < len(siblings):
            self._draw(siblings[at])

    @work
    async def action_name(self) -> None:
        """Name the branch of the highlighted message."""
        row = self.current
        if row is not None and row.message is not None:
            now = name_of(self._conversation.tree, row.id)
            ask = AskScreen("Name this branch; no name takes it away", now, may_be_empty=True)
            name = await self.app.push_screen_wait(ask)
            if name is not None:
                await self._do(Name(row.id, name))

    @work
    async def action_fork(self) -> None:
        """Go on from the highlighted message in a session of its own."""
        row = self.current
        if row is not None and row.message is not None:
            try:
                self.dismiss(Chosen(fork=await self._conversation.fork(row.id)))
            except StoreError as error:
                self._note(f"{error.problem.what} {error.problem.remedy}")

    @work
    async def action_compare(self) -> None:
        """Show the highlighted answer beside a sibling."""
        from tui_chat.ui.screens.beside import BesideScreen

        row = self.current
        siblings = self._conversation.tree.siblings(row.id) if row is not None else ()
        if row is None or row.message is None or len(siblings) < 2:
            self._note("There is no other version to compare it with.")
            return
        chosen = await self.app.push_screen_wait(BesideScreen(self._conversation, row.id, self._name_model))
        if chosen is not None:
            self.dismiss(Chosen(chosen))

    @work
    async def action_remove(self) -> None:
        """Delete the highlighted message and all below it."""
        row = self.current
        if row is not None and row.message is not None and await self._do(Remove(row.id)):
            self._note(self.with_keys("deleted, with all below it · {branches.undo} brings it back"))

    @work
    async def action_undo(self) -> None:
        """Take back what was done last."""
        await self._do(Undo())

    @work
    async def action_redo(self) -> None:
        """Do again what was taken back."""
        await self._do(Redo())

    async def _do(self, doing: Doing) -> bool:
        effect = await self._conversation.do(doing)
        self._note("" if effect else "That could not be done; the chat tells why.")
        self._draw()
        return effect is not None

    def _note(self, text: str) -> None:
        self.query_one(".list-note", Static).update(text)
