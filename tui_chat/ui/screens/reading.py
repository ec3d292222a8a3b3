"""What a person does with a conversation that is there: move in it, copy from it, unfold it."""

from __future__ import annotations

from textual import work
from textual.screen import Screen

from tui_chat.ui.transcript.items import AnswerItem
from tui_chat.ui.transcript.view import Transcript
from tui_chat.ui.widgets.prompt import Prompt


class ReadingActions(Screen[None]):
    """The actions of a screen that has a transcript and an input."""

    @property
    def transcript(self) -> Transcript:
        """The conversation."""
        return self.query_one("#chat-transcript", Transcript)

    @property
    def prompt(self) -> Prompt:
        """The input."""
        return self.query_one("#chat-input", Prompt)

    def note(self, text: str) -> None:
        """Show a passing note."""
        raise NotImplementedError

    def newest_answer(self) -> str:
        """The text of the newest answer, empty without one."""
        raise NotImplementedError

    @property
    def reading(self) -> bool:
        """Whether keys go to the conversation and not to the input."""
        return self.focused is self.transcript

    # The focus is set at once, not by `Widget.focus`, which waits until keys of the same burst have
    # gone to the widget that had it.

    def action_read(self) -> None:
        """Move the focus to the conversation, to its last message; from there, message by message up."""
        if self.reading or self.transcript.focused_id is None:
            self.transcript.focus_previous()
        self.set_focus(self.transcript)

    def action_write(self) -> None:
        """Move the focus to the input."""
        self.set_focus(self.prompt)

    def action_step(self, step: int) -> None:
        """Move to the message before or after; after the last one, to the input."""
        transcript = self.transcript
        if step < 0:
            transcript.focus_previous()
        else:
            transcript.focus_next()
            if transcript.focused_id is None:
                self.set_focus(self.prompt)

    def action_page(self, pages: int) -> None:
        """Scroll the conversation without leaving the input."""
        self.transcript.scroll_by_pages(pages)

    def action_tail(self) -> None:
        """Go back to the newest text and follow it."""
        self.transcript.follow_end()

    def action_copy_answer(self) -> None:
        """Copy the newest answer."""
        self.app.copy_to_clipboard(self.newest_answer())

    def action_copy_message(self) -> None:
        """Copy the focused message."""
        if (focused := self.transcript.focused_id) is not None:
            self.app.copy_to_clipboard(self.transcript.text_of(focused))

    @work(group="asking", exclusive=True)
    async def action_copy_code(self) -> None:
        """Copy the focused message's code block; with several, ask which."""
        from tui_chat.ui.screens.dialogs import PickScreen

        blocks = self.transcript.code_blocks(self.transcript.focused_id) if self.transcript.focused_id else []
        if not blocks:
            self.note("there is no code block in this message")
            return
        chosen: int | None = 0
        if len(blocks) > 1:
            choices = [block.strip().splitlines()[0] if block.strip() else "(empty)" for block in blocks]
            chosen = await self.app.push_screen_wait(PickScreen("Copy which code block?", choices))
        if chosen is not None:
            self.app.copy_to_clipboard(blocks[chosen])

    def action_toggle_thinking(self) -> None:
        """Unfold or fold the focused message's thinking."""
        transcript = self.transcript
        item = next((i for i in transcript.items if i.id == transcript.focused_id), None)
        if isinstance(item, AnswerItem) and item.thinking:
            transcript.toggle_thinking(item.id)
        else:
            self.note("there is no thinking in this message")
