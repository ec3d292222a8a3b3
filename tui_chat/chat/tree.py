"""The conversation tree: parents, children, siblings and the active branch over a flat session."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from tui_chat.chat.model import Message, Session


class TreeError(ValueError):
    """The messages do not form a tree: unknown parent, id used twice, or a circle of parents."""


class ChatTree:
    """A session that can grow: adds and replaces messages, and answers questions about branches.

    Every change makes a new immutable `session`; nothing is ever taken out of it, only marked as removed.
    """

    def __init__(self, session: Session) -> None:
        check_tree(session.messages)
        self._session: Session | None = session
        self._fields = session
        self._messages = {message.id: message for message in session.messages}
        self._children: dict[str | None, list[str]] = {}
        for message in session.messages:
            self._children.setdefault(message.parent, []).append(message.id)

    @property
    def session(self) -> Session:
        """The session as it is now, oldest message first."""
        if self._session is None:
            self._session = msgspec.structs.replace(self._fields, messages=tuple(self._messages.values()))
        return self._session

    @property
    def leaf(self) -> str | None:
        """The message the active branch ends at; None before the first message."""
        return self._fields.leaf

    def __contains__(self, id: str) -> bool:
        return id in self._messages

    def get(self, id: str) -> Message:
        """Return the message called `id`.

        Raises:
            KeyError: There is no such message.
        """
        return self._messages[id]

    def path(self, leaf: str | None = None) -> list[Message]:
        """Return the branch from its first message to `leaf` (the active leaf if None)."""
        at = self.leaf if leaf is None else leaf
        branch: list[Message] = []
        while at is not None:
            message = self._messages[at]
            branch.append(message)
            at = message.parent
        branch.reverse()
        return branch

    def children(self, id: str | None) -> tuple[Message, ...]:
        """Return the messages that follow `id` directly, oldest first; None asks for first messages.

        Those that were removed are not among them.
        """
        found = (self._messages[child] for child in self._children.get(id, ()))
        return tuple(child for child in found if child.removed is None)

    def is_removed(self, id: str) -> bool:
        """Whether a message, or one above it, was removed."""
        return self._topmost_removed(id) is not None

    def leaves(self) -> tuple[Message, ...]:
        """Return the ends of all branches, in the order of the tree, newest branch last."""
        ends: list[Message] = []
        waiting = list(reversed(self.children(None)))
        while waiting:
            message = waiting.pop()
            below = self.children(message.id)
            waiting.extend(reversed(below))
            if not below:
                ends.append(message)
        return tuple(ends)

    def siblings(self, id: str) -> tuple[Message, ...]:
        """Return every message with the same parent as `id`, itself included, oldest first."""
        return self.children(self._messages[id].parent)

    def deepest(self, id: str) -> str:
        """Return the leaf below `id` that is reached by following the newest child each time."""
        at = id
        while children := self.children(at):
            at = children[-1].id
        return at

    def mend_leaf(self) -> None:
        """Have the active branch end where something is: a leaf that was removed gives way.

        It goes to a branch beside what was removed, the one before if there is one; or else above it.
        """
        removed = self._topmost_removed(self.leaf)
        while removed is not None:
            parent = self._messages[removed].parent
            beside = self.children(parent)
            older = [sibling.id for sibling in beside if self._order(sibling.id) < self._order(removed)]
            if beside:
                self.update(leaf=self.deepest(older[-1] if older else beside[0].id))
            else:
                self.update(leaf=parent)
            removed = self._topmost_removed(self.leaf)

    def _topmost_removed(self, id: str | None) -> str | None:
        found, at = None, id
        while at is not None:
            message = self._messages[at]
            if message.removed is not None:
                found = at
            at = message.parent
        return found

    def _order(self, id: str) -> int:
        return self._children[self._messages[id].parent].index(id)

    def add(self, message: Message) -> None:
        """Append `message` below its parent; the leaf follows, and `updated` is not before it.

        Raises:
            TreeError: The id is taken, or the parent is unknown.
        """
        if message.id in self._messages:
            raise TreeError(f"message {message.id} exists already")
        if message.parent is not None and message.parent not in self._messages:
            raise TreeError(f"message {message.id} has an unknown parent {message.parent}")
        self._messages[message.id] = message
        self._children.setdefault(message.parent, []).append(message.id)
        self.update(leaf=message.id, updated=max(self._fields.updated, message.created))

    def replace(self, message: Message) -> None:
        """Put `message` in the place of the one with its id (an answer that grew or settled).

        Raises:
            KeyError: There is no such message.
            TreeError: The new message names another parent; a move is never a replacement.
        """
        if self._messages[message.id].parent != message.parent:
            raise TreeError(f"message {message.id} cannot move to another parent")
        self._messages[message.id] = message
        self._session = None

    def update(self, **fields: Any) -> None:
        """Change fields of the session itself, such as title, model, leaf, archived or updated.

        Raises:
            TreeError: `leaf` names no message, or `messages` is given (use `add` and `replace`).
        """
        if "messages" in fields:
            raise TreeError("messages change through add and replace")
        leaf = fields.get("leaf")
        if leaf is not None and leaf not in self._messages:
            raise TreeError(f"leaf {leaf} is no message of this session")
        self._fields = msgspec.structs.replace(self._fields, **fields)
        self._session = None


def check_tree(messages: Iterable[Message]) -> None:
    """Make sure that `messages` form a tree (or several): linear in their number.

    Raises:
        TreeError: An id is used twice, a parent is unknown, or parents form a circle.
    """
    messages = tuple(messages)
    if not _is_in_order(messages):
        _check_any_order(messages)


def _is_in_order(messages: tuple[Message, ...]) -> bool:
    """Whether each message follows its parent, as in any file of ours, and no id is used twice."""
    before: set[str | None] = {None}
    for message in messages:
        if message.parent not in before:
            return False
        before.add(message.id)
    return len(before) == len(messages) + 1


def _check_any_order(messages: tuple[Message, ...]) -> None:
    parents: dict[str, str | None] = {}
    for message in messages:
        if message.id in parents:
            raise TreeError(f"message id {message.id} is used twice")
        parents[message.id] = message.parent
    rooted: set[str | None] = {None}
    for start in parents:
        trail: dict[str, None] = {}
        at: str | None = start
        while at not in rooted:
            assert at is not None
            if at in trail:
                raise TreeError(f"the parents of message {at} form a circle")
            if at not in parents:
                raise TreeError(f"a message has an unknown parent {at}")
            trail[at] = None
            at = parents[at]
        rooted.update(trail)
