"""The index: an SQLite database with the texts of all sessions and which three letters occur in which.

Trigrams find any part of a word, in scripts with and without spaces. Only which messages have them is kept,
not where (detail=none): that halves the index, and whether they make up the word is seen from the text.
"""

from __future__ import annotations

import itertools
import sqlite3
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec

from tui_chat.chat.model import Role
from tui_chat.store.files import Stamp
from tui_chat.store.search.query import Query, Word
from tui_chat.store.search.texts import Searchable, Text

VERSION = 3
"""Of the tables and of what is put into them; an index of another version is made anew."""
WAIT_S = 2.0
"""How long to wait for another terminal that writes."""

_GRAM = 3
_MOST_GRAMS = 120
"""Trigrams that are asked for at once; what they let through is looked at in any case."""
_TICK = 1000
"""Microseconds of a tick."""
_SPREAD = 1 << 21
"""Keys for messages of one tick; with them, keys reach to the year 2109."""
_LAST_KEY = (1 << 63) - 1

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_TABLES = (
    "CREATE TABLE sessions (key INTEGER PRIMARY KEY, name TEXT UNIQUE, inode INT, size INT, mtime_ns INT,"
    " readable INT, title TEXT, tags TEXT, archived INT, updated INT, begins TEXT)",
    "CREATE TABLE messages (key INTEGER PRIMARY KEY, session INT, id TEXT, role TEXT, model TEXT,"
    " written INT, text TEXT)",
    "CREATE INDEX messages_of ON messages (session)",
    "CREATE VIRTUAL TABLE grams USING fts5 (text, content = '', detail = none, tokenize = 'trigram')",
    "INSERT INTO grams (grams, rank) VALUES ('hashsize', 33554432)",  # bytes that are sorted at once
    f"PRAGMA user_version = {VERSION}",
)


class OtherVersionError(sqlite3.DatabaseError):
    """The index was made by another release."""


class Row(NamedTuple):
    """A session as the index knows it."""

    key: int
    name: str
    title: str
    tags: tuple[str, ...]
    archived: bool
    updated: datetime
    begins: str


class Found(NamedTuple):
    """A message that may be what is looked for; of later ones, the key is greater."""

    key: int
    session: int
    text: Text


