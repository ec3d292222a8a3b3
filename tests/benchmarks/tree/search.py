"""Finding words in a thousand conversations: with the index current, after a change, and making the index."""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from tests.benchmarks.harness import Row, at_most, informs
from tests.benchmarks.sessions import long_session
from tui_chat.chat.model import Session
from tui_chat.store.files import write_atomic
from tui_chat.store.search.index import SearchIndex
from tui_chat.store.sessions import SessionStore

SESSIONS = 1000
MESSAGES = 100
WORDS = 100
"""Words of a message."""
ROUNDS = 5
WORST = '"keeper storm lamp rock boat wind"'
"""A phrase that is nowhere, of words that are in every message: each has to be looked at."""
QUESTIONS = {
    "a word that is everywhere": "lighthouse",
    "a word that is in one message": "brilligum",
    "three words": "storm harbour brilligum",
    "a phrase": '"keeper storm"',
    "two letters": "ut",
    "two letters that are nowhere": "qz",
    "a title and a word": "talk storm",
    "an answer of a model": "model:smol harbour",
    "nothing": "jabberwocky",
}


def rows() -> Iterator[Row]:
    """Search 1,000 sessions of 100 messages."""
    with tempfile.TemporaryDirectory() as folder:
        sessions, cache = Path(folder) / "sessions", Path(folder) / "cache"
        sessions.mkdir()
        texts = sum(_write(sessions, number) for number in range(SESSIONS))
        index = SearchIndex(sessions, cache)
        built = _timed(index.refresh)
        for name, question in QUESTIONS.items():
            found = statistics.median(_timed(lambda q=question: index.find(q)) for _ in range(ROUNDS))
            yield at_most(f"search {SESSIONS:,} × {MESSAGES}: {name}", found * 1e3, "ms", 150)
        worst = statistics.median(_timed(lambda: index.find(WORST)) for _ in range(ROUNDS))
        yield informs("search: a phrase that is nowhere, of words in every message", worst * 1e3, "ms")
        SessionStore(sessions).rename("talk-500", "Another")
        yield at_most(
            "search after one session changed", _timed(lambda: index.find("storm")) * 1e3, "ms", 150
        )
        yield informs("make the index", built, "s")
        yield informs("texts", texts / 1e6, "MB")
        size = sum(path.stat().st_size for path in cache.rglob("*"))
        yield informs("index", size / 1e6, "MB")
        (cache / "search").rename(cache / "away")
        (cache / "search").touch()
        yield informs("search without an index, by reading", _timed(lambda: index.find("storm")), "s")


def _write(folder: Path, number: int) -> int:
    """Write one session; return how many characters its messages have."""
    session = _session(number)
    write_atomic(folder / f"{session.id}.json", msgspec.json.encode(session))
    return sum(len(message.text) for message in session.messages)


def _session(number: int) -> Session:
    """A talk on a day of its own; no two have the same messages."""
    base = long_session(MESSAGES, WORDS)
    shift = timedelta(hours=number)
    random_ = random.Random(number)
    messages = []
    for message in base.messages:
        words = message.text.split(" ")
        random_.shuffle(words)
        extra = " brilligum" if (number, message.id) == (7, base.messages[50].id) else ""
        text = " ".join(words) + f" lighthouse {number}" + extra
        messages.append(msgspec.structs.replace(message, text=text, created=message.created + shift))
    updated = datetime(2026, 1, 1, tzinfo=UTC) + shift
    return msgspec.structs.replace(
        base, id=f"talk-{number}", title=f"Talk {number}", updated=updated, messages=tuple(messages)
    )


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
