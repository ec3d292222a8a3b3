"""Writing in other ways than with the keys of the input: in one's own editor, or as it was sent before."""

from __future__ import annotations

from textual import work

from tui_chat.chat.model import Role
from tui_chat.ui.screens.finding import FindingActions

_KEPT_NOWHERE = "an editor needs a file, and nothing of this chat is written to any"


class OutgoingActions(FindingActions):
    """The actions of a screen whose texts can be handed to an editor."""

    @work(group="asking", exclusive=True)
    async def action_edit_outside(self) -> None:
        """Write what stands in the input in the editor; sending it is another key."""
        text = await self._edited(self.prompt.text)
        if text is not None:
            self.prompt.put(text)
            self.set_focus(self.prompt)

    @work(group="asking", exclusive=True)
    async def action_history(self) -> None:
        """Find a message that was sent before, and put it into the input in the place of what is there."""
        from tui_chat.ui.screens.history import HistoryScreen

        text = await self.app.push_screen_wait(HistoryScreen(self._workspace.history))
        if text is not None:
            self.prompt.put(text)
            self.set_focus(self.prompt)

    @work(group="asking", exclusive=True)
    async def action_open_message(self) -> None:
        """Open the focused message in the editor; one's own goes on as a branch when it was changed there."""
        message = self.focused_message
        focused = self.transcript.focused_id
        if focused is None:
            return
        before = message.text if message is not None else self.transcript.text_of(focused)
        text = await self._edited(before)
        if text is None or text == before:
            return
        if message is not None and message.role is Role.USER and self.can("edit"):
            self.begin_editing(message, text)
        else:
            told = "only your own messages can be changed like this; {message.edit} changes an answer"
            self.note(self.with_keys(told))

    async def _edited(self, text: str) -> str | None:
        """What the editor made of a text; None, and why is said, if nothing came of it."""
        from tui_chat.ui.outside import EditorError, edit_outside

        if self._conversation is not None and self._conversation.ephemeral:
            self.note(_KEPT_NOWHERE)
            return None
        try:
            return await edit_outside(self.app, text)
        except EditorError as error:
            self.note(str(error))
            return None
