"""A walk through every screen there is, with everything on them that a theme colours."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.homes import Home
from tests.ui.stand_in import StandIn, neighbour, ready
from tests.ui.support import SMALL, Chat, Chats
from tui_chat.chat.attachments import Attachment
from tui_chat.chat.ids import new_id
from tui_chat.chat.model import (
    Answer,
    FinishReason,
    Message,
    Problem,
    ProblemCode,
    Role,
    Session,
    Timings,
    Usage,
)
from tui_chat.store.drafts import Drafts
from tui_chat.store.history import PromptHistory
from tui_chat.store.sessions import SessionStore
from tui_chat.ui.command import Place
from tui_chat.ui.opening import Opening

MODEL = "SmolLM2-135M-Instruct.Q4_1"

ANSWER = """# Umber

Once upon a time a **robot** named `Umber` picked up a *brush*, see [the manual](https://example.org).

```python
@lru_cache
def mix(a: int, b):
    return "blue" + str(a / 2)  # halfway
```

```diff
-old
+new
```

1. First came the blue
- [x] Then the ochre

| pigment | hue |
|---|---|
| ultramarine | blue |

> Painting is keeping a diary."""


@dataclass(frozen=True)
class Stop:
    """One screen: the place it is, how it is come to, and what is on it then."""

    name: str
    place: Place
    keys: tuple[str, ...]
    sees: tuple[str, ...]


def session(title: str, day: int) -> Session:
    """A conversation with everything in it: code, tables, links, thinking, an error, versions."""
    now = datetime(2026, 1, day, 14, 2, tzinfo=UTC)

    def answer(text: str, parent: str, **how: object) -> Message:
        meta = {"finish": FinishReason.STOP, "usage": Usage(5930, 312, 5812), **how}
        said = Answer(model=MODEL, timings=Timings(decode_tps=204.3, ttft_ms=90, thinking_ms=3100), **meta)
        return Message(
            new_id(), Role.ASSISTANT, text, now, parent, "A story, then." if text == ANSWER else "", said
        )

    first = Message(new_id(), Role.USER, "Write a story about a robot who learns to paint.", now)
    other = answer("Another story, and a shorter one.", first.id)
    story = answer(ANSWER, first.id)
    second = Message(new_id(), Role.USER, "And what did the others say?", now, story.id)
    died = Problem(ProblemCode.WORKER_DIED, "The model's process was killed.", "4 tokens are kept.")
    broken = answer("They said", second.id, finish=FinishReason.WORKER_DIED, problem=died)
    return Session(
        id=new_id(), title=title, created=now, updated=now, model=MODEL, leaf=broken.id,
        messages=(first, other, story, second, broken),
    )  # fmt: skip


@asynccontextmanager
async def toured(home: Home) -> AsyncIterator[Chat]:
    """Open the chat where the walk through `STOPS` begins, in a home that has the starter model."""
    store, opened = SessionStore(home.paths.sessions), session("paint-bot", 2)
    for each in (opened, session("harbour", 3)):
        store.create(each).close()
    notes = Attachment("notes.md", "Umber is brown.")
    Drafts(home.paths.drafts).write_attachments(opened.id, (notes,))
    PromptHistory(home.paths.state / "history.jsonl").append("What is umber?")
    async with StandIn().serve(home) as engine, Chats(home).open(SMALL, Opening(name="paint")) as chat:
        await engine.tell(ready(home), neighbour())
        await chat.until(lambda: chat.screen._presenter._facts.engine.residents, "for the residents")
        yield chat


STOPS = (
    Stop("chat", Place.CHAT, (), ("The model's process was killed",)),
    Stop("writing", Place.INPUT, (*"hello", "shift+home"), ("hello",)),
    Stop(
        "reading", Place.TRANSCRIPT, ("ctrl+a", "backspace", "shift+tab", "k", "k", "t"), ("A story, then.",)
    ),
    Stop("selecting", Place.SELECTING, ("v", "w", "j"), ("extend",)),
    Stop("finding", Place.FINDING, ("escape", "slash", *"the", "enter"), ("find", "2 of")),
    Stop("panels", Place.PANELS, ("escape", "tab", "f12"), ("fold",)),
    Stop("help", Place.DIALOG, ("escape", "f1"), ("In a chat",)),
    Stop("palette", Place.PALETTE, ("f1", "ctrl+p"), ("Arrange the panels",)),
    Stop("settings", Place.SETTINGS, ("escape", "ctrl+o", "o"), ("Name of a theme",)),
    Stop("models", Place.MODELS, ("escape", "f2"), ("in memory: nothing",)),
    Stop("details", Place.MODELS, ("ctrl+o",), ("in memory with",)),
    Stop("residents", Place.RESIDENTS, ("escape", "escape", "f7"), ("Gemma-27B",)),
    Stop("sessions", Place.SESSIONS, ("escape", "f3"), ("paint-bot", "type to")),
    Stop("rename", Place.SESSIONS, ("ctrl+r",), ("enter",)),
    Stop("statistics", Place.STATISTICS, ("escape", "ctrl+o"), ("tok/s",)),
    Stop("deleted", Place.SESSIONS, ("escape", "ctrl+d"), ("in the trash",)),
    Stop("trash", Place.TRASH, ("ctrl+b",), ("goes for good",)),
    Stop("purge", Place.TRASH, ("ctrl+d",), ("Delete for good",)),
    Stop("search", Place.SEARCH, ("escape", "escape", "ctrl+f", *"robot"), ("2 found",)),
    Stop("branches", Place.BRANCHES, ("escape", "escape", "f4"), ("Write a story",)),
    Stop("beside", Place.BESIDE, ("up", "up", "v"), ("Another story",)),
    Stop("context", Place.CONTEXT, ("escape", "escape", "f5"), ("summarise", "answer")),
    Stop("presets", Place.PRESETS, ("escape", "f10"), ("coder",)),
    Stop("prompt", Place.PRESETS, ("down", "ctrl+e"), ("The prompt of",)),
    Stop("servers", Place.SERVERS, ("escape", "escape", "f11"), ("server",)),
    Stop("compare", Place.COMPARE, ("escape", "shift+tab", "k", "m"), ("mark",)),
    Stop("offered", Place.OFFERED, ("escape", "tab", "slash"), ("/model", "tab complete")),
    Stop("attached", Place.ATTACHMENTS, ("escape", "ctrl+u", "ctrl+o", "v"), ("notes.md", "ctrl+d remove")),
    Stop("sent before", Place.HISTORY, ("escape", "ctrl+o", "h"), ("What is umber",)),
    Stop("themes", Place.THEMES, ("escape", "ctrl+o", "t"), ("themes ", "keep")),
)
"""In the order of a walk: each begins where the one before has led."""

SERVED = (
    Stop("servers that answer", Place.SERVERS, ("f11",), ("servers", "away")),
    Stop("served", Place.SERVED, ("enter",), ("type to filter", "tiny:1b")),
    Stop("card", Place.SERVED, ("ctrl+o",), ("template", "esc close")),
)
"""The same among the servers."""
