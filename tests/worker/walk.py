"""Walks at random over a tree of stories, and says, as JSON, how far a cache's logits ever were from right.

Run as a process of its own, because it loads llama.cpp:
``python walk.py MODEL SEED STEPS PARK [resume] [short] [exact]``. The walk ends by parking into the file
PARK; with ``resume`` it begins by restoring from there, and with ``short`` the machine has no RAM for
checkpoints.

The reference is always a fresh evaluation in the same pieces in another context, so that only what the
cache holds can make a difference, and where its cells lie: sums are rounded in another order. What other
pieces alone make is measured beside it. With ``exact`` all is computed with 32 bits, where rounding is
smaller by a thousand times and what is wrong is not.
"""

from __future__ import annotations

import json
import random
import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tui_chat.backends.llamacpp.abort import AbortFlags, create_flags
from tui_chat.backends.llamacpp.worker.cache import AbortedError, KvCache
from tui_chat.backends.llamacpp.worker.checkpoints import Checkpoints
from tui_chat.backends.llamacpp.worker.native import lib
from tui_chat.backends.llamacpp.worker.params import KV_TYPES
from tui_chat.backends.llamacpp.worker.parking import park, restore
from tui_chat.backends.llamacpp.worker.resize import bring_back, save
from tui_chat.backends.llamacpp.worker.reuse import reusable, reuse
from tui_chat.memory.parkfile import KvIdentity, ParkLabel
from tui_chat.memory.sequences import common_length
from tui_chat.memory.sharing import BRANCHES
from tui_chat.wire.plan import KvType

VOCABULARY = 500
BATCH = 128
PIECE = 5
"""Tokens evaluated at once; all turns are multiples of it, because other shapes round differently."""
OTHER_PIECES = (1, 64, BATCH)
TURNS = range(1, 60)
LONGEST = 1500
REMEMBERED = 12
"""Stories that may be gone back to."""
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

Turns = list[list[int]]


