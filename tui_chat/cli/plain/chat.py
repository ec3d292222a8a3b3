"""One conversation at a time, as the line by line chat has it: the same one that the screen would open."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tui_chat.cli.plain.voice import Voice
from tui_chat.cli.printable import printable
from tui_chat.client.changes import Access
from tui_chat.store.drafts import NEW_CHAT
from tui_chat.store.errors import StoreError
from tui_chat.ui.opening import Opening, open_conversation
from tui_chat.ui.words import about_attachment

if TYPE_CHECKING:
    from tui_chat.chat.attachments import Attachment
    from tui_chat.client.conversation import Conversation
    from tui_chat.client.workspace import Workspace

_LISTS = "/sessions lists the chats, and /resume NAME opens one."
_FALLBACK_S = 3.0
"""How soon a fallback model is asked after an answer that failed."""


class PlainChat:
    """What a person does here; all methods run on one loop, beside the thread that reads lines.

    Attributes:
        left: Whether the person wants to leave.
        attached: What goes with the next message.
    """

    def __init__(self, workspace: Workspace, voice: Voice) -> None:
        self.workspace = workspace
        self.voice = voice
        self.left = False
        self.attached: tuple[Attachment, ...] = ()
        self._conversation: Conversation | None = None

    @property
    def conversation(self) -> Conversation:
        """The one that is open."""
        assert self._conversation is not None, "nothing is open yet"
        return self._conversation

    async def open(self, opening: Opening) -> str:
        """Open what was asked for, or say why not; return the draft that was left there."""
        opened = await open_conversation(self.workspace, opening)
        before, self._conversation = self._conversation, opened.conversation
        self.voice.follow(self.conversation)
        if before is not None:
            await before.close()
        if opened.problem is not None:
            here = replace(opened.problem, remedy=_LISTS) if opened.choose else opened.problem
            self.voice.problem(here)
        elif opened.choose:
            self.voice.say(_LISTS)
        for problem in (*opened.notes, *self.conversation.notices):
            self.voice.problem(problem)
        self._greet(opening)
        self.attached = ()
        if self.conversation.ephemeral:
            return ""
        drafts, key = self.workspace.drafts, self._draft_key()
        self.attached = await asyncio.to_thread(drafts.read_attachments, key)
        self.say_attached()
        return await asyncio.to_thread(drafts.read, key)

    def _draft_key(self) -> str:
        session = self.conversation.session
        return session.id if session.messages else NEW_CHAT

    def _greet(self, opening: Opening) -> None:
        chat = self.conversation
        said = [message for message in chat.tree.path() if message.said]
        if said:
            count = "1 message" if len(said) == 1 else f"{len(said)} messages"
            self.voice.say(f"“{chat.session.title or 'untitled'}”, {count}. /show says all of them.")
            for message in said[-2:]:
                self.voice.tell(message)
        elif opening.ephemeral:
            self.voice.say("Nothing of this chat is kept.")
        if chat.session.model is None:
            self.voice.say("There is no model to answer. Get one: tui-chat models get starter")
        elif not said:
            self.voice.say(f"{chat.session.model} answers. /help lists what else can be done.")
        if chat.access is Access.FOLLOWER:
            self.voice.say(
                f"Another terminal ({chat.holder}) has this chat open, so it can only be read here."
                " /take takes it over, /fork goes on in a copy."
            )

    async def settle(self) -> None:
        """Wait until every answer has been said."""
        await self.voice.silence()
        if self.workspace.settings.models.fallback and self._failed():
            await self.voice.change(_FALLBACK_S)
            await self.voice.silence()

    def _failed(self) -> bool:
        last = next(reversed(self.conversation.tree.path()), None)
        return last is not None and last.answer is not None and last.answer.problem is not None

    async def send(self, text: str) -> str:
        """Send a message and say its answer; return the text if it was refused."""
        key, self.voice.draft = self._draft_key(), ""
        if not await self.conversation.send(text, self.attached):
            return self.voice.draft
        self.attached = ()
        if not self.conversation.ephemeral:
            with suppress(StoreError):  # what the next terminal would be offered; the message is kept
                await asyncio.to_thread(self._keep, key, text)
        await self.settle()
        return ""

    def _keep(self, key: str, text: str) -> None:
        self.workspace.history.append(text)
        self.workspace.drafts.write(key, "")
        self.workspace.drafts.write_attachments(key, ())

    async def attach(self, attached: tuple[Attachment, ...]) -> None:
        """Have these go with the next message, and nothing else; they are kept with the draft."""
        self.attached = attached
        if not self.conversation.ephemeral:
            with suppress(StoreError):  # they go with the message all the same
                await asyncio.to_thread(self.workspace.drafts.write_attachments, self._draft_key(), attached)

    def say_attached(self) -> None:
        """Say what goes with the next message, if anything does."""
        if self.attached:
            named = ", ".join(f"{each.label} ({about_attachment(each)})" for each in self.attached)
            self.voice.say(f"With your next message goes {printable(named)}. /detach takes it out.")

    async def stop_answer(self) -> None:
        """Stop the answer; what was said is kept."""
        if self._conversation is not None:
            await self._conversation.cancel()

    async def close(self) -> None:
        """Let go of everything; an answer that is on its way is the engine's and goes on."""
        if self._conversation is not None:
            await self._conversation.close()
        await self.workspace.stop()
