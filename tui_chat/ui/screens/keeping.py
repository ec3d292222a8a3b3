"""What a person does with all the conversations there are: choose one, find a message, and go there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work

from tui_chat.client.changes import Access
from tui_chat.store.errors import StoreError
from tui_chat.ui.goal import Goal
from tui_chat.ui.screens.sessioning import SessionActions

if TYPE_CHECKING:
    from tui_chat.ui.widgets.filtered import Sought


class KeepingActions(SessionActions):
    """The actions of a screen that shows one conversation out of many."""

    @work(group="opening", exclusive=True)
    async def choose_session(self, told: str = "", sought: Sought | None = None) -> None:
        """Let the person pick another session; `told` is what has happened to them, `sought` its name."""
        from tui_chat.ui.screens.sessions import SessionsScreen

        sessions = SessionsScreen(self._workspace, self._conversation, told, sought)
        await self._go(await self.app.push_screen_wait(sessions))

    @work(group="opening", exclusive=True)
    async def action_search(self, words: str = "") -> None:
        """Let the person find a message in all sessions, beginning with `words`."""
        from tui_chat.ui.screens.searching import SearchScreen

        await self._go(await self.app.push_screen_wait(SearchScreen(self._workspace.collection, words)))

    def action_statistics(self) -> None:
        """Show what the session on the screen has cost."""
        from tui_chat.ui.screens.statistics import StatisticsScreen

        if self._conversation is not None:
            self.app.push_screen(StatisticsScreen(self._conversation.session, self._presenter.name_of))

    async def _go(self, goal: Goal | None) -> None:
        """Open the session, unless it is the one on the screen, and show the message."""
        if goal is None:
            return
        if self._conversation is None or goal.session != self._conversation.session.id:
            if not await self._may_leave():
                return
            try:
                conversation = await self._workspace.open(goal.session)
            except StoreError as error:
                self._presenter.notice(error.problem)
                return
            self.prompt.put("", ())
            await self._show(conversation)
        if goal.message is not None:
            self.call_after_refresh(self._show_message, goal.message)  # it has a size by then

    @work(group="branching")
    async def _show_message(self, id: str) -> None:
        """Put the keyboard on a message, on whatever branch it is."""
        conversation = self._conversation
        if conversation is None or id not in conversation.tree or conversation.tree.is_removed(id):
            self.note("that message has been deleted meanwhile")
            return
        shown = id in {message.id for message in conversation.tree.path()}
        if not shown and conversation.access is Access.FOLLOWER:
            self.note("it is on another branch, which can only be shown where this session can be changed")
            return
        await self.go_to(id)
        self.set_focus(self.transcript)
