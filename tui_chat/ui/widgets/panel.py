"""Panels: one under the other beside the conversation; chosen, moved, folded and made wider by key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.widget import Widget

from tui_chat.store.arrangement import Arrangement
from tui_chat.ui.command import Place
from tui_chat.ui.keys import Keyed
from tui_chat.ui.panels import Panel


class Section(Widget, can_focus=False):
    """The place of one panel, as high as what it shows; which panel that is can change."""

    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__()
        self._panel: Panel | None = None
        self._folded = False
        self._drawn: tuple[int, Content] | None = None

    def show(self, panel: Panel | None, *, folded: bool = False) -> None:
        """Show this from now on, or one line of it; nothing if it is None."""
        same = self._folded == folded and _same(self._panel, panel)
        self._panel, self._folded = panel, folded
        if same:
            return
        self._drawn = None
        self.set_class(panel is not None, "-on")
        if panel is not None:
            width = self.size.width
            self.refresh(layout=self.get_content_height(self.size, self.size, width) != self.size.height)

    def _content(self, width: int) -> Content:
        if self._drawn is None or self._drawn[0] != width:
            self._drawn = (width, self._draw(self._panel, width) if self._panel is not None else Content(""))
        return self._drawn[1]

    def _draw(self, panel: Panel, width: int) -> Content:
        return one_line(panel, width) if self._folded else panel.draw(width)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many lines as there are in `width` cells."""
        return self._content(width).plain.count("\n") + 1

    def render(self) -> Content:
        """Draw it."""
        return self._content(self.size.width)


def _same(one: Panel | None, other: Panel | None) -> bool:
    if one is None or other is None:
        return one is other
    return (one.title, one.gist, one.facts) == (other.title, other.gist, other.facts)


def one_line(panel: Panel, width: int) -> Content:
    """Draw a folded panel: its title, and what matters most of it as far as there is room."""
    gist = list(panel.gist)
    room = width - len(panel.title) - 4
    while len(gist) > 1 and len(" · ".join(gist)) > room:
        gist.pop()
    told = Content.styled(" · ".join(gist), "$foreground").truncate(max(0, room), ellipsis=True)
    gap = max(1, room - told.cell_length + 1)
    return Content.assemble(("▸ ", "$muted"), (panel.title, "bold"), " " * gap, told)


class Panels(Keyed, VerticalScroll, inherit_bindings=False):
    """All panels; those without anything to show take no room. While it has the focus, they are arranged.

    Places stay where they are, and show the panels in the order that they are arranged in.
    """

    own_places = (Place.PANELS,)
    FOCUS_ON_CLICK = False

    class Arranged(Message):
        """The panels are arranged in another way."""

        def __init__(self, arrangement: Arrangement) -> None:
            super().__init__()
            self.arrangement = arrangement

    def __init__(self, names: Sequence[str], id: str | None = None) -> None:
        """Make room for the panels called `names`, in their usual order."""
        super().__init__(id=id)
        self._names = tuple(names)
        self._panels: dict[str, Panel | None] = {}
        self._arrangement = Arrangement()
        self._chosen = ""

    def compose(self) -> ComposeResult:
        """Lay out their places."""
        for _ in self._names:
            yield Section()

    def show(self, panels: Mapping[str, Panel | None]) -> None:
        """Show these from now on; others stay as they are."""
        self._panels.update(panels)
        self._lay_out()

    def arrange_as(self, arrangement: Arrangement) -> None:
        """Arrange the panels like this from now on."""
        self._arrangement = arrangement
        self._lay_out()

    @property
    def shown(self) -> list[str]:
        """The names of the panels that show something, in order."""
        return [name for name in self._arrangement.ordered(self._names) if self._panels.get(name)]

    def _lay_out(self) -> None:
        folded, shown = self._arrangement.folded, self.shown
        close = {upper for upper, lower in pairwise(shown) if upper in folded and lower in folded}
        if self._chosen not in shown:
            self._chosen = shown[0] if shown else ""
        for section, name in zip(self.query(Section), self._arrangement.ordered(self._names), strict=True):
            section.show(self._panels.get(name), folded=name in folded)
            section.set_class(name == self._chosen, "-chosen")
            section.set_class(name in close, "-close")
        self.set_class(bool(shown), "-on")

    # Arranging

    def begin(self) -> None:
        """Move the keyboard here, to the topmost panel; at once, as keys of the same burst may follow."""
        self._chosen = self.shown[0]
        self._lay_out()
        self._reveal()
        self.screen.set_focus(self)

    def action_choose(self, step: int) -> None:
        """Go to the panel above or below."""
        if name := self._neighbour(step):
            self._chosen = name
            self._lay_out()
            self._reveal()

    def action_move(self, step: int) -> None:
        """Swap the panel with the one above or below."""
        if past := self._neighbour(step):
            self._change(self._arrangement.moved(self._chosen, past, self._names))

    def action_fold(self) -> None:
        """Fold the panel, or unfold it."""
        self._change(self._arrangement.turned(self._chosen))

    def action_reset(self) -> None:
        """Arrange them as usual."""
        self._change(Arrangement())

    def _neighbour(self, step: int) -> str:
        """The name of the panel that many places away; "" beyond the ends."""
        shown = self.shown
        to = shown.index(self._chosen) + step if self._chosen in shown else -1
        return shown[to] if 0 <= to < len(shown) else ""

    def _change(self, arrangement: Arrangement) -> None:
        if arrangement != self._arrangement:
            self.arrange_as(arrangement)
            self.post_message(self.Arranged(arrangement))
            self._reveal()

    def _reveal(self) -> None:
        """Have the whole of the chosen panel in view, once it is laid out; by then it may be gone."""

        def reveal() -> None:
            for section in self.query(".-chosen"):
                section.scroll_visible(animate=False)

        self.call_after_refresh(reveal)


class SidePanel(Panels):
    """A column of panels, as wide as it was made."""

    def arrange_as(self, arrangement: Arrangement) -> None:
        """Arrange the panels like this from now on."""
        super().arrange_as(arrangement)
        self.styles.width = arrangement.width

    def action_widen(self, cells: int) -> None:
        """Make the panels wider or narrower, up to half of the screen."""
        self._change(self._arrangement.widened(cells, self.screen.size.width // 2))
