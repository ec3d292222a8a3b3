"""A conversation as the transcript shows it: one item after the other, each made from what is known of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from tui_chat.chat.compose import begin_of
from tui_chat.chat.model import Message
from tui_chat.chat.setups import setup_on
from tui_chat.ui.facts import Facts
from tui_chat.ui.sentences import with_keys
from tui_chat.ui.telling import (
    CONDENSING,
    HELD,
    QUEUED,
    answer_item,
    cut_item,
    dropping_item,
    setup_item,
    user_item,
)
from tui_chat.ui.transcript.items import AnswerItem, Item, NoticeItem, UserItem

if TYPE_CHECKING:
    from tui_chat.client.conversation import Conversation

Notices = Sequence[tuple[str | None, NoticeItem]]
"""Notices, each with the message after which it stands; None for the beginning."""


class Thread:
    """The branch of `conversation` that is shown; made anew whenever the branch is another one."""

    def __init__(self, conversation: Conversation, facts: Facts) -> None:
        self._conversation = conversation
        self._facts = facts
        self._path = conversation.tree.path()
        self._usual = setup_on(conversation.session, self._path).sampling

    @property
    def path(self) -> list[Message]:
        """The messages, oldest first."""
        return self._path

    def items(self, notices: Notices) -> list[Item]:
        """Everything there is to show."""
        conversation = self._conversation
        before = self._dividers()
        items: list[Item] = [notice for place, notice in notices if place is None]
        for message in self._path:
            items += before.get(message.id, ())
            if message.cut is None and message.setup is None:
                items.append(self.item(message))
            items += [notice for place, notice in notices if place == message.id]
        items += before.get(None, ())
        return [*items, *(user_item(message, self._wait()) for message in conversation.queued)]

    def _wait(self) -> str:
        """What queued messages wait for."""
        if self._conversation.condensing:
            return CONDENSING
        return QUEUED if self._conversation.live else with_keys(HELD, self._facts.keymap)

    def item(self, message: Message) -> Item:
        """One message, with what an answer in flight has said so far."""
        return self.answer(message) if message.answer else self.question(message)

    def question(self, message: Message) -> UserItem:
        """A message of the user."""
        return user_item(message, branch=self._branch(message))

    def answer(self, message: Message) -> AnswerItem:
        """An answer."""
        if (live := self._conversation.lives.get(message.id)) is not None:
            message = msgspec.structs.replace(message, text=live.text, thinking=live.thinking)
        name = self._facts.name_of(message.answer.model) if message.answer else ""
        newest = bool(self._path) and self._path[-1].id == message.id
        return answer_item(
            message, self._facts.keymap, name, self._branch(message), newest=newest, usual=self._usual
        )

    def _dividers(self) -> dict[str | None, list[Item]]:
        """Rules across the transcript, by the message before which they stand; None for the end."""
        found: dict[str | None, list[Item]] = {}
        begin, before = begin_of(self._path), setup_on(self._conversation.session, ())
        for message in self._path:
            if message.setup is not None:
                found.setdefault(message.id, []).append(setup_item(message, before))
                before = message.setup
            elif message.cut is not None and not message.cut.restored:
                place = message.cut.first or message.id
                found.setdefault(place, []).append(
                    cut_item(message, self._facts.keymap, in_force=begin.after == message.id)
                )
        outlook = self._facts.outlook
        if outlook is not None and outlook.outcome.dropped is not None:
            dropped = outlook.outcome.dropped
            found.setdefault(dropped.cut.first, []).append(
                dropping_item(dropped, summarise=outlook.outcome.summarise)
            )
        return found

    def _branch(self, message: Message) -> str:
        siblings = self._conversation.tree.siblings(message.id)
        if len(siblings) < 2:
            return ""
        place = next(i for i, m in enumerate(siblings, 1) if m.id == message.id)
        return f"‹ {place} of {len(siblings)} ›"  # noqa: RUF001
