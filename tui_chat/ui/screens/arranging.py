"""Arranging the panels beside the conversation; where it is too narrow for them, they come for as long."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from textual import on

from tui_chat.store.arrangement import ArrangementFile
from tui_chat.ui.arranged import ArrangementKeeper
from tui_chat.ui.screens.completing import CompletingActions
from tui_chat.ui.widgets.panel import Panels, SidePanel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui_chat.ui.panels import Panel


class ArrangingActions(CompletingActions):
    """The actions of a screen with panels beside its conversation."""

    @property
    def side_panel(self) -> SidePanel:
        """The panels."""
        return self.query_one("#chat-panel", SidePanel)

    def show_panels(self, panels: Mapping[str, Panel | None]) -> None:
        """Show the panels; when there is nothing left to show, nothing can be arranged."""
        self.side_panel.show(panels)
        if self.arranging and not self.side_panel.shown:
            self.set_focus(self.prompt)

    @property
    def arranging(self) -> bool:
        """Whether keys go to the panels."""
        return self.focused is self.side_panel

    @cached_property
    def _arrangements(self) -> ArrangementKeeper:
        return ArrangementKeeper(ArrangementFile(self._workspace.paths.state / "panels" / "chat.json"))

    async def _arrange_as_before(self) -> None:
        self.side_panel.arrange_as(await self._arrangements.read())

    @on(Panels.Arranged)
    def _arranged(self, event: Panels.Arranged) -> None:
        self._arrangements.keep(event.arrangement)

    def arrange_panels(self) -> None:
        """Move the keyboard to the panels, or back to the input."""
        if self.arranging:
            self.set_focus(self.prompt)
        elif self.side_panel.shown:
            self.side_panel.begin()
        else:
            self.note("there is nothing to show beside the conversation yet")
