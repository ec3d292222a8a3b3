"""The context of a conversation: how the window is spent, and what happens when it is full."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui_chat.chat.acts import Redo, SetFacts, SetPolicy, Undo
from tui_chat.chat.policy import Policy, PolicyKind
from tui_chat.client.changes import Change, Streamed
from tui_chat.ui import gauge, words
from tui_chat.ui.commands import Place, commands
from tui_chat.ui.screens.dialogs import AskScreen
from tui_chat.ui.screens.editor import EditorScreen
from tui_chat.ui.screens.passing import PassingScreen
from tui_chat.ui.widgets.lines import HintLine
from tui_chat.ui.widgets.rows import Rows

if TYPE_CHECKING:
    from tui_chat.chat.context import Outcome
    from tui_chat.client.conversation import Conversation
    from tui_chat.wire.api import ModelInfo


class Number(msgspec.Struct, frozen=True):
    """One number of a policy that can be set; `scale` is what one of it is in the policy's own terms."""

    question: str
    least: int
    most: int | None = None
    scale: float = 1.0
    optional: bool = False


NUMBERS = {
    "window": Number("Most tokens to use; nothing for all that model and memory hold", 256, optional=True),
    "fill": Number("At how many percent something is dropped", 10, 100, 0.01),
    "reserve": Number("Tokens kept for the answer; nothing for the usual", 16, optional=True),
    "keep": Number("Messages that a reset keeps; 0 starts from the system prompt", 0, 1000),
    "turns": Number("Questions after which a reset happens; nothing for never", 1, 1000, optional=True),
}

_NAME_CELLS = 13
"""Cells of a policy's mark and name; what it does stands beside them, on as many lines as it takes."""


