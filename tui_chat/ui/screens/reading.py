"""What a person does with a conversation that is there: move in it, copy from it, unfold it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work
from textual.screen import Screen

from tui_chat.ui.command import Place
from tui_chat.ui.commands import commands
from tui_chat.ui.keys import Keyed
from tui_chat.ui.transcript.caret import Move
from tui_chat.ui.transcript.fences import CodeBlock
from tui_chat.ui.transcript.items import AnswerItem
from tui_chat.ui.transcript.view import Transcript
from tui_chat.ui.widgets.prompt import Prompt

if TYPE_CHECKING:
    from tui_chat.client.conversation import Conversation


def _actions(place: Place) -> frozenset[str]:
    """The names of what a screen does in a place."""
    names = (command.action.partition("(")[0].partition(".") for command in commands(place))
    return frozenset(name for namespace, _, name in names if namespace == "screen")


_SELECTING = _actions(Place.SELECTING)
_ON_FOCUSED = frozenset({"copy_message", "copy_code", "save_code", "open_message", "toggle_thinking"})
IN_TEXT = (_actions(Place.TRANSCRIPT) | _SELECTING) - {"undo", "redo"}
"""Actions that need the keyboard in the conversation."""


class ReadingActions(Keyed, Screen[None]):
    """The actions of a screen that has a transcript and an input."""

    _conversation: Conversation | None

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

    def has_text_for(self, action: str) -> bool:
        """Whether the keyboard is where an action of `IN_TEXT` means something."""
        if self.selecting:
            return action in _SELECTING
        if not self.reading or (action in _SELECTING and action != "block"):
            return False
        return action not in _ON_FOCUSED or self.transcript.focused_id is not None

    # The focus is set at once, not by `Widget.focus`, which waits until keys of the same burst have
    # gone to the widget that had it.

    def action_read(self) -> None:
        """Move the focus to the conversation, to its last message; from there, message by message up."""
        said = self._conversation is not None and self._conversation.session.messages
        if not said and not self.transcript.items:
            self.note("there is nothing to read yet: your first message begins it")
            return
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

    def action_line(self, lines: int) -> None:
        """Scroll by lines."""
        self.transcript.scroll_by(lines)

    def action_half(self, halves: int) -> None:
        """Scroll by half a page."""
        self.transcript.scroll_by(halves * max(1, self.transcript.size.height // 2))

    def action_home(self) -> None:
        """Go to the beginning."""
        self.transcript.action_scroll_home()

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
        """Copy a code block of the focused message."""
        if (block := await self._code_block("Copy which code block?")) is not None:
            self.app.copy_to_clipboard(block.text)

    async def _code_block(self, question: str) -> CodeBlock | None:
        """The focused message's code block; with several, the one that is picked."""
        from tui_chat.ui.screens.dialogs import PickScreen

        focused = self.transcript.focused_id
        blocks = self.transcript.code_blocks(focused) if focused else []
        if not blocks:
            self.note("there is no code block in this message")
            return None
        chosen: int | None = 0
        if len(blocks) > 1:
            chosen = await self.app.push_screen_wait(PickScreen(question, [each.gist for each in blocks]))
        return None if chosen is None else blocks[chosen]

    # Selecting

    @property
    def selecting(self) -> bool:
        """Whether keys select text of the conversation."""
        return self.reading and self.transcript.selecting

    def action_select(self, lines: bool) -> None:
        """Begin to select text, by characters or whole lines."""
        self.transcript.select_from_focus(lines=lines)
        self.show_hints()

    def action_block(self, step: int) -> None:
        """Select the next block of text, or the one before."""
        self.transcript.select_next_block(step)
        self.show_hints()

    def action_caret(self, move: str) -> None:
        """Move the end of the selection."""
        self.transcript.move_caret(Move(move))

    def action_swap_ends(self) -> None:
        """Go to the other end of the selection."""
        self.transcript.swap_ends()

    def action_whole_lines(self) -> None:
        """Select whole lines, or characters again."""
        self.transcript.toggle_lines()

    def action_copy_selected(self) -> None:
        """Copy what is selected, and select nothing any longer."""
        text = self.transcript.selected_text
        self.action_select_no_more()
        self.app.copy_to_clipboard(text)

    def action_select_no_more(self) -> None:
        """Select nothing any longer."""
        self.transcript.end_selecting()
        self.show_hints()

    def show_hints(self) -> None:
        """Bring the key hints up to date."""
        raise NotImplementedError

    def action_toggle_thinking(self) -> None:
        """Unfold or fold the focused message's thinking."""
        transcript = self.transcript
        item = next((i for i in transcript.items if i.id == transcript.focused_id), None)
        if isinstance(item, AnswerItem) and item.thinking:
            transcript.toggle_thinking(item.id)
        else:
            self.note("there is no thinking in this message")