class Database:
    """An open index. Every method may raise `sqlite3.Error`: it is locked, damaged, or the disk is full."""

    def __init__(self, file: Path) -> None:
        self._db = sqlite3.connect(file, timeout=WAIT_S, isolation_level=None)
        try:
            self._db.execute("PRAGMA synchronous = normal")
            if self._version() == 0:
                self._make()
            if self._version() != VERSION:
                raise OtherVersionError(f"version {self._version()} is not {VERSION}")
        except BaseException:
            self._db.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def stamps(self) -> dict[str, Stamp]:
        """Return of every session that is indexed which version of its file is."""
        rows = self._db.execute("SELECT name, inode, size, mtime_ns FROM sessions")
        return {name: Stamp(*stamp) for name, *stamp in rows}

    def begin(self) -> None:
        """Be the one who writes, until `commit`; waits for another one for a while."""
        self._db.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Keep what was written."""
        self._db.execute("COMMIT")

    def put(self, session: Searchable) -> None:
        """Index a session as it is now; what of it is in the index and did not change stays."""
        assert session.stamp is not None, "what is not there cannot be indexed"
        key = self._key_of(session.id)
        self._db.execute(
            "UPDATE sessions SET inode = ?, size = ?, mtime_ns = ?, readable = ?, title = ?, tags = ?,"
            " archived = ?, updated = ?, begins = ? WHERE key = ?",
            (
                *session.stamp,
                session.readable,
                session.title,
                msgspec.json.encode(session.tags).decode(),
                session.archived,
                _micros(session.updated or _EPOCH),
                session.begins,
                key,
            ),
        )
        new = {text.id: text for text in session.texts}
        for at, name, text in self._db.execute(
            "SELECT key, id, text FROM messages WHERE session = ?", (key,)
        ).fetchall():
            if name in new and new[name].text == text:
                del new[name]
            else:
                self._drop(at, text)
        for text in new.values():
            self._add(key, text)

    def forget(self, name: str) -> None:
        """Take a session out of the index."""
        key = self._key_of(name)
        for at, text in self._db.execute(
            "SELECT key, text FROM messages WHERE session = ?", (key,)
        ).fetchall():
            self._drop(at, text)
        self._db.execute("DELETE FROM sessions WHERE key = ?", (key,))

    def sessions(self) -> Iterator[Row]:
        """Yield the sessions that can be read."""
        for key, name, title, tags, archived, updated, begins in self._db.execute(
            "SELECT key, name, title, tags, archived, updated, begins FROM sessions WHERE readable"
        ):
            kept = msgspec.json.decode(tags, type=tuple[str, ...])
            yield Row(key, name, title, kept, bool(archived), _moment(updated), begins)

    def messages(self, words: tuple[Word, ...], query: Query, among: list[int]) -> Iterator[Found]:
        """Yield the messages with all of `words` of the sessions with the keys `among`, newest first."""
        sql, values = _select(words, query, among)
        for key, session, name, role, model, written, text in self._db.execute(sql, values):
            said = Text(name, Role(role), _moment(written), model, text)
            if query.admits_model(model) and all(word.is_in(text) for word in words):
                yield Found(key, session, said)

    def _version(self) -> int:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        return int(version)

    def _make(self) -> None:
        """Make the tables, unless somebody else is just doing it."""
        self._db.execute("PRAGMA journal_mode = wal")
        self.begin()
        if self._version() == 0:
            for statement in _TABLES:
                self._db.execute(statement)
        self.commit()

    def _key_of(self, name: str) -> int:
        self._db.execute("INSERT OR IGNORE INTO sessions (name) VALUES (?)", (name,))
        (key,) = self._db.execute("SELECT key FROM sessions WHERE name = ?", (name,)).fetchone()
        return int(key)

    def _add(self, session: int, text: Text) -> None:
        at = _first_key(session, text)
        while self._db.execute("SELECT 1 FROM messages WHERE key = ?", (at,)).fetchone():
            at += 1
        self._db.execute(
            "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?)",
            (at, session, text.id, text.role.value, text.model, _micros(text.when), text.text),
        )
        self._db.execute("INSERT INTO grams (rowid, text) VALUES (?, ?)", (at, text.text))

    def _drop(self, at: int, text: str) -> None:
        self._db.execute("INSERT INTO grams (grams, rowid, text) VALUES ('delete', ?, ?)", (at, text))
        self._db.execute("DELETE FROM messages WHERE key = ?", (at,))


def _micros(when: datetime) -> int:
    return (when - _EPOCH) // _MICROSECOND


def _moment(micros: int) -> datetime:
    return _EPOCH + micros * _MICROSECOND


def _first_key(session: int, text: Text) -> int:
    """Return a key that grows with time, so that the newest messages are found first; it may be taken."""
    ticks = max(0, _micros(text.when) // _TICK)
    spread = zlib.crc32(f"{session} {text.id}".encode()) % _SPREAD
    return min(ticks * _SPREAD + spread, _LAST_KEY - _SPREAD)


def _select(words: tuple[Word, ...], query: Query, among: list[int]) -> tuple[str, list[str]]:
    """Return a query for a little more than what is looked for, and its values."""
    columns = "SELECT m.key, m.session, m.id, m.role, m.model, m.written, m.text FROM "
    conditions, values = [], []
    grams = _grams(words)
    if grams:
        columns += "grams CROSS JOIN messages m ON m.key = grams.rowid"
        conditions.append("grams MATCH ?")
        values.append(" AND ".join('"' + gram.replace('"', '""') + '"' for gram in grams))
    else:
        columns += "messages m"
    for spellings in filter(None, map(_spellings, words)):
        conditions.append("(" + " OR ".join(["m.text LIKE ? ESCAPE '\\'"] * len(spellings)) + ")")
        values += spellings
    conditions.append("+m.session IN (SELECT value FROM json_each(?))")
    values.append(msgspec.json.encode(among).decode())
    if query.models:
        conditions.append("m.model != ''")
    order = "grams.rowid" if grams else "m.key"
    return f"{columns} WHERE {' AND '.join(conditions)} ORDER BY {order} DESC", values


def _grams(words: tuple[Word, ...]) -> list[str]:
    """Return the trigrams of `words`, each once: a longer word has more, and all of them tell."""
    parts = (part for word in words for part in word.parts)
    grams = dict.fromkeys(part[at : at + _GRAM] for part in parts for at in range(len(part) - _GRAM + 1))
    return list(itertools.islice(grams, _MOST_GRAMS))


def _spellings(word: Word) -> list[str]:
    """Return the patterns of LIKE, which knows the case of ASCII only, that `word` can be found by.

    None for a longer word with letters of another alphabet that has cases; trigrams know those.
    """
    text = " ".join(word.parts)
    if text.isascii() or text.lower() == text.upper():
        spelled = [text]
    elif len(text) < _GRAM:
        ways = itertools.product(*zip(text.lower(), text.upper(), strict=False))
        spelled = sorted({text, *map("".join, ways)})
    else:
        return []
    escaped = (text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") for text in spelled)
    return [f"%{text.replace(' ', '_')}%" for text in escaped]  # between parts is any kind of space