class ContextScreen(PassingScreen[None]):
    """Shows the gauge, and sets the policy."""

    CSS_PATH = "lists.tcss"
    own_places = (Place.CONTEXT,)

    def __init__(self, conversation: Conversation, model: ModelInfo | None, outcome: Outcome | None) -> None:
        super().__init__()
        self._conversation = conversation
        self._model = model
        self._outcome = outcome

    def compose(self) -> ComposeResult:
        """Lay out gauge, policies, what else is told, note and keys."""
        with Vertical(classes="list"):
            yield Static("", classes="list-head", markup=False)
            yield Static("", classes="context-gauge", markup=False)
            yield Rows(markup=False, compact=True)
            yield Static("", classes="context-facts", markup=False)
            yield Static("", classes="list-note", markup=False)
            yield HintLine()

    def on_mount(self) -> None:
        """Show how things are."""
        self.query_one(HintLine).show(list(commands(Place.CONTEXT)))
        self._unsubscribe = self._conversation.subscribe(self._hear)
        self.call_after_refresh(self._draw)

    def on_unmount(self) -> None:
        """Stop listening."""
        self._unsubscribe()

    def on_resize(self) -> None:
        """The gauge is drawn for a width."""
        self.call_after_refresh(self._draw)

    def _hear(self, change: Change) -> None:
        if self.there and not isinstance(change, Streamed):
            self._draw()

    @property
    def _policy(self) -> Policy:
        return self._conversation.session.policy

    def _draw(self) -> None:
        options, session = self.query_one(OptionList), self._conversation.session
        at = options.highlighted
        options.clear_options()
        options.add_options([Option(self._row(kind)) for kind in PolicyKind])
        options.highlighted = list(PolicyKind).index(self._policy.kind) if at is None else at
        options.focus()
        told = [f"fact: {fact}" for fact in session.facts]
        pinned = sum(message.pinned for message in self._conversation.tree.path())
        told += [f"{words.count(pinned, 'message')} pinned"] if pinned else []
        told += ["earlier thinking is sent back to the model"] if session.send_thinking else []
        self.query_one(".context-facts", Static).update("\n".join(told))
        self.query_one(".list-head", Static).update(Content.styled("context", "bold"))
        self.query_one(".context-gauge", Static).update(self._gauge())

    def _gauge(self) -> Content:
        if self._model is None:
            return Content.styled("No model is chosen, and so nobody knows how long the window is.", "$muted")
        spent = self._conversation.spent(self._model)
        width = max(20, self.query_one(".context-gauge").size.width)
        parts = [
            Content.assemble((name, style), (f" {tokens:,}", "$muted"))
            for name, style, tokens in gauge.legend(spent)
        ]
        lines = [
            Content(f"{gauge.filled(spent)} tokens"),
            gauge.bar(spent, width),
            Content("   ").join(parts),
        ]
        if told := gauge.dropping(self._outcome):
            lines.append(Content.styled(told, "$warning"))
        return Content("\n").join(lines)

    def _row(self, kind: PolicyKind) -> Content:
        current = kind is self._policy.kind
        mark = ("● ", "$accent") if current else ("○ ", "$muted")
        policy = msgspec.structs.replace(self._policy, kind=kind)
        width = max(20, self.query_one(OptionList).content_region.width - _NAME_CELLS)
        first, *more = Content.styled(gauge.in_words(policy), "$muted").wrap(width)
        lines = [Content.assemble(mark, (f"{kind.value:<{_NAME_CELLS - 2}}", "$foreground"), first)]
        return Content("\n").join([*lines, *(Content.assemble(" " * _NAME_CELLS, line) for line in more)])

    # Actions

    @on(OptionList.OptionSelected)
    async def action_choose(self) -> None:
        """Hold to the highlighted policy from now on."""
        at = self.query_one(OptionList).highlighted
        if at is not None:
            await self._set(kind=list(PolicyKind)[at])

    @work
    async def action_ask(self, field: str) -> None:
        """Ask for a number of the policy."""
        number = NUMBERS[field]
        value = getattr(self._policy, field)
        shown = "" if value is None else f"{round(value / number.scale)}"
        said = await self.app.push_screen_wait(
            AskScreen(number.question, shown, may_be_empty=number.optional)
        )
        if said is None:
            return
        if not said:
            await self._set(**{field: None})
        elif not said.isdecimal() or not number.least <= int(said) <= (number.most or int(said)):
            upto = f" to {number.most:,}" if number.most else " or more"
            self._note(f"“{said}” is no number from {number.least:,}{upto}. Nothing was changed.")
        else:
            scaled = int(said) * number.scale
            await self._set(**{field: scaled if number.scale != 1 else int(said)})

    async def _set(self, **fields: Any) -> None:
        self._note("")
        await self._conversation.do(SetPolicy(msgspec.structs.replace(self._policy, **fields)))
        self._draw()

    @work
    async def action_facts(self) -> None:
        """Write down what the model is always told, one fact a line."""
        facts = "\n".join(self._conversation.session.facts)
        text = await self.app.push_screen_wait(
            EditorScreen("What the model is always told, a line each", facts)
        )
        if text is not None:
            await self._conversation.do(SetFacts(tuple(text.splitlines())))

    async def action_thinking(self) -> None:
        """Send earlier thinking back to the model, or no longer."""
        await self._conversation.send_thinking(not self._conversation.session.send_thinking)

    async def action_reset(self) -> None:
        """Start the context afresh, now."""
        if self._conversation.session.messages:
            await self._conversation.reset()
            told = "what is above is kept, and no longer sent · {context.undo} sends it again"
            self._note(self.with_keys(told))

    async def action_undo(self) -> None:
        """Take back what was done last."""
        await self._conversation.do(Undo())

    async def action_redo(self) -> None:
        """Do again what was taken back."""
        await self._conversation.do(Redo())

    def action_leave(self) -> None:
        """Back to the chat."""
        self.dismiss(None)

    def _note(self, text: str) -> None:
        self.query_one(".list-note", Static).update(text)
