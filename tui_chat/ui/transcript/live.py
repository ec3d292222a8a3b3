"""An answer while it streams: its lines, of which only the open tail is rendered again."""

from __future__ import annotations

from msgspec.structs import replace

from tui_chat.ui.transcript.blocks import Block, BlockStream, document, may_refer, whole
from tui_chat.ui.transcript.frames import WINDOW, answer_block, answer_foot, answer_head
from tui_chat.ui.transcript.items import AnswerItem
from tui_chat.ui.transcript.lines import BLANK, Line
from tui_chat.ui.transcript.palette import Palette
from tui_chat.ui.transcript.text import clean


class LiveAnswer:
    """The growing lines of one answer.

    Attributes:
        lines: All its lines, changed in place.
        head: How many of them are header and thinking.
        stable: How many of them no further text can change.
    """

    def __init__(self, item: AnswerItem, width: int, palette: Palette, unfolded: bool = False) -> None:
        self._item = replace(item, text="", thinking="")
        self._text, self._thinking = item.text, item.thinking
        self._unfolded = unfolded
        self.resize(width, palette)

    @property
    def item(self) -> AnswerItem:
        """The item with all the text streamed so far."""
        return replace(self._item, text=self._text, thinking=self._thinking)

    def feed(self, text: str, thinking: str = "") -> int:
        """Add text of the answer, or of the thinking; return how many lines, from the first, stayed."""
        if self._item.phase:
            self._item = replace(self._item, phase="")
        heads = bool(thinking) or (bool(text) and not self._text.strip())
        self._text += text
        self._thinking += thinking
        before = [] if heads else self.lines[self.stable :]
        start = self.stable
        if text:
            self._advance(text)
        else:
            self._show_open()
        if heads:
            self._show_head()
            return 0
        same = 0
        for old, new in zip(before, self.lines[start:], strict=False):
            if old is not new and old != new:
                break
            same += 1
        return start + same

    def phase(self, phase: str) -> int:
        """Say what is being waited for; return how many lines, from the first, stayed."""
        self._item = replace(self._item, phase=phase)
        self._show_open()
        return self.stable

    def unfold(self, unfolded: bool) -> None:
        """Show the thinking in full, or not."""
        self._unfolded = unfolded
        self._show_head()

    def resize(self, width: int, palette: Palette) -> None:
        """Render everything, at a new width or in new colours."""
        self._width, self._palette = width, palette
        self._stream = BlockStream()
        self._closed: dict[Block, list[Line]] = {}
        self._open: dict[Block, list[Line]] = {}
        self._opened: list[Block] = []
        self._order: list[Block] = []
        self._held = ""
        self.lines: list[Line] = []
        self.head = self.stable = 0
        self._advance(self._text)
        self._show_head()

    def settle(self, item: AnswerItem) -> list[Line]:
        """Return the lines of the finished answer, rendering only what its end has changed.

        That is what link references resolve, and fences that were highlighted in parts.
        """
        same = item.text == self._text and not may_refer(item.text)
        blocks, references = (
            (whole([*self._order, *self._opened]), {}) if same else document(clean(item.text))
        )
        known = {} if references else {**self._closed, **self._open}
        lines = answer_head(item, self._width, self._palette, self._unfolded)
        for block in blocks:
            lines += known.get(block) or answer_block(block, self._width, self._palette, references)
        return [*lines, *answer_foot(item, self._width, self._palette), BLANK]

    def _advance(self, text: str) -> None:
        text = self._held + text
        self._held = "\r" if text.endswith("\r") else ""
        closed, opened = self._stream.feed(clean(text.removesuffix("\r") if self._held else text))
        del self.lines[self.stable :]
        for block in closed:
            lines = self._open.get(block) or answer_block(block, self._width, self._palette)
            self._closed[block] = lines
            self._order.append(block)
            self.lines += lines
        self.stable = len(self.lines)
        self._opened = opened
        self._open = {
            block: self._open.get(block) or answer_block(block, self._width, self._palette)
            for block in opened
        }
        self._show_open()

    def _show_open(self) -> None:
        del self.lines[self.stable :]
        for block in self._opened:
            self.lines += self._open[block]
        self.lines += answer_foot(self._item, self._width, self._palette)
        self.lines.append(BLANK)

    def _show_head(self) -> None:
        thinking = self._thinking
        if not self._unfolded:
            thinking = thinking[-2 * WINDOW * self._width :]
            thinking = thinking if thinking.strip() else self._thinking
        glimpse = replace(self._item, text=self._text, thinking=thinking)
        head = answer_head(glimpse, self._width, self._palette, self._unfolded)
        self.lines[: self.head] = head
        self.stable += len(head) - self.head
        self.head = len(head)
