"""What the model is told on a branch: the last setup on it, else the session's own."""

from __future__ import annotations

from collections.abc import Sequence

from tui_chat.chat.model import Message, Session, Setup
from tui_chat.chat.tree import ChatTree


def setup_of(tree: ChatTree, leaf: str | None = None) -> Setup:
    """Return how answers to the branch that ends at `leaf` (the active one if None) are to be made."""
    return setup_on(tree.session, tree.path(leaf))


def setup_on(session: Session, branch: Sequence[Message]) -> Setup:
    """Return how answers to `branch` are to be made."""
    for message in reversed(branch):
        if message.setup is not None:
            return message.setup
    return Setup(session.system, session.sampling, session.preset)
