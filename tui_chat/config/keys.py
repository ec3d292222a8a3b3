"""Which key does what: one of the sets that come with tui-chat, and what the person has changed of it."""

from __future__ import annotations

import enum
from typing import Annotated

import msgspec

from tui_chat.config.declared import about


class KeySet(enum.StrEnum):
    """Whose habits the keys follow."""

    DEFAULT = "default"
    VIM = "vim"
    EMACS = "emacs"


class KeySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The keys of the chat."""

    set: Annotated[KeySet, about("Whose habits the keys follow")] = KeySet.DEFAULT
    bind: Annotated[
        dict[str, str],
        about("Other keys for commands, by ids as `tui-chat keys` lists them; empty takes them away"),
    ] = {}
