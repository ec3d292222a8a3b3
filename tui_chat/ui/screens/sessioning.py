"""Which session is on the screen: another one, a new one, a copy, and what was being typed in each."""

from __future__ import annotations

import asyncio
from functools import cached_property
from typing import TYPE_CHECKING

from textual import work

from tui_chat.store.errors import StoreError
from tui_chat.ui.draft import DraftKeeper
from tui_chat.ui.screens.instructing import InstructingActions

if TYPE_CHECKING:
    from tui_chat.chat.attachments import Attachment
    from tui_chat.client.conversation import Conversation
    from tui_chat.ui.opening import Opening


class SessionActions(InstructingActions):
    """The actions of a screen that shows one session at a time, with an input of its own for each."""

    _opened: asyncio.Event
    _asked_to_leave: bool = False

    @cached_property
    def _drafts(self) -> DraftKeeper:
        return DraftKeeper(self._workspace.drafts)

    async def _show(self, conversation: Conversation) -> None:
        """Put another conversation on the screen; the one before is closed, its answer goes on."""
        before, self._conversation = self._conversation, conversation
        if before is not None:
            self._presenter.detach()
            await before.close()
            if before.ephemeral:
                await self._forget_input()
        self._presenter.attach(conversation)
        self._opened.set()
        await self._take_draft()
        self.set_focus(self.prompt)

    async def _forget_input(self) -> None:
        """Have neither undo nor the keys for what was sent bring back words that are kept nowhere."""
        self.prompt.forget()
        self.prompt.past.fill(await asyncio.to_thread(self._workspace.history.read))

    def keep_draft(self, text: str) -> None:
        """Keep what is being typed here; in a chat that is kept nowhere, that is not either."""
        if self._conversation is not None and not self._conversation.ephemeral:
            self._drafts.keep(self._draft_key, text)

    def keep_attachments(self, attachments: tuple[Attachment, ...]) -> None:
        """Keep what is attached to it, likewise."""
        if self._conversation is not None and not self._conversation.ephemeral:
            self._drafts.keep_attachments(self._draft_key, attachments)

    async def _take_draft(self) -> None:
        if self._conversation is None or self._conversation.ephemeral:
            return
        draft = await self._drafts.read(self._draft_key)
        if draft and not self.prompt.text:
            self.prompt.put(draft)
        attachments = await self._drafts.read_attachments(self._draft_key)
        if attachments and not self.prompt.attachments:
            self.prompt.attach(attachments)

    async def _replace(self, opening: Opening) -> None:
        from tui_chat.ui.opening import open_conversation

        if not await self._may_leave():
            return
        opened = await open_conversation(self._workspace, opening)
        if opened.problem is None:
            self.prompt.put("", ())
            await self._show(opened.conversation)
            for problem in opened.notes:
                self._presenter.notice(problem)
        else:
            self._presenter.notice(opened.problem)

    async def _may_leave(self) -> bool:
        """Whether the conversation may be left; where nothing of it would remain, the person is asked."""
        from tui_chat.ui.screens.dialogs import PickScreen

        conversation = self._conversation
        if conversation is None or not conversation.ephemeral:
            return True
        session = conversation.session
        if not session.queued and not any(message.said for message in session.messages):
            return True
        ask = PickScreen("This chat is kept nowhere. Close it?", ("Close it; all of it is gone", "Stay here"))
        return await self.app.push_screen_wait(ask) == 0

    def leave_app(self) -> None:
        """Quit; where something would be lost by that, after asking once."""
        if self._asked_to_leave:
            self.app.exit()
        else:
            self._leave_app()

    @work(group="leaving")
    async def _leave_app(self) -> None:
        self._asked_to_leave = True
        if await self._may_leave():
            self.app.exit()
        self._asked_to_leave = False

    @work(group="opening", exclusive=True)
    async def new_chat(self, *, ephemeral: bool = False) -> None:
        """Start a new conversation; of an `ephemeral` one nothing is kept."""
        from tui_chat.ui.opening import Opening

        await self._replace(Opening(ephemeral=ephemeral))

    @property
    def _draft_key(self) -> str:
        from tui_chat.store.drafts import NEW_CHAT

        conversation = self._conversation
        return conversation.session.id if conversation and conversation.session.messages else NEW_CHAT

    @work(group="opening", exclusive=True)
    async def action_fork(self) -> None:
        """Go on in a copy of a session that another terminal holds."""
        if self._conversation is not None:
            try:
                await self._show(await self._conversation.fork())
            except StoreError as error:
                self._presenter.notice(error.problem)

    @work(group="opening", exclusive=True)
    async def action_take_over(self) -> None:
        """Write here what another terminal holds; what was being typed there comes along."""
        if self._conversation is not None:
            await self._conversation.take_over()
            await self._take_draft()

    @work(group="asking", exclusive=True)
    async def action_rename(self, title: str = "") -> None:
        """Give the session a new title, which is asked for unless it is given."""
        from tui_chat.ui.screens.dialogs import AskScreen

        if self._conversation is not None:
            ask = AskScreen("Rename this session", self._conversation.session.title)
            given: str | None = title or await self.app.push_screen_wait(ask)
            if given:
                await self._conversation.rename(given)
