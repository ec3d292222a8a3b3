"""What goes with the message that is being written: shown, kept with the draft, counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on, work

from tui_chat.chat.attachments import Attachment, fenced
from tui_chat.chat.compose import Line
from tui_chat.chat.model import Role
from tui_chat.ui.held import EXPANDABLE
from tui_chat.ui.screens.outgoing import OutgoingActions
from tui_chat.ui.transcript.text import clean_line
from tui_chat.ui.widgets.chips import ChipLine
from tui_chat.ui.widgets.prompt import Prompt
from tui_chat.ui.words import attached, count

if TYPE_CHECKING:
    from collections.abc import Sequence


class AttachingActions(OutgoingActions):
    """The actions of a screen whose messages have attachments."""

    def weigh_draft(self) -> None:
        """Find out anew what sending what is written would take."""
        raise NotImplementedError

    @on(Prompt.Attached)
    def _attached(self) -> None:
        if self._conversation is not None:
            self.keep_attachments(self.prompt.attachments)
            self.weigh_draft()
        self._show_chips()

    @work(group="counting", exclusive=True)
    async def _show_chips(self) -> None:
        """Say what is attached, with its tokens estimated first and then as the model counts them."""
        attachments = self.prompt.attachments
        self._write_chips(attachments)
        model = self._conversation.session.model if self._conversation is not None else None
        if model is None:
            return
        for each in attachments:
            if each.picture is not None:
                continue
            await self._workspace.tokens.learn(model, _lines(each))
        if attachments == self.prompt.attachments:
            self._write_chips(attachments)

    def _write_chips(self, attachments: Sequence[Attachment]) -> None:
        model = self._conversation.session.model if self._conversation is not None else None
        ruler = self._workspace.tokens.ruler(model or "")
        chips = [clean_line(attached(each, ruler.size(_lines(each)))) for each in attachments]
        self.query_one(ChipLine).show(chips, self.styled_keys("{attachments:view, remove}"))

    def action_attachments(self) -> None:
        """Show what is attached to the focused message, or to the one that is being written."""
        from tui_chat.ui.screens.attachments import AttachmentsScreen

        message = self.focused_message if self.reading else None
        if message is not None:
            if message.attachments:
                self.app.push_screen(AttachmentsScreen(message.attachments, None))
            else:
                self.note("nothing is attached to this message")
        else:
            self.app.push_screen(AttachmentsScreen(self.prompt.attachments, self._take_attached))

    def _take_attached(self, attachment: Attachment, into_input: bool) -> str:
        if into_input and attachment.picture is not None:
            return "a picture cannot be put into the input; it is sent as it is"
        if into_input and len(attachment.text) > EXPANDABLE:
            return f"it has {count(len(attachment.text), 'character')}, too many to edit in the input"
        left = list(self.prompt.attachments)
        left.remove(attachment)
        if into_input:
            self.prompt.take_in(attachment.text, tuple(left))
        else:
            self.prompt.attach(tuple(left))
        self.set_focus(self.prompt)
        return ""


def _lines(attachment: Attachment) -> tuple[Line, ...]:
    return (Line(Role.USER, fenced(attachment)),)
