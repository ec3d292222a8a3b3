"""What stands beside the conversation where there is room for it."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from tui_chat.chat.context import Outcome, Spent
from tui_chat.chat.policy import Policy
from tui_chat.ui import gauge


class ContextPanel(Widget, can_focus=False):
    """The gauge of the context."""

    ALLOW_SELECT = False

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shown: tuple[Spent, Policy, str] | None = None

    def show(self, spent: Spent | None, policy: Policy, outcome: Outcome | None) -> None:
        """Show this from now on; nothing while nobody knows how the window is spent."""
        shown = None if spent is None else (spent, policy, gauge.dropping(outcome))
        if shown != self._shown:
            self._shown = shown
            self.set_class(shown is not None, "-on")
            self.refresh()

    def render(self) -> Content:
        """Draw the gauge."""
        return Content("") if self._shown is None else gauge.panel(*self._shown, width=self.size.width)
