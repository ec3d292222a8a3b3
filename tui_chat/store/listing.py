"""What a list of sessions shows, read without building the sessions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from tui_chat.chat.living import removed_ids
from tui_chat.chat.model import SCHEMA, Origin, Problem, ProblemCode, Role
from tui_chat.store.codec import DamagedError, TooNewError, decode
from tui_chat.store.files import Stamp, read_regular
from tui_chat.store.upgrades import UPGRADERS, Upgrader

_PREVIEW_LENGTH = 120


class SessionSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the list. With a `problem` the file is damaged, newer than us or unreadable.

    `preview` is the first line of the first user message, cut at 120 characters; `messages`
    counts what was said on every branch and not removed; of a file with a problem only `id`,
    `updated` (its time on disk) and `size_bytes` are known.
    """

    id: str
    title: str
    updated: datetime
    messages: int
    archived: bool
    preview: str
    size_bytes: int
    model: str | None = None
    tags: tuple[str, ...] = ()
    origin: Origin | None = None
    problem: Problem | None = None


class _Header(msgspec.Struct):
    updated: datetime
    schema: int = SCHEMA
    title: str = ""
    archived: bool = False
    model: str | None = None
    tags: tuple[str, ...] = ()
    origin: Origin | None = None
    messages: list[_Node] = []


class _Node(msgspec.Struct, gc=False):
    """A message whose text is left as it is in the file."""

    id: str
    role: Role
    text: msgspec.Raw
    parent: str | None = None
    removed: datetime | None = None


def named(sessions: Sequence[SessionSummary], name: str) -> list[SessionSummary]:
    """Return the sessions that a person may mean by `name`: by id, else by title, else by a part of either.

    Damaged ones are found by their ids: opening mends them.
    """
    wanted = name.casefold()
    return (
        [summary for summary in sessions if summary.id == name]
        or [summary for summary in sessions if summary.title.casefold() == wanted]
        or [s for s in sessions if wanted in s.title.casefold() or s.id.startswith(name)]
    )


def summarise(path: Path, upgraders: Sequence[Upgrader] = UPGRADERS) -> tuple[SessionSummary, Stamp]:
    """Read what the list shows of the file at `path`; damage becomes part of the summary.

    Raises:
        FileNotFoundError: It vanished meanwhile.
    """
    try:
        data, version = read_regular(path)
    except FileNotFoundError:
        raise
    except OSError as error:
        return _unusable(path, f"{path.name} cannot be read: {error.strerror}."), Stamp.of(path.lstat())
    try:
        return _summary(path, _header(data, path.stem, upgraders), len(data)), version
    except TooNewError:
        what = f"{path.name} was written by a newer tui-chat."
        return _unusable(path, what, ProblemCode.SESSION_NEWER), version
    except (DamagedError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _unusable(path, f"{path.name} is torn or no session."), version


def _header(data: bytes, id: str, upgraders: Sequence[Upgrader]) -> _Header:
    """Read the header alone, or, of a file that is not today's, everything."""
    try:
        header = msgspec.json.decode(data, type=_Header)
        if header.schema == SCHEMA:
            return header
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass  # decoding everything says what it is
    return msgspec.json.decode(msgspec.json.encode(decode(data, id, upgraders)), type=_Header)


def _summary(path: Path, header: _Header, size: int) -> SessionSummary:
    gone = removed_ids(header.messages)
    said = [node for node in header.messages if node.role is not Role.SYSTEM and node.id not in gone]
    updated = header.updated if header.updated.tzinfo else header.updated.replace(tzinfo=UTC)
    return SessionSummary(
        id=path.stem,
        title=header.title,
        updated=updated,
        messages=len(said),
        archived=header.archived,
        preview=_preview(said),
        size_bytes=size,
        model=header.model,
        tags=header.tags,
        origin=header.origin,
    )


def _preview(said: list[_Node]) -> str:
    for node in said:
        if node.role is Role.USER and (text := msgspec.json.decode(node.text, type=str).strip()):
            return text.splitlines()[0][:_PREVIEW_LENGTH]
    return ""


def _unusable(path: Path, what: str, code: ProblemCode = ProblemCode.SESSION_DAMAGED) -> SessionSummary:
    info = path.lstat()
    return SessionSummary(
        id=path.stem,
        title="",
        updated=datetime.fromtimestamp(info.st_mtime, UTC),
        messages=0,
        archived=False,
        preview="",
        size_bytes=info.st_size,
        problem=Problem(code=code, what=what, kept="The file is untouched."),
    )
