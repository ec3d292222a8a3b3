"""What of a conversation a model is given to read: the rule a person chose, and the cuts it made."""

from __future__ import annotations

import enum

import msgspec


class PolicyKind(enum.StrEnum):
    """What happens when a conversation outgrows its window."""

    FULL = "full"
    """Nothing is dropped: there is a warning before, and what does not fit is not sent."""
    SLIDING = "sliding"
    """The oldest turns are dropped, many at once, so that the beginning then stays for many turns."""
    RESET = "auto-reset"
    """It starts again from the system prompt, or from the last few messages."""
    SUMMARISE = "summarise"
    """The model condenses what is dropped, and reads the summary instead."""
    SELECTIVE = "selective"
    """As sliding, but pinned messages stay."""


class Policy(msgspec.Struct, frozen=True, omit_defaults=True):
    """When and how far a conversation is cut. Shares are of the window less what is kept for the answer.

    Attributes:
        kind: What is done.
        window: The most tokens that may be used; None for all that the model and the memory hold.
        fill: The share at which something is dropped.
        target: The share that is left then, of the kinds that drop only some; the lower, the longer the
            beginning, and so the KV cache, stays as it is.
        keep: Messages that a reset keeps; 0 starts from the system prompt.
        turns: Questions after which a reset happens however short they were; None never.
        reserve: Tokens kept for the answer; None for what its limit asks for.
    """

    kind: PolicyKind = PolicyKind.FULL
    window: int | None = None
    fill: float = 0.9
    target: float = 0.5
    keep: int = 0
    turns: int | None = None
    reserve: int | None = None


class CutReason(enum.StrEnum):
    """Why a conversation was cut."""

    FILL = "fill"
    """It had filled its window."""
    TURNS = "turns"
    """It had as many turns as its policy allows."""
    HAND = "hand"
    """Somebody said so."""


class Cut(msgspec.Struct, frozen=True, omit_defaults=True):
    """From here on, only some of what stands above is sent. A summary of the rest is the text of its node.

    Attributes:
        first: The first message above that is still sent; None when none is.
        why: What led to it.
        kind: The policy in force.
        messages: How many messages are no longer sent because of it.
        tokens: How many tokens those are.
        exact: Whether the tokens were counted by the model's own tokenizer.
        restored: Whether somebody took it back; it has no effect then.
    """

    first: str | None
    why: CutReason
    kind: PolicyKind
    messages: int = 0
    tokens: int = 0
    exact: bool = False
    restored: bool = False