@dataclass
class Walk:
    """A tree of random turns, each a list of tokens, in a cache that may hold less of it.

    Attributes:
        turns: Those of the branch that is being told.
        left: Branches that were told before.
        file: To park in.
        saved, asked: Tokens that need not be evaluated, of how many.
        error: The largest difference of any logit from a fresh evaluation's.
        noise: The largest that other pieces make by themselves.
        returns: How many stories had been there to their end.
        moved: Tokens that were moved in the cache.
    """

    model: Any
    draw: random.Random
    cache: KvCache
    fresh: KvCache
    file: Path
    flags: AbortFlags = field(default_factory=lambda: AbortFlags(create_flags()))
    turns: Turns = field(default_factory=list)
    left: list[Turns] = field(default_factory=list)
    saved: int = 0
    asked: int = 0
    error: float = 0.0
    noise: float = 0.0
    returns: int = 0
    moved: int = 0
    told: int = 0

    @property
    def story(self) -> list[int]:
        return _joined(self.turns)

    def read(self) -> None:
        """Bring the cache to the whole story, as a prompt is, and compare the logits at its end."""
        story = self.story
        promised = reusable(self.cache, story)
        found = reuse(self.cache, story)
        assert found.tokens == promised
        kept = found.tokens if found.logits else self.cache.rewind(found.tokens - found.tokens % PIECE)
        assert self.cache.tokens == story[:kept]
        self.saved += kept
        self.asked += len(story)
        self.returns += found.logits is not None
        if found.logits is None:
            ends = {sum(map(len, self.turns[:count])) for count in range(len(self.turns))}
            evaluate(self.cache, story[kept:], ends)
            self.cache.endings.keep(story, self.cache.context, shifted=False)
        self.fresh.clear()
        evaluate(self.fresh, story)
        right = logits(self.fresh)
        self.error = max(self.error, difference(found.logits or logits(self.cache), right))
        self.fresh.clear()
        evaluate(self.fresh, story, piece=OTHER_PIECES[self.told % len(OTHER_PIECES)])
        self.told += 1
        self.noise = max(self.noise, difference(logits(self.fresh), right))
        self.left = [*self.left, list(self.turns)][-REMEMBERED:]

    def append(self) -> None:
        self.turns.append([self.draw.randrange(VOCABULARY) for _ in range(PIECE * self.draw.choice(TURNS))])
        if len(self.story) > LONGEST:
            del self.turns[self.draw.randrange(1, len(self.turns)) :]

    def edit(self) -> None:
        """Replace one of the turns, and drop what followed."""
        if self.turns:
            del self.turns[-self.draw.randint(1, len(self.turns)) :]
        self.append()

    def regenerate(self) -> None:
        """Ask for the end of the story once more."""
        if not self.turns:
            self.append()

    def go_to_sibling(self) -> None:
        """Go on with a story that was told before, or from somewhere in it."""
        if self.left:
            self.turns = list(self.draw.choice(self.left))
            if self.draw.random() < 0.5:
                self.append()

    def trim(self) -> None:
        """Let the cache move what follows dropped turns; what it then holds of them is nobody else's.

        Told next is the same without having been moved, what it was before, or what left that only lately.
        """
        self.append()
        first, *others = self.turns
        trimmed = [first, *others[self.draw.choice([1, 1, 2]) :]]
        story = _joined(trimmed)
        promised = reusable(self.cache, story, shift=True)
        found = reuse(self.cache, story, shift=True)
        assert found.tokens == promised
        self.moved += found.moved
        if found.logits is None:
            assert self.cache.tokens[: found.tokens] == story[: found.tokens]
            evaluate(self.cache, story[len(self.cache.tokens) :])
            self.cache.endings.keep(story, self.cache.context, shifted=self.cache.seam is not None)
        sharing = max(
            self.left, key=lambda left: common_length(_joined(left), self.story), default=self.turns
        )
        self.turns = list(self.draw.choice([trimmed, self.turns, sharing]))

    def resize(self) -> None:
        """Have another context, which may be too short for all branches, but not for the story."""
        size = self.draw.choice([2048, 3072, 4096])
        saved = save(self.cache, size)
        self.cache.free()
        self.cache = make_cache(self.model, size)
        bring_back(self.cache, saved)
        assert self.cache.tokens == saved.active.tokens

    def park(self) -> None:
        """Park what is there, and say something else."""
        if self.cache.tokens:
            self.file.write_bytes(b"")
            park(self.cache, IDENTITY, str(self.file), ParkLabel("tiny"))
        self.append()

    def restore(self) -> None:
        """Have what was parked last come back, whatever is to be read next."""
        if self.file.exists() and self.file.stat().st_size:
            assert restore(self.cache, IDENTITY, str(self.file)) == len(self.cache.tokens)

    def abort(self) -> None:
        """Stop while a piece of a new turn is evaluated; what the cache then holds is compared next."""
        self.append()
        self.cache.arm(self.flags.of(1))
        self.cache.rewind(reuse(self.cache, self.story).tokens // PIECE * PIECE)
        if len(self.cache.tokens) == len(self.story):
            return
        self.flags.hoist(1)
        self._is_stopped(self.story[len(self.cache.tokens) :][:PIECE])

    def abort_answer(self) -> None:
        """Have a few words of an answer written, and stop in the middle of one."""
        self.cache.arm(self.flags.of(1))
        for _ in range(min(self.draw.randint(1, 60), self.cache.size - len(self.cache.tokens) - 1)):
            self.cache.append(self.draw.randrange(VOCABULARY))
        self.flags.hoist(1)
        self._is_stopped([self.draw.randrange(VOCABULARY)])

    def _is_stopped(self, piece: list[int]) -> None:
        try:
            self.cache.evaluate(piece, output=False)
        except AbortedError:
            pass
        else:
            raise AssertionError("the flag stopped nothing")
        finally:
            self.flags.lower(1)

    def step(self) -> None:
        """Do one thing to the tree or the cache, and tell the story again."""
        self.draw.choice(
            [
                *(
                    self.append,
                    self.append,
                    self.edit,
                    self.regenerate,
                    self.go_to_sibling,
                    self.go_to_sibling,
                ),
                *(self.trim, self.resize, self.abort, self.abort_answer, self.park, self.restore),
            ]
        )()
        if not self.turns:
            self.append()
        self.read()


def make_cache(model: Any, size: int) -> KvCache:
    params = lib.llama_context_default_params()
    params.n_ctx, params.n_batch, params.n_ubatch = size, BATCH, BATCH
    cuts = not (lib.llama_model_is_recurrent(model) or lib.llama_model_is_hybrid(model))
    cuts = cuts and lib.llama_model_n_swa(model) == 0
    params.n_seq_max = params.n_outputs_max = BRANCHES if cuts else 1
    params.n_threads = params.n_threads_batch = 1
    params.swa_full, params.kv_unified = False, True
    if "exact" in sys.argv:
        params.type_k = params.type_v = KV_TYPES[KvType.F32]
        params.flash_attn_type = lib.LLAMA_FLASH_ATTN_TYPE_DISABLED
    floor = MORE_THAN_THERE_IS if "short" in sys.argv else 0
    context = lib.llama_init_from_model(model, params)
    return KvCache(model, context, Checkpoints(CHECKPOINTS, floor), shifts=True)


def evaluate(cache: KvCache, tokens: list[int], ends: set[int] = frozenset(), piece: int = PIECE) -> None:
    for at in range(0, len(tokens), piece):
        if len(cache.tokens) in ends:
            cache.checkpoint()
        cache.evaluate(tokens[at : at + piece], output=at + piece >= len(tokens))


def logits(cache: KvCache) -> Sequence[float]:
    return array("f", lib.llama_get_logits_ith(cache.context, -1)[:VOCABULARY])


def difference(one: Sequence[float], other: Sequence[float]) -> float:
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


def _joined(turns: Turns) -> list[int]:
    return [token for turn in turns for token in turn]


def main(path: str, seed: int, steps: int, file: Path, resume: bool) -> None:
    silent = lib.llama_log_callback(lambda _level, _text, _data: None)
    lib.llama_log_set(silent, None)
    model = lib.llama_model_load_from_file(path.encode(), lib.llama_model_default_params())
    walk = Walk(model, random.Random(seed), make_cache(model, 2048), make_cache(model, 2048), file)
    turns = file.with_suffix(".turns")
    if resume:
        walk.turns = json.loads(turns.read_text())
        restored = restore(walk.cache, IDENTITY, str(file))
        assert restored == len(walk.story) == len(walk.cache.tokens)
        walk.edit()
        walk.read()
    for _ in range(steps):
        walk.step()
    file.write_bytes(b"")
    park(walk.cache, IDENTITY, str(file), ParkLabel("tiny"))
    turns.write_text(json.dumps(walk.turns))
    report = {
        "error": walk.error,
        "noise": walk.noise,
        "saved": walk.saved / walk.asked,
        "checkpoints": len(walk.cache.checkpoints.kept),
        "branches": len(walk.cache.branches.kept) + len(walk.cache.checkpoints.left),
        "returns": walk.returns,
        "moved": walk.moved,
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]), "resume" in sys.argv)
