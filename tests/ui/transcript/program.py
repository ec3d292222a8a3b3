"""The program the transcript's benchmark drives: `program.py grow|type REPORT_FD KEYS`."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import random
import re
import resource
import sys
import time

from textual.app import App, ComposeResult
from textual.widgets import Input, Static

from tui_chat.ui.transcript import AnswerItem, Item, Transcript, UserItem

TOKENS = 20_000
PER_FLUSH = 7
"""Tokens of a flush: 200 a second, shown 30 times a second."""

MESSAGES = 1_000
RATE = 200.0

_WORDS = str.split(
    "the model keeps weights in memory while tokens stream from the backend and each layer is offloaded to a "
    "device with enough free space so latency stays low under load"
)
_CODE = (
    "for i in range(10):", "x = compute(i, j) + 42", "# a comment here", "return {'a': 1, 'b': [1, 2, 3]}",
    "if value is None:", "print(f'{value!r}')",
)  # fmt: skip


def prose(chance: random.Random, words: int) -> str:
    """Return a paragraph with some emphasis and code in it."""
    forms = ["{}"] * 22 + ["**{}**", "`{}`", "*{}*"]
    return " ".join(chance.choice(forms).format(chance.choice(_WORDS)) for _ in range(words)) + "."


def section(chance: random.Random, number: int) -> str:
    """Return a heading with paragraphs, code, a list, and a table: about 330 tokens."""
    code = "\n".join("    " * (line % 3) + chance.choice(_CODE) for line in range(20))
    table = "\n".join(
        f"| m{chance.randint(1, 99)} | {chance.randint(1, 70)} GB | {chance.randint(1, 999)} |"
        for _ in range(6)
    )
    bullets = "\n".join(f"- {prose(chance, 10)}" for _ in range(6))
    parts = [
        f"## Section {number}",
        prose(chance, 80),
        f"```python\n{code}\n```",
        bullets,
        f"| name | size | speed |\n|---|---|---|\n{table}",
        prose(chance, 60),
    ]
    return "\n\n".join(parts) + "\n\n"


def message(seed: int) -> str:
    """Return a message of about 300 words."""
    chance = random.Random(seed)
    return "\n\n".join([prose(chance, 90), f"### Heading {seed}", prose(chance, 110), prose(chance, 90)])


def tokens(text: str) -> list[str]:
    """Cut a text into pieces about as long as a model's tokens."""
    return re.findall(r"\s*\S{1,5}|\s+$", text)


class Bench(App[None]):
    """Streams into a transcript, as fast as it paints (`grow`) or while someone types (`type`)."""

    CSS = "#transcript { height: 1fr; } #keys { height: 1; }"

    def __init__(self, mode: str, report: int, keys: int) -> None:
        super().__init__()
        self.mode, self.report, self.keys = mode, report, keys
        self.typed = 0

    def compose(self) -> ComposeResult:
        yield Transcript(id="transcript")
        yield Static("K00000", id="keys")
        yield Input(id="input")

    def on_mount(self) -> None:
        self.query_one(Input).focus()
        self.run_worker(self.work())

    def say(self, text: str) -> None:
        self.query_one("#keys", Static).update(text, layout=False)

    def on_input_changed(self) -> None:
        self.typed += 1
        self.say(f"K{self.typed:05d}")

    async def painted(self) -> None:
        done = asyncio.Event()
        self.call_after_refresh(done.set)
        await done.wait()

    async def work(self) -> None:
        transcript = self.query_one(Transcript)
        items: list[Item] = []
        for number in range(MESSAGES if self.mode == "type" else 0):
            text = message(number)
            answer = AnswerItem(id=str(number), model="m", text=text)
            items.append(UserItem(id=str(number), text=text) if number % 2 else answer)
        transcript.set_items([*items, AnswerItem(id="live", model="m")])
        await self.painted()
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 50, 1_000)
        self.say("READY0")
        result = await (self.typing(transcript) if self.mode == "type" else self.growing(transcript))
        result["rss_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        os.write(self.report, json.dumps(result).encode() + b"\n")
        self.say("DONE00")
        await self.painted()
        self.exit()

    async def growing(self, transcript: Transcript) -> dict[str, float]:
        chance = random.Random(1)
        text = ""
        pieces: list[str] = []
        while len(pieces) < TOKENS:
            text += section(chance, len(text))
            pieces = tokens(text) if len(text) > TOKENS * 4 else []
        costs = []
        for at in range(0, TOKENS, PER_FLUSH):
            start = time.process_time()
            transcript.stream("live", "".join(pieces[at : at + PER_FLUSH]))
            transcript.flush()
            await self.painted()
            costs.append((time.process_time() - start) * 1e3)
        tenth = len(costs) // 10
        first, last = sum(costs[1 : tenth + 1]), sum(costs[-tenth:])
        return {"ratio": last / first, "flush_ms": sum(costs) / len(costs)}

    async def typing(self, transcript: Transcript) -> dict[str, float]:
        chance = random.Random(2)
        start, sent = time.monotonic(), 0
        pieces: list[str] = []
        while self.typed <= self.keys:
            due = int((time.monotonic() - start) * RATE)
            while len(pieces) < due:
                pieces += tokens(section(chance, due))
            for piece in pieces[sent:due]:
                transcript.stream("live", piece)
            sent = due
            await asyncio.sleep(0.02)
        return {}


if __name__ == "__main__":
    Bench(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])).run()
