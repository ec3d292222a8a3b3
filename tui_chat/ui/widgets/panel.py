"""What stands beside the conversation where there is room for it: panels, one under the other."""

from __future__ import annotations

from collections.abc import Mapping

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from tui_chat.ui.panels import ORDER, Panel


class SidePanel(VerticalScroll, can_focus=False):
    """All panels; those without anything to show take no room."""

    def compose(self) -> ComposeResult:
        """Lay them out in their order."""
        for name in ORDER:
            yield Section(id=f"panel-{name}")

    def show(self, panels: Mapping[str, Panel | None]) -> None:
        """Show these from now on."""
        for name, panel in panels.items():
            self.query_one(f"#panel-{name}", Section).show(panel)
        self.set_class(any(panels.values()), "-on")


class Section(Widget, can_focus=False):
    """One panel, as high as what it shows."""

    ALLOW_SELECT = False

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._panel: Panel | None = None
        self._drawn: tuple[int, Content] | None = None

    def show(self, panel: Panel | None) -> None:
        """Show this from now on; nothing if it is None."""
        before, self._panel = self._panel, panel
        if before is not None and panel is not None and before.facts == panel.facts:
            return
        self._drawn = None
        self.set_class(panel is not None, "-on")
        if panel is not None:
            width = self.size.width
            self.refresh(layout=self.get_content_height(self.size, self.size, width) != self.size.height)

    def _content(self, width: int) -> Content:
        if self._drawn is None or self._drawn[0] != width:
            self._drawn = (width, self._panel.draw(width) if self._panel is not None else Content(""))
        return self._drawn[1]

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many lines as there are in `width` cells."""
        return self._content(width).plain.count("\n") + 1

    def render(self) -> Content:
        """Draw it."""
        return self._content(self.size.width)
