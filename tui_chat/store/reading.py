"""Reads session files for those who only look: nothing is locked, mended or written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tui_chat.chat.model import Session
from tui_chat.store import codec, notices
from tui_chat.store.errors import StoreError
from tui_chat.store.files import Stamp, read_regular
from tui_chat.store.places import Places
from tui_chat.store.recovery import recover
from tui_chat.store.upgrades import Upgrader


def read_file(file: Path) -> tuple[bytes, Stamp]:
    """Return what is in a session's file, and which version of it that is.

    Raises:
        StoreError: It is not there, or cannot be read.
    """
    try:
        return read_regular(file)
    except FileNotFoundError as error:
        raise StoreError(notices.missing(file)) from error
    except OSError as error:
        raise StoreError(notices.unreadable(file, error)) from error


def read_session(places: Places, upgraders: Sequence[Upgrader]) -> Session:
    """Return a session with the answers that have settled meanwhile.

    Raises:
        StoreError: It is not there, cannot be read, is damaged, or too new.
    """
    data, _ = read_file(places.file)
    try:
        session = codec.decode(data, places.id, upgraders)
    except codec.TooNewError as error:
        raise StoreError(notices.newer(places.file, error)) from error
    except codec.DamagedError as error:
        raise StoreError(notices.damaged(places.file, error)) from error
    return recover(session, places).session
