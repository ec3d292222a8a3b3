"""A screen with a line for notes, in which what goes wrong is told where it was asked for."""

from __future__ import annotations

from collections.abc import Awaitable

from textual.widgets import Static

from tui_chat.chat.model import Problem
from tui_chat.client.errors import EngineError
from tui_chat.ui.screens.passing import PassingScreen, R


class NotingScreen(PassingScreen[R]):
    """Has a line of the class ``list-note``."""

    async def attempt(self, doing: Awaitable[None]) -> bool:
        """Do something; says whether it is done, and tells what went wrong if it is not."""
        self.note("")
        try:
            await doing
        except EngineError as error:
            self.tell(error.problem)
            return False
        return True

    def tell(self, problem: Problem) -> bool:
        """Show a problem here; False when this screen is gone and somebody else must."""
        if not self.there:
            return False
        self.note(" ".join(part for part in (problem.what, problem.kept, problem.remedy) if part))
        return True

    def note(self, text: str) -> None:
        """Show a line that stays until the next one."""
        self.query_one(".list-note", Static).update(text)
