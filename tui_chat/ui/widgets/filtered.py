"""A list that is narrowed by typing: the input keeps the focus, arrows move in the list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, NamedTuple, TypeVar

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tui_chat.ui.command import Place
from tui_chat.ui.fuzzy import ranked
from tui_chat.ui.keys import Keyed

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Row(Generic[T]):
    """One thing to choose: what the filter looks at, and how it is drawn in a given width.

    Each of `names` is its whole name, as `id` is: what is sought by one of them is chosen at once.
    """

    id: str
    thing: T
    words: str
    draw: Callable[[int], Content]
    names: tuple[str, ...] = ()


class Sought(NamedTuple):
    """What a list is opened for: `typed` narrows it, and `missed` is called if nothing there is like it."""

    typed: str
    missed: Callable[[], None]


Narrow = Callable[[str, Sequence[Row[Any]]], list[Row[Any]]]
"""Gives the rows that match what was typed, in the order to show them."""


def containing(typed: str, rows: Sequence[Row[Any]]) -> list[Row[Any]]:
    """Keep the rows that contain every word typed, in their order."""
    wanted = typed.casefold().split()
    return [r for r in rows if all(word in r.words.casefold() for word in wanted)]


def fuzzy(typed: str, rows: Sequence[Row[Any]]) -> list[Row[Any]]:
    """Keep the rows that have the letters of every word typed in order, the best match first."""
    return ranked(typed, ((r.words, r) for r in rows))


class _Filter(Keyed, Input):
    """An input whose keys move in the list, and that leaves some printable ones to the screen around it."""

    own_places = (Place.LISTS,)

    def __init__(self, placeholder: str, typed: str, leaves: frozenset[str], options: OptionList) -> None:
        super().__init__(typed, placeholder=placeholder, compact=True, select_on_focus=False)
        self._leaves = leaves
        self._options = options

    async def _on_key(self, event: events.Key) -> None:
        await self.ran_here_or_around(event)

    def action_cursor_up(self) -> None:
        """To the row above."""
        self._options.action_cursor_up()

    def action_cursor_down(self) -> None:
        """To the row below."""
        self._options.action_cursor_down()

    def action_page_up(self) -> None:
        """A page up."""
        self._options.action_page_up()  # type: ignore[no-untyped-call]

    def action_page_down(self) -> None:
        """A page down."""
        self._options.action_page_down()  # type: ignore[no-untyped-call]

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Say which keys are text here; a key that is not goes to the bindings."""
        return key not in self._leaves and super().check_consume_key(key, character)


