"""Walks at random over a `KvCache` and says, as JSON, how far its logits ever were from the right ones.

Run as a process of its own, because it loads llama.cpp:
``python walk.py MODEL SEED STEPS PARK [resume] [short]``. The walk ends by parking into the file PARK; with
``resume`` it begins by restoring from there, and with ``short`` the machine has no RAM for checkpoints.
The reference is always a fresh evaluation in the same pieces in another context, so that only what the
cache holds can make a difference.
"""

from __future__ import annotations

import json
import random
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tui_chat.backends.llamacpp.abort import AbortFlags, create_flags
from tui_chat.backends.llamacpp.worker.cache import AbortedError, KvCache
from tui_chat.backends.llamacpp.worker.checkpoints import Checkpoints
from tui_chat.backends.llamacpp.worker.native import lib
from tui_chat.backends.llamacpp.worker.parking import park, restore
from tui_chat.backends.llamacpp.worker.states import take_state
from tui_chat.memory.parkfile import KvIdentity, ParkLabel
from tui_chat.wire.plan import KvType

VOCABULARY = 500
BATCH = 128
PIECE = 5
"""Tokens evaluated at once; all turns are multiples of it, because other shapes round differently."""
TURNS = range(1, 60)
LONGEST = 1500
CHECKPOINTS = 4 << 20
MORE_THAN_THERE_IS = 1 << 60

IDENTITY = KvIdentity(
    fingerprint="a model's",
    weights="",
    backend="a library's",
    kv_type=KvType.F16,
    flash_attention=True,
    window=0,
    recurrent=False,
)


@dataclass
class Walk:
    """A conversation of random turns, each a list of tokens, in a cache that may hold less of it."""

    model: Any
    draw: random.Random
    cache: KvCache
    fresh: KvCache
    flags: AbortFlags = field(default_factory=lambda: AbortFlags(create_flags()))
    turns: list[list[int]] = field(default_factory=list)
    saved: int = 0
    asked: int = 0
    error: float = 0.0

    @property
    def story(self) -> list[int]:
        return [token for turn in self.turns for token in turn]

    def read(self) -> None:
        """Bring the cache to the whole story, as a prompt is, and compare the logits at its end."""
        story = self.story
        kept = self.cache.reuse(story)
        kept = self.cache.rewind(kept - kept % PIECE)
        assert self.cache.tokens == story[:kept]
        self.saved += kept
        self.asked += len(story)
        ends = {sum(map(len, self.turns[:count])) for count in range(len(self.turns))}
        _evaluate(self.cache, story[kept:], ends)
        self.fresh.clear()
        _evaluate(self.fresh, story)
        pairs = zip(_logits(self.cache), _logits(self.fresh), strict=True)
        self.error = max(self.error, max(abs(one - other) for one, other in pairs))

    def append(self) -> None:
        self.turns.append([self.draw.randrange(VOCABULARY) for _ in range(PIECE * self.draw.choice(TURNS))])
        if len(self.story) > LONGEST:
            del self.turns[self.draw.randrange(1, len(self.turns)) :]

    def edit(self) -> None:
        """Replace one of the last turns, and drop what followed."""
        if self.turns:
            del self.turns[-self.draw.randint(1, min(3, len(self.turns))) :]
        self.append()

    def regenerate(self) -> None:
        """Ask for the end of the story once more."""
        if not self.turns:
            self.append()

    def resize(self) -> None:
        size = self.draw.choice([2048, 4096])
        held, state, kept = self.cache.tokens, take_state(self.cache.context), self.cache.checkpoints.kept
        self.cache.free()
        self.cache = make_cache(self.model, size)
        if state is not None:
            assert self.cache.load(held, state, kept)

    def abort(self) -> None:
        """Stop while a piece of a new turn is evaluated; what the cache then holds is compared next."""
        self.append()
        self.cache.arm(self.flags.of(1))
        self.cache.rewind(self.cache.reuse(self.story) // PIECE * PIECE)
        self.flags.hoist(1)
        try:
            self.cache.evaluate(self.story[len(self.cache.tokens) :][:PIECE], output=False)
        except AbortedError:
            pass
        else:
            raise AssertionError("the flag stopped nothing")
        finally:
            self.flags.lower(1)


def make_cache(model: Any, size: int) -> KvCache:
    params = lib.llama_context_default_params()
    params.n_ctx, params.n_batch, params.n_ubatch = size, BATCH, BATCH
    params.n_seq_max = params.n_outputs_max = params.n_threads = params.n_threads_batch = 1
    params.swa_full = False
    floor = MORE_THAN_THERE_IS if "short" in sys.argv else 0
    return KvCache(model, lib.llama_init_from_model(model, params), Checkpoints(CHECKPOINTS, floor))


def _evaluate(cache: KvCache, tokens: list[int], ends: set[int] = frozenset()) -> None:
    for at in range(0, len(tokens), PIECE):
        if len(cache.tokens) in ends:
            cache.checkpoint()
        cache.evaluate(tokens[at : at + PIECE], output=at + PIECE >= len(tokens))


def _logits(cache: KvCache) -> list[float]:
    return list(lib.llama_get_logits_ith(cache.context, -1)[:VOCABULARY])


def main(path: str, seed: int, steps: int, file: Path, resume: bool) -> None:
    silent = lib.llama_log_callback(lambda _level, _text, _data: None)
    lib.llama_log_set(silent, None)
    model = lib.llama_model_load_from_file(path.encode(), lib.llama_model_default_params())
    walk = Walk(model, random.Random(seed), make_cache(model, 2048), make_cache(model, 2048))
    turns = file.with_suffix(".turns")
    if resume:
        walk.turns = json.loads(turns.read_text())
        restored = restore(walk.cache, IDENTITY, str(file))
        assert restored == len(walk.story) == len(walk.cache.tokens)
        walk.edit()
        walk.read()
    for _ in range(steps):
        walk.draw.choice([walk.append, walk.append, walk.edit, walk.regenerate, walk.resize, walk.abort])()
        if not walk.turns:
            walk.append()
        walk.read()
    file.write_bytes(b"")
    park(walk.cache, IDENTITY, str(file), ParkLabel("tiny"))
    turns.write_text(json.dumps(walk.turns))
    kept = len(walk.cache.checkpoints.kept)
    print(json.dumps({"error": walk.error, "saved": walk.saved / walk.asked, "checkpoints": kept}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]), "resume" in sys.argv)
