"""The transcript widget: items to show, streaming into them, moving between them, and selection."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Offset
from textual.selection import Selection

from tui_chat.ui.transcript import messages
from tui_chat.ui.transcript.fences import code_blocks
from tui_chat.ui.transcript.flushing import Flusher
from tui_chat.ui.transcript.items import AnswerItem, DividerItem, Item, text_of
from tui_chat.ui.transcript.marks import Marks
from tui_chat.ui.transcript.selection import extract, place, word_at
from tui_chat.ui.transcript.text import clean
from tui_chat.ui.transcript.viewport import Viewport
from tui_chat.wire.events import Channel


class Transcript(Viewport, can_focus=True):
    """A conversation of any length, as quick as an empty one.

    Args:
        fps: How often streamed text is shown, per second; fewer over a slow line.
        id: The widget's id.
        classes: The widget's classes.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+up,[", "focus_previous", "Previous message", show=False),
        Binding("ctrl+down,]", "focus_next", "Next message", show=False),
        Binding("g", "scroll_home", "Beginning", show=False),
        Binding("G", "scroll_end", "End", show=False),
        Binding("space", "toggle_focused", "Fold or unfold thinking", show=False),
    ]

    Following = messages.Following
    Focused = messages.Focused

    def __init__(self, *, fps: float = 30, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._flusher = Flusher(self, fps, self._flush)

    def stream_at(self, fps: float) -> None:
        """Show streamed text so many times a second from now on, at most."""
        self._flusher.flush_at(fps)

    # What is shown

    @property
    def items(self) -> list[Item]:
        """The items as they are now, with all the text streamed into them."""
        return [self._entries.current(item.id) for item in self._entries.items]

    @property
    def focused_id(self) -> str | None:
        """The id of the message the keyboard is on, if it is on one."""
        return self._focused

    def shows(self, id: str) -> bool:
        """Whether there is an item of this id."""
        return self._entries.known(id)

    def set_items(self, items: Iterable[Item], *, follow: bool = True) -> None:
        """Show other items; those that are the same at the same place stay rendered.

        Args:
            items: What to show, oldest first, each with an id of its own.
            follow: Whether to go to the end; otherwise the view stays where it is.
        """
        self._flusher.drain()
        self._entries.replace_all(items)
        if self._focused is not None and not self._entries.known(self._focused):
            self._focus_on(None)
        self._follow = follow or self._follow
        self._unseen = False
        self._changed()

    def append(self, item: Item) -> None:
        """Add an item at the end."""
        self._entries.append(item)
        self._unseen = not self._follow
        self._changed()

    def update(self, item: Item) -> None:
        """Replace the item of the same id, and all that was streamed into it."""
        self._flusher.drop(item.id)
        with self._held():
            self._entries.update(item)

    def stream(self, id: str, text: str, channel: Channel = Channel.ANSWER) -> None:
        """Add text to an answer that is being generated; it is shown with the next flush."""
        self._flusher.add(id, text, channel)

    def flush(self) -> None:
        """Show streamed text that waits for the next flush, now."""
        self._flusher.drain()

    def phase(self, id: str, phase: str) -> None:
        """Say what an answer is waiting for (`reading 5,930 tokens 41 %, 2 s left`)."""
        live = self._entries.live(id)
        if live is not None:
            with self._held():
                live.phase(phase)
                self._entries.grown(id)

    def settle(self, item: AnswerItem) -> None:
        """Show an answer as it ended."""
        self._flusher.drop(item.id)
        with self._held():
            self._entries.settle(item)

    def toggle_thinking(self, id: str) -> None:
        """Unfold what a model thought before an answer, or fold it again."""
        top = self._entries.layout.top(self._entries.index(id)) - self.scroll_offset.y
        self._entries.unfold(id, not self._entries.unfolded(id))
        self._follow = self._follow and self._entries.index(id) == len(self._entries) - 1 and top < 0
        self._changed()

    def text_of(self, id: str) -> str:
        """Return the whole text of an item, as a user would copy it."""
        return clean(text_of(self._entries.current(id)))

    def code_blocks(self, id: str) -> list[str]:
        """Return the code blocks of an item's text, without fences."""
        return code_blocks(self.text_of(id))

    # Moving

    def show_item(self, id: str) -> None:
        """Scroll until an item is in view, at least its beginning."""
        index = self._entries.index(id)
        lines = len(self._entries.lines(index))
        top = self._entries.layout.top(index)
        start = self.scroll_offset.y
        if top < start or lines > self._height:
            self._go_to(top)
        elif top + lines > start + self._height:
            self._go_to(top + lines - self._height)

    @property
    def top_id(self) -> str | None:
        """The id of the first item in view."""
        entries = self._entries
        return entries.items[entries.layout.at(self.scroll_offset.y)].id if entries else None

    def show_match(self, id: str, pattern: re.Pattern[str], number: int) -> None:
        """Mark what `pattern` finds, put the keyboard on an item, and scroll to the match in it.

        `number` of its text's matches come before that one. Where fewer are to be seen, because Markdown is
        rendered or a line ends within one, it is the last of them.
        """
        index = self._entries.index(id)
        marks = Marks(pattern, id)
        lines = self._entries.lines(index)
        seen = [(at, start) for at, line in enumerate(lines) if at for start, _ in marks.in_line(line)]
        line, start = seen[min(number, len(seen) - 1)] if seen else (0, 0)
        self._marks = replace(marks, line=line, start=start)
        self._focus_on(id)
        y = self._entries.layout.top(index) + line
        if not self.scroll_offset.y <= y < self.scroll_offset.y + self._height:
            self._go_to(y - self._height // 3)
        self.refresh()

    def unmark(self) -> None:
        """Mark nothing any longer."""
        self._marks = None
        self.refresh()

    def focus_previous(self) -> None:
        """Move the keyboard to the message above."""
        self._focus_step(-1)

    def focus_next(self) -> None:
        """Move the keyboard to the message below; beyond the last one, off all of them."""
        self._focus_step(1)

    def focus_message(self, id: str | None) -> None:
        """Put the keyboard on a message, or on none."""
        self._focus_on(id)
        if id is not None:
            self.show_item(id)

    def action_focus_previous(self) -> None:
        """Move to the message above."""
        self.focus_previous()

    def action_focus_next(self) -> None:
        """Move to the message below."""
        self.focus_next()

    def action_toggle_focused(self) -> None:
        """Fold or unfold the thinking of the focused message."""
        if self._focused is not None:
            self.toggle_thinking(self._focused)

    def action_toggle_thinking(self, id: str) -> None:
        """Fold or unfold the thinking of a message; what a click on its line does."""
        self.toggle_thinking(id)

    # Selection

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the selected text as it is rendered; long unseen stretches as they were written."""
        entries = self._entries
        if not entries:
            return None
        first = place(selection.start.y)[0] if selection.start else 0
        last = place(selection.end.y)[0] if selection.end else len(entries) - 1
        out: list[str] = []
        for index in range(first, min(last, len(entries) - 1) + 1):
            whole = first < index < last or selection == Selection(None, None)
            if whole and entries.rendered(index) is None:
                out += [text_of(entries.items[index]), ""]
            else:
                out += extract(entries.lines(index), selection, index)
        return "\n".join(out), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Paint the selection."""
        self.refresh()

    async def on_click(self, event: events.Click) -> None:
        """Select a word on a double click, its line on a triple one."""
        if event.chain < 2 or not self.screen.allow_select:
            return
        event.prevent_default()
        event.stop()
        offset = self.screen.get_widget_and_offset_at(event.screen_x, event.screen_y)[1]
        line = self._line(place(offset.y)) if offset else None
        if offset is None or line is None:
            return
        span = (0, len(line.text)) if event.chain > 2 else word_at(line.text, offset.x)
        if span is not None:
            self.screen.selections = {self: Selection(Offset(span[0], offset.y), Offset(span[1], offset.y))}

    # Streaming

    def _flush(self, id: str, text: str, thinking: str) -> None:
        live = self._entries.live(id) if self._entries.known(id) else None
        if live is None:
            return
        layout, index = self._entries.layout, self._entries.index(id)
        head, start = live.head, self.scroll_offset.y
        inside = start >= layout.top(index) + head
        same = live.feed(text, thinking)
        grew = self._entries.grown(id)
        if not self._follow:
            self._unseen = True
            if inside and live.head != head:
                self._set_scroll(start + live.head - head)
        self._place()
        if self.scroll_offset.y == start:
            self._repaint(layout.top(index) + same - start, len(live.lines) - same, bool(grew))

    # The focused message

    def _focus_step(self, step: int) -> None:
        entries = self._entries
        layout = entries.layout
        if self._focused is not None:
            index = entries.index(self._focused) + step
        elif self._follow and step > 0:
            return
        elif step < 0:
            index = layout.at(min(layout.total - 1, self.scroll_offset.y + self._height - 1))
        else:
            index = layout.at(self.scroll_offset.y)
        while 0 <= index < len(entries) and _is_passed(entries.items[index]):
            index += step
        if 0 <= index < len(entries):
            self.focus_message(entries.items[index].id)
        elif step > 0:
            self._focus_on(None)
            self.follow_end()

    def _focus_on(self, id: str | None) -> None:
        if id != self._focused:
            self._focused = id
            self.post_message(messages.Focused(id))
            self.refresh()


def _is_passed(item: Item) -> bool:
    """Whether there is nothing to do at an item for whoever goes from one to the next."""
    return isinstance(item, DividerItem) and not item.stop