class FilteredList(Vertical, Generic[T]):
    """Input above, matching rows below."""

    class Chosen(Message):
        """A row was clicked."""

    class Typed(Message):
        """What is in the input has changed."""

    def __init__(
        self,
        placeholder: str,
        narrow: Narrow = containing,
        leaves: Iterable[str] = (),
        sought: Sought | None = None,
    ) -> None:
        """Make it empty.

        Args:
            placeholder: Stands in the empty input.
            narrow: Finds the rows for what was typed.
            leaves: Printable keys that are no part of a filter but the screen's own.
            sought: What is looked for from the beginning; by its whole name it is chosen at once.
        """
        super().__init__()
        self._placeholder = placeholder
        self._leaves = frozenset(leaves)
        self._matching = narrow
        self._sought = sought
        self._rows: Sequence[Row[T]] = ()
        self._shown: list[Row[T]] = []
        self._width = 80

    def compose(self) -> ComposeResult:
        """Lay out input, list, and what stands there when the list is empty."""
        options = OptionList(markup=False, compact=True)
        options.can_focus = False
        with Horizontal(classes="list-filter"):
            yield Static("› ", classes="list-mark")  # noqa: RUF001
            yield _Filter(
                self._placeholder, self._sought.typed if self._sought else "", self._leaves, options
            )
        yield options
        yield Static("", classes="list-empty", markup=False)

    def on_mount(self) -> None:
        """Typing filters at once."""
        self.query_one(Input).focus()
        self.app.theme_changed_signal.subscribe(self, lambda theme: self._narrow())

    def show(self, rows: Sequence[Row[T]], empty: str | Content, at: str | None = None) -> None:
        """Show `rows`; `empty` stands there when there is none.

        The row with the id `at` is highlighted, or else the one that was.
        """
        self._rows = rows
        self.query_one(".list-empty", Static).update(empty)
        called = self._called() if rows and self._sought else None
        self._narrow(called or at)
        if called:
            self.post_message(self.Chosen())

    def _called(self) -> str | None:
        """The id of the only row that has the name sought; where none is like it, the list goes again."""
        assert self._sought is not None
        sought, self._sought = self._sought, None
        near = self._matching(sought.typed, self._rows)
        if not near:
            self.screen.dismiss(None)
            sought.missed()
        name = sought.typed.casefold()
        called = [row.id for row in near if name in {each.casefold() for each in (row.id, *row.names)}]
        return called[0] if len(called) == 1 else None

    @property
    def ids(self) -> list[str]:
        """The rows there are, shown or not."""
        return [row.id for row in self._rows]

    def redraw(self, id: str, draw: Callable[[int], Content], thing: T | None = None) -> None:
        """Draw one row in another way, and have it mean `thing` if that is given; it stays where it is."""

        def renewed(row: Row[T]) -> Row[T]:
            return replace(row, draw=draw, thing=row.thing if thing is None else thing)

        self._rows = [renewed(r) if r.id == id else r for r in self._rows]
        for at, shown in enumerate(self._shown):
            if shown.id == id:
                self._shown[at] = renewed(shown)
                self.query_one(OptionList).replace_option_prompt_at_index(at, draw(self._width))

    @property
    def typed(self) -> str:
        """What is in the input."""
        return self.query_one(Input).value

    @property
    def current(self) -> Row[T] | None:
        """The highlighted row."""
        at = self.query_one(OptionList).highlighted
        return self._shown[at] if at is not None and at < len(self._shown) else None

    def on_resize(self) -> None:
        """Rows are drawn for a width."""
        self._narrow()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._narrow(keep=False)
        self.post_message(self.Typed())

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.post_message(self.Chosen())

    def _fitted(self) -> list[Content]:
        """Draw the rows for the width there is, which is less where a scroll bar is needed."""
        region = self.query_one(OptionList).content_region
        self._width = max(20, region.width or self.size.width)
        drawn = [row.draw(self._width) for row in self._shown]
        if sum(each.plain.count("\n") + 1 for each in drawn) > region.height:
            self._width -= 1
            drawn = [row.draw(self._width) for row in self._shown]
        return drawn

    def _narrow(self, at: str | None = None, *, keep: bool = True) -> None:
        if not self._is_whole:
            return
        options = self.query_one(OptionList)
        was = at or (self.current.id if keep and self.current else None)
        self._shown = self._matching(self.typed, self._rows)
        drawn = self._fitted()
        options.clear_options()
        options.add_options([Option(each, id=row.id) for each, row in zip(drawn, self._shown, strict=True)])
        if self._shown:
            ids = [row.id for row in self._shown]
            options.highlighted = ids.index(was) if was in ids else 0
        if options.display != bool(self._shown):
            options.display = bool(self._shown)
            self.call_after_refresh(self._narrow)  # only then is it known how much room it has
        self.query_one(".list-empty", Static).set_class(not self._shown, "-on")

    @property
    def _is_whole(self) -> bool:
        """Whether all its parts are there; one after the other, they come with the screen, and go with it."""
        return all(self.query(part) for part in (Input, OptionList, ".list-empty"))


def columns(width: int, left: Content, right: Content) -> Content:
    """Put `left` and `right` at the two ends of a row; the left gives way."""
    room = width - right.cell_length - 2
    if left.cell_length > room:
        left = left.truncate(max(0, room), ellipsis=True)
    return Content.assemble(left, " " * max(1, width - left.cell_length - right.cell_length), right)
