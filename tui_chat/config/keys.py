"""Which key does what: one of the sets that come with tui-chat, and what the person has changed of it."""

from __future__ import annotations

import enum

import msgspec


class KeySet(enum.StrEnum):
    """Whose habits the keys follow."""

    DEFAULT = "default"
    VIM = "vim"
    EMACS = "emacs"


class KeySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The keys. `bind` gives commands, by their ids, other keys than `set` does; "" takes them away."""

    set: KeySet = KeySet.DEFAULT
    bind: dict[str, str] = {}
