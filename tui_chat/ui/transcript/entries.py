"""The entries of the transcript: items, their heights, and the lines of those rendered lately."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence

from tui_chat.ui.transcript.frames import render_item
from tui_chat.ui.transcript.items import AnswerItem, Item, height_of
from tui_chat.ui.transcript.layout import Layout
from tui_chat.ui.transcript.lines import Line
from tui_chat.ui.transcript.live import LiveAnswer
from tui_chat.ui.transcript.palette import Palette

KEPT = 300
"""Entries whose lines are kept; the others are rendered again when they come into view."""


class Entries:
    """Items in order, each with a height, estimated until the item is rendered.

    Attributes:
        items: What is shown, oldest first.
        layout: Where each stands.
    """

    def __init__(self, palette: Palette) -> None:
        self.items: list[Item] = []
        self.layout = Layout()
        self._index: dict[str, int] = {}
        self._lines: OrderedDict[int, list[Line]] = OrderedDict()
        self._live: dict[str, LiveAnswer] = {}
        self._unfolded: set[str] = set()
        self._width = 80
        self._palette = palette

    def __len__(self) -> int:
        return len(self.items)

    def index(self, id: str) -> int:
        """Return where an item stands; raises KeyError for an id that is not here."""
        return self._index[id]

    def known(self, id: str) -> bool:
        """Return whether there is an item of this id."""
        return id in self._index

    def restyle(self, width: int, palette: Palette) -> bool:
        """Render for another width or palette from now on; return whether that changes anything."""
        if (width, palette) == (self._width, self._palette):
            return False
        narrower = width != self._width
        self._width, self._palette = width, palette
        self._lines.clear()
        for live in self._live.values():
            live.resize(width, palette)
        if narrower:
            self._estimate()
        return True

    def replace_all(self, items: Iterable[Item]) -> None:
        """Show other items; what is the same at the same place stays rendered."""
        old, self.items = self.items, list(items)
        kept = {
            index: lines
            for index, lines in self._lines.items()
            if index < len(self.items) and self.items[index] == old[index] and old[index].id not in self._live
        }
        self._index = {item.id: index for index, item in enumerate(self.items)}
        self._live = {key: live for key, live in self._live.items() if key in self._index}
        self._unfolded &= self._index.keys()
        self._lines = OrderedDict(kept)
        self._estimate()

    def append(self, item: Item) -> None:
        """Show one more item at the end."""
        self._index[item.id] = len(self.items)
        self.items.append(item)
        self.layout.append(height_of(item, self._width))

    def update(self, item: Item) -> int:
        """Replace the item of the same id; return its index."""
        index = self._index[item.id]
        self.items[index] = item
        self._live.pop(item.id, None)
        self._lines.pop(index, None)
        self.layout.resize(index, height_of(item, self._width))
        return index

    def live(self, id: str) -> LiveAnswer | None:
        """Return the growing answer of this id, made from its item if it is being generated."""
        live = self._live.get(id)
        if live is None:
            item = self.items[self._index[id]]
            if not isinstance(item, AnswerItem) or item.finish is not None:
                return None
            live = self._live[id] = LiveAnswer(item, self._width, self._palette, id in self._unfolded)
            self.grown(id)
        return live

    def grown(self, id: str) -> int:
        """Take over the height of a growing answer; return by how many lines it changed."""
        index = self._index[id]
        before = self.layout.height(index)
        lines = self._live[id].lines
        self._lines[index] = lines
        self.layout.resize(index, len(lines))
        return len(lines) - before

    def settle(self, item: AnswerItem) -> int:
        """Finish a growing answer; return its index."""
        index = self._index[item.id]
        live = self._live.pop(item.id, None)
        if live is None:
            return self.update(item)
        self.items[index] = item
        self._keep(index, live.settle(item))
        return index

    def unfold(self, id: str, unfolded: bool) -> None:
        """Show the thinking of an answer in full, or folded."""
        (self._unfolded.add if unfolded else self._unfolded.discard)(id)
        index = self._index[id]
        live = self._live.get(id)
        if live is not None:
            live.unfold(unfolded)
            self.grown(id)
        elif self._lines.pop(index, None) is not None:
            self.lines(index)

    def unfolded(self, id: str) -> bool:
        """Return whether the thinking of an answer is shown in full."""
        return id in self._unfolded

    def rendered(self, index: int) -> list[Line] | None:
        """Return an entry's lines if they are at hand."""
        return self._lines.get(index)

    def lines(self, index: int) -> list[Line]:
        """Return an entry's lines, rendering them if need be, and learn its true height."""
        lines = self._lines.get(index)
        if lines is None:
            item = self.items[index]
            live = self._live.get(item.id)
            lines = (
                live.lines
                if live
                else render_item(item, self._width, self._palette, item.id in self._unfolded)
            )
            self._keep(index, lines)
        else:
            self._lines.move_to_end(index)
        return lines

    def forget(self, visible: Sequence[int]) -> None:
        """Let go of the lines least lately seen, but of none that is visible."""
        spare = len(self._lines) - KEPT
        if spare <= 0:
            return
        for index in [index for index in self._lines if index not in visible][:spare]:
            del self._lines[index]

    def current(self, id: str) -> Item:
        """Return an item as it is now, with all the text streamed into it."""
        live = self._live.get(id)
        return live.item if live else self.items[self._index[id]]

    def _keep(self, index: int, lines: list[Line]) -> None:
        self._lines[index] = lines
        self._lines.move_to_end(index)
        self.layout.resize(index, len(lines))

    def _estimate(self) -> None:
        width = self._width
        lines = self._lines
        self.layout = Layout(
            len(lines[index]) if index in lines else height_of(item, width)
            for index, item in enumerate(self.items)
        )
        for live in self._live:
            self.grown(live)
