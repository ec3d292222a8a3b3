"""What a person does to the tree of a conversation, by keys on the focused message."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from textual import work

from tui_chat.chat.acts import (
    Continue,
    Doing,
    EditAnswer,
    EditSummary,
    Effect,
    Name,
    Pin,
    Redo,
    Regenerate,
    Remove,
    Restore,
    Rewind,
    Show,
    Undo,
)
from tui_chat.chat.branches import name_of
from tui_chat.chat.model import Act, Message, Role
from tui_chat.chat.policy import PolicyKind
from tui_chat.client.changes import Access
from tui_chat.store.errors import StoreError
from tui_chat.ui.screens.switching import SwitchingActions

if TYPE_CHECKING:
    from tui_chat.chat.attachments import Attachment
    from tui_chat.client.conversation import Conversation

_DONE = {
    Act.SEND: "the message",
    Act.EDIT: "the edited message",
    Act.EDIT_ANSWER: "the edited answer",
    Act.REGENERATE: "the other answer",
    Act.COMPARE: "the answers of other models",
    Act.CONTINUE: "the longer answer",
    Act.SHOW: "going to another branch",
    Act.REMOVE: "the deletion",
    Act.NAME: "the name of the branch",
    Act.PIN: "the pin",
    Act.SETUP: "the other instructions",
    Act.POLICY: "the other policy",
    Act.CUT: "the reset of the context",
    Act.RESTORE: "bringing back what was cut",
    Act.SUMMARY: "the change of the summary",
    Act.FACTS: "the change of the facts",
}

ON_MESSAGE = frozenset(
    (
        "sibling",
        "edit",
        "rewind",
        "regenerate",
        "regenerate_exactly",
        "go_on",
        "fork_here",
        "remove",
        "name_branch",
        "pin",
        "other_models",
    )
)
"""Actions on the focused message."""


class BranchingActions(SwitchingActions):
    """The actions of a screen that shows one branch of a tree.

    While a message is being edited, the input holds its text, and what stood there before waits.
    """

    _editing: str | None = None
    _aside: tuple[str, tuple[Attachment, ...]] = ("", ())

    async def _show(self, conversation: Conversation) -> None:
        """Put another conversation on the screen."""
        raise NotImplementedError

    @property
    def focused_message(self) -> Message | None:
        """The message the keys mean, of those that are in the tree."""
        conversation, focused = self._conversation, self.transcript.focused_id
        if conversation is None or focused is None or focused not in conversation.tree:
            return None
        return conversation.tree.get(focused)

    def can(self, action: str) -> bool:
        """Whether an action on the focused message would do something."""
        message, conversation = self.focused_message, self._conversation
        if message is None or conversation is None or not self.reading:
            return False
        if action == "sibling":
            return len(conversation.tree.siblings(message.id)) > 1
        if action == "fork_here":
            return message.said and not conversation.ephemeral
        if conversation.access is not Access.WRITER:
            return False
        match action:
            case "edit":
                return not message.in_flight and (message.said or bool(message.cut and message.text))
            case "rewind":
                return message.role is Role.USER
            case "go_on":
                return message.role is Role.ASSISTANT and not message.in_flight
            case "regenerate_exactly":
                return message.answer is not None and not message.answer.edited and not message.in_flight
        return message.said

    # Going about

    @work(group="branching")
    async def action_sibling(self, step: int) -> None:
        """Show the sibling before or after the focused message, in its place."""
        conversation, message = self._conversation, self.focused_message
        if conversation is None or message is None:
            return
        siblings = [each.id for each in conversation.tree.siblings(message.id)]
        at = siblings.index(message.id) + step
        if not 0 <= at < len(siblings):
            self.note("this is the first of them" if step < 0 else "this is the last of them")
            return
        await self.go_to(siblings[at])

    async def go_to(self, id: str) -> None:
        """Show the branch of a message, and put the keyboard on it."""
        if self._conversation is None:
            return
        if self._conversation.tree.leaf is None or id not in {m.id for m in self._conversation.tree.path()}:
            await self._conversation.do(Show(id))
        if self.transcript.shows(id):
            self.transcript.focus_message(id)

    def show_branches(self) -> None:
        """Show the map of branches; once more, and it goes."""
        from tui_chat.ui.screens.branches import BranchesScreen

        if isinstance(self.app.screen, BranchesScreen):
            self.app.screen.dismiss(None)
        elif self.app.screen is self:
            self._choose_branch()

    @work(group="opening", exclusive=True)
    async def _choose_branch(self) -> None:
        from tui_chat.ui.screens.branches import BranchesScreen

        conversation = self._conversation
        if conversation is None or not conversation.session.messages:
            self.note("there are no branches yet; the first message begins one")
            return
        map_ = BranchesScreen(self._workspace, conversation, self._presenter.name_of)
        chosen = await self.app.push_screen_wait(map_)
        if chosen is None or self._conversation is not conversation:
            return
        if chosen.fork is not None:
            await self._show(chosen.fork)
        else:
            await self.go_to(chosen.message)
            self.set_focus(self.transcript)

    def show_context(self) -> None:
        """Show what the context is spent on; once more, and it goes."""
        from tui_chat.ui.screens.context import ContextScreen

        if isinstance(self.app.screen, ContextScreen):
            self.app.screen.dismiss(None)
        elif self.app.screen is self and self._conversation is not None:
            facts = self._presenter.facts
            outcome = facts.outlook.outcome if facts.outlook else None
            self.app.push_screen(ContextScreen(self._conversation, facts.model, outcome))

    # Changing

    @work(group="branching")
    async def action_edit(self) -> None:
        """Write the focused message anew: one's own in the input, a model's or a summary in an editor."""
        message = self.focused_message
        if message is None:
            return
        if message.role is Role.USER:
            self.begin_editing(message)
            return
        from tui_chat.ui.screens.editor import EditorScreen

        title = "Edit the answer" if message.said else "Edit the summary"
        text = await self.app.push_screen_wait(EditorScreen(title, message.text))
        if text is not None and text != message.text:
            await self._do(EditAnswer(message.id, text) if message.said else EditSummary(message.id, text))

    def begin_editing(self, message: Message, text: str | None = None) -> None:
        """Have the input hold a message to be sent anew, as it was or as `text`."""
        if self._editing is None:
            self._aside = (self.prompt.text, self.prompt.attachments)
        self._editing = message.id
        self.prompt.put(message.text if text is None else text, message.attachments)
        self.set_focus(self.prompt)
        self._presenter.edit(message)

    def leave_editing(self) -> None:
        """Go back to what was being written before; the message stays as it is."""
        if self._editing is not None:
            self._editing = None
            self.prompt.put(*self._aside)
            self._aside = ("", ())
            self._presenter.edit(None)

    def resume_editing(self, id: str) -> None:
        """Go on editing what could not be sent; its text is in the input again."""
        self._editing = id
        self._presenter.edit(self._conversation.tree.get(id) if self._conversation else None)

    @work(group="branching")
    async def action_rewind(self) -> None:
        """Go back to before the focused message, its text in the input; what stands below stays a branch."""
        effect = await self._with_focused(Rewind)
        if effect is not None:
            self.prompt.put(effect.draft, effect.attachments)
            self.set_focus(self.prompt)
            self.note("before that message again · what came after it is a branch of its own")

    @work(group="branching")
    async def action_regenerate(self) -> None:
        """Have the focused answer written once more, beside it."""
        await self._with_focused(Regenerate)

    @work(group="branching")
    async def action_regenerate_exactly(self) -> None:
        """Have the focused answer written again just as it was: same model, same sampling, same seed."""
        await self._with_focused(lambda each: Regenerate(each, exactly=True))

    @work(group="branching")
    async def action_go_on(self) -> None:
        """Have the focused answer go on where it ended."""
        await self._with_focused(Continue)

    @work(group="branching")
    async def action_remove(self) -> None:
        """Delete the focused message and all below it; an undo brings it back."""
        if await self._with_focused(Remove):
            self.note(self.with_keys("deleted, with all below it · {tree.undo} brings it back"))

    @work(group="branching")
    async def action_pin(self) -> None:
        """Have the focused message stay in the context, or let it go again."""
        if await self._with_focused(Pin) and self._conversation is not None:
            selective = self._conversation.session.policy.kind is PolicyKind.SELECTIVE
            pinned = self.focused_message is not None and self.focused_message.pinned
            if pinned and not selective:
                told = "pinned; it stays in the context where the policy is selective ({context})"
                self.note(self.with_keys(told))

    @work(group="asking", exclusive=True)
    async def action_name_branch(self) -> None:
        """Give the branch of the focused message a name."""
        from tui_chat.ui.screens.dialogs import AskScreen

        message, conversation = self.focused_message, self._conversation
        if message is None or conversation is None:
            return
        now = name_of(conversation.tree, message.id)
        ask = AskScreen("Name this branch; no name takes it away", now, may_be_empty=True)
        name = await self.app.push_screen_wait(ask)
        if name is not None:
            await self._do(Name(message.id, name))

    @work(group="opening", exclusive=True)
    async def action_fork_here(self) -> None:
        """Go on from the focused message in a session of its own."""
        message, conversation = self.focused_message, self._conversation
        if message is None or conversation is None:
            return
        try:
            await self._show(await conversation.fork(message.id))
        except StoreError as error:
            self._presenter.notice(error.problem)
        else:
            self.note(self.with_keys("this is a session of its own now; {sessions} shows both"))

    def action_record(self) -> None:
        """Show how the focused answer came to be."""
        answer = self.focused_message.answer if self.focused_message else None
        if answer is None or answer.finish is None:
            self.note("this is no answer, or it is still being written")
            return
        from tui_chat.ui.record import record
        from tui_chat.ui.screens.factual import FactsScreen

        self.app.push_screen(FactsScreen("how it was answered", partial(record, answer)))

    @work(group="branching")
    async def action_undo(self) -> None:
        """Take back what was done last; on a rule where the context was cut, send again what is above."""
        message = self.focused_message
        if message is not None and message.cut is not None:
            await self._do(Restore(message.id))
            return
        effect = await self._do(Undo())
        if effect is None:
            return
        again = self.with_keys("{tree.redo} does it again")
        self.note(f"undone: {_DONE[effect.act]} · {again}" if effect.act else "nothing to undo")
        if (effect.draft or effect.attachments) and not self.prompt.text and not self.prompt.attachments:
            self.prompt.put(effect.draft, effect.attachments)

    @work(group="branching")
    async def action_redo(self) -> None:
        """Do again what was taken back last."""
        effect = await self._do(Redo())
        if effect is not None:
            self.note(f"done again: {_DONE[effect.act]}" if effect.act else "nothing to do again")

    @work(group="branching")
    async def action_reset(self) -> None:
        """Start the context afresh from here: what is above stays, and is no longer sent."""
        if self._conversation is not None:
            await self._conversation.reset()

    @work(group="asking", exclusive=True)
    async def action_other_models(self) -> None:
        """Have other models answer the question of the focused message, beside the answers it has."""
        from tui_chat.ui.screens.comparing import CompareScreen

        message, conversation = self.focused_message, self._conversation
        if message is None or conversation is None:
            return
        chosen = await self.app.push_screen_wait(CompareScreen(self._workspace))
        if chosen and self._conversation is conversation:
            await conversation.compare(message.id, chosen)

    async def _with_focused(self, make: Callable[[str], Doing]) -> Effect | None:
        message = self.focused_message
        return await self._do(make(message.id)) if message is not None else None

    async def _do(self, doing: Doing) -> Effect | None:
        """Do it; the keyboard goes to the answer that is written for it."""
        conversation, focused = self._conversation, self.focused_message
        if conversation is None:
            return None
        effect = await conversation.do(doing)
        if effect is not None and self.reading:
            if effect.answers:
                self.transcript.focus_message(effect.answers[0].id)
                self.transcript.follow_end()
            elif self.transcript.focused_id is None:
                self._focus_instead_of(focused)
        return effect

    def _focus_instead_of(self, gone: Message | None) -> None:
        """Put the keyboard on what is now in the place of a message that is not shown any more."""
        assert self._conversation is not None
        path = [message for message in self._conversation.tree.path() if message.said]
        there = next((m for m in path if gone is not None and m.parent == gone.parent), None)
        if path:
            self.transcript.focus_message((there or path[-1]).id)
