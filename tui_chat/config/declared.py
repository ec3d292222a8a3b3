"""How a setting is declared: beside its type and default, what it is for, and when a change takes effect.

A field of a table reads ``mouse: Annotated[bool, about("Whether the mouse scrolls and selects")] = True``.
Validation, environment names, settings screen, `tui-chat config` and docs/settings.md all come from that.
"""

from __future__ import annotations

import enum
from typing import Annotated

import msgspec

Place = Annotated[str, msgspec.Meta(pattern=r"^(?:[^\0/]{0,255}(?:/|$))*$", max_length=4000)]
"""A file or folder; without what no system allows in a name, as to ask for it is an error of its own."""
Seconds = Annotated[float, msgspec.Meta(ge=0, le=10**9)]
Mebibytes = Annotated[int, msgspec.Meta(ge=0, le=2**40)]
Tokens = Annotated[int, msgspec.Meta(ge=256, le=100_000_000)]


class When(enum.StrEnum):
    """When a change of a setting takes effect."""

    NOW = "at once"
    NEW_CHATS = "in new chats"
    START = "when tui-chat is started again"
    ENGINE = "when the engine is started again"


def about(text: str, when: When | None = None, *, secret: bool = False) -> msgspec.Meta:
    """Describe a setting.

    Args:
        text: One line for a person: what it does, and in which unit.
        when: When a change takes effect; None is as its table says.
        secret: Whether its value is never shown.
    """
    return msgspec.Meta(description=text, extra={"when": when, "secret": secret})


def takes_effect(when: When) -> msgspec.Meta:
    """Say of a whole table when changes in it take effect."""
    return msgspec.Meta(extra={"when": when})
