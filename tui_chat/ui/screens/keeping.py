"""What a person does with all the conversations there are: choose one, and go to a place in it."""

from __future__ import annotations

from textual import work

from tui_chat.store.errors import StoreError
from tui_chat.ui.goal import Goal
from tui_chat.ui.screens.sessioning import SessionActions


class KeepingActions(SessionActions):
    """The actions of a screen that shows one conversation out of many."""

    @work(group="opening", exclusive=True)
    async def choose_session(self) -> None:
        """Let the person pick another session."""
        from tui_chat.ui.screens.sessions import SessionsScreen

        chosen = await self.app.push_screen_wait(SessionsScreen(self._workspace, self._conversation))
        if chosen is not None:
            await self._go(chosen)

    async def _go(self, goal: Goal) -> None:
        """Open the session, unless it is the one on the screen."""
        if self._conversation is not None and goal.session == self._conversation.session.id:
            return
        if not await self._may_leave():
            return
        try:
            conversation = await self._workspace.open(goal.session)
        except StoreError as error:
            self._presenter.notice(error.problem)
            return
        self.prompt.put("")
        await self._show(conversation)
