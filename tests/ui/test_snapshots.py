"""How the screens look after send, cancel, error and resume, kept as text.

After a wanted change: ``UPDATE_SNAPSHOTS=1 pytest tests/ui/test_snapshots.py``, and read the diff.
"""

from __future__ import annotations

from datetime import UTC, datetime

from tests.ui.snapshot import SIZES, check, named
from tests.ui.stand_in import StandIn, neighbour, ready
from tests.ui.support import Chats
from tui_chat.chat.ids import new_id
from tui_chat.chat.model import (
    Answer,
    FinishReason,
    Message,
    Problem,
    ProblemCode,
    Role,
    Sampling,
    Session,
    Timings,
    Usage,
)
from tui_chat.store.sessions import SessionStore
from tui_chat.ui.opening import Opening
from tui_chat.wire.plan import Source

MODEL = "SmolLM2-135M-Instruct.Q4_1"

STORY = """Once upon a time a **robot** named `Umber` picked up a brush.

```python
def mix(a, b):
    return (a + b) / 2  # halfway
```

1. First came the blue
2. Then the ochre

| pigment | hue |
|---|---|
| ultramarine | blue |

> Painting is keeping a diary."""


def _session() -> Session:
    now = datetime.now(UTC)

    def answer(text: str, parent: str, **how: object) -> Message:
        meta = {"finish": FinishReason.STOP, "usage": Usage(5930, 312, 5812), **how}
        meta["timings"] = Timings(decode_tps=204.3, ttft_ms=90, thinking_ms=3100)
        thinking = "A story, then." if "problem" not in how else ""
        said = Answer(model=MODEL, **meta)
        return Message(new_id(), Role.ASSISTANT, text, now, parent, thinking, said)

    first = Message(new_id(), Role.USER, "Write a story about a robot who learns to paint.", now)
    story = answer(STORY, first.id)
    second = Message(new_id(), Role.USER, "And what did the others say?", now, story.id)
    died = Problem(ProblemCode.WORKER_DIED, "The model's process was killed.", "4 tokens are kept.")
    broken = answer("They said", second.id, finish=FinishReason.WORKER_DIED, problem=died)
    return Session(
        id=new_id(),
        title="paint-bot",
        created=now,
        updated=now,
        model=MODEL,
        leaf=broken.id,
        messages=(first, story, second, broken),
    )


@SIZES
async def test_resumed(chats: Chats, size: tuple[int, int]) -> None:
    SessionStore(chats.home.paths.sessions).create(_session()).close()
    async with chats.open(size, Opening(name="paint")) as chat:
        await chat.sees("The model's process was killed")
        await check(named("resumed", size), chat)
        await chat.press("shift+tab", "k", "ctrl+up", "t")
        await chat.sees("A story, then.")
        await check(named("read", size), chat)


@SIZES
async def test_sent(chats: Chats, size: tuple[int, int]) -> None:
    async with chats.open(size) as chat:
        await check(named("empty", size), chat)
        await chat.say("Say hello.")
        await chat.answered()
        await chat.sees("tok/s · first token", "ctx 8k")
        await check(named("sent", size), chat, chat.conversation.tree.path()[-1].text)


@SIZES
async def test_cancelled(chats: Chats, size: tuple[int, int]) -> None:
    chats.sampling = Sampling(temperature=0.0, max_tokens=2000)
    async with chats.open(size) as chat:
        await chat.say("Say yes.")
        await chat.until(lambda: chat.conversation.live and chat.conversation.live.tokens > 2, "for text")
        await chat.press("escape")
        await chat.answered()
        await chat.sees("You stopped this answer", "tok/s · first token", "ctx 8k")
        await check(named("cancelled", size), chat, chat.conversation.tree.path()[-1].text)


@SIZES
async def test_switcher(chats: Chats, size: tuple[int, int]) -> None:
    """Opened, filtered, given less context and a thriftier cache, looked at closely."""
    (chats.home.paths.models / "torn.gguf").write_bytes(b"GGUF\3\0\0\0")
    async with chats.open(size) as chat:
        await chat.press("f2")
        await chat.sees("plan: All in RAM with 8k", "torn")
        await chat.press("left", "left_square_bracket")
        await chat.sees("with 4k of context", "KV 48 +", "◂   4k ▸ q8_0")
        await check(named("switcher", size), chat)
        await chat.press("ctrl+o")
        prices = chat.app.screen_stack[1]._prices
        await chat.until(lambda: prices.latest(MODEL).source is Source.LLAMA_CPP, "for llama.cpp's word")
        await chat.sees("planned with    context 4,096 · KV q8_0")
        await check(named("details", size), chat)


@SIZES
async def test_residents(chats: Chats, size: tuple[int, int]) -> None:
    """Seen from the chat, with everything an engine can tell of its residents."""
    async with StandIn().serve(chats.home) as engine, chats.open(size) as chat:
        await engine.tell(ready(chats.home), neighbour())
        await chat.press("f7")
        await chat.sees("free 8.0 of 24.0 GiB", "Gemma-27B")
        await check(named("residents", size), chat)
        await chat.press("f7", "f2")
        await chat.sees("switch now", "in memory: nothing has to be loaded")
        await check(named("switcher-residents", size), chat)


@SIZES
async def test_no_model(empty_chats: Chats, size: tuple[int, int]) -> None:
    async with empty_chats.open(size) as chat:
        await chat.say("hello")
        await chat.sees("No model is chosen")
        await check(named("no-model", size), chat)
