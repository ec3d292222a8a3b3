"""The KV cache of one context, and exactly which tokens it holds."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from tui_chat.backends import protocol
from tui_chat.backends.llamacpp.abort import Flag
from tui_chat.backends.llamacpp.worker.branches import WORTHWHILE, Branch, Branches, Draw
from tui_chat.backends.llamacpp.worker.checkpoints import Checkpoint, Checkpoints, Snapshot
from tui_chat.backends.llamacpp.worker.endings import Endings
from tui_chat.backends.llamacpp.worker.native import ABORTED, lib
from tui_chat.backends.llamacpp.worker.states import (
    EVERY_SEQUENCE,
    PARTIAL,
    SEQUENCE,
    State,
    set_state,
    state_size,
    take_state,
)
from tui_chat.memory.pictured import cells, whole


class AbortedError(Exception):
    """The host asked to stop; what was evaluated before stays in the cache."""


class DecodeError(Exception):
    """`llama_decode` gave up with `status`."""

    def __init__(self, status: int) -> None:
        super().__init__(f"llama_decode returned {status}")
        self.status = status


class KvCache:
    """Evaluates tokens in a context and mirrors what its cache then holds.

    `tokens` is always what the cache really contains of the active branch, in order, also after an abort or
    a failure: reusing anything else gives wrong answers without a word.

    Attributes:
        window: Tokens that a sliding window sees, 0 without one.
        recurrent: Whether some of the state is recurrent.
        checkpoints: States to go back to, where cutting the cache off is not enough.
        branches: What it holds beside the active branch, where cutting it off is enough.
        endings: The logits after prompts.
        shifts: Whether its tokens can be moved.
    """

    def __init__(
        self, model: Any, context: Any, checkpoints: Checkpoints | None = None, *, shifts: bool = False
    ) -> None:
        self.tokens: list[int] = []
        self.size: int = lib.llama_n_ctx(context)
        self.context = context
        self.window: int = lib.llama_model_n_swa(model)
        self.recurrent = is_recurrent(model)
        self.checkpoints = checkpoints or Checkpoints(0)
        self._memory = lib.llama_get_memory(context)
        self.shifts = shifts and not self.takes_checkpoints and bool(lib.llama_memory_can_shift(self._memory))
        most = 1 if self.takes_checkpoints else lib.llama_n_seq_max(context)
        self.branches = Branches(self._memory, self.size, most, self.tokens)
        self.endings = Endings(lib.llama_vocab_n_tokens(lib.llama_model_get_vocab(model)))
        self._capacity: int = lib.llama_n_batch(context)
        self._batch = _batch(self._capacity)
        self._single = _batch(1)
        self._single.n_tokens = self._single.logits[0] = 1
        self._single_id, self._single_position = self._single.token, self._single.pos
        self._decode = lib.llama_decode
        self._should_abort = ctypes.cast(ctypes.CDLL(None).strlen, lib.ggml_abort_callback)
        self._never_abort = lib.ggml_abort_callback()
        self._armed = 0

    @property
    def takes_checkpoints(self) -> bool:
        """Whether this cache cannot simply be cut off anywhere."""
        return self.recurrent or self.window > 0

    @property
    def left(self) -> int:
        """How many more tokens of words the context can hold."""
        return self.size - cells(self.tokens)

    @property
    def seam(self) -> int | None:
        """Where tokens that were moved begin (see `Branch`)."""
        return self.branches.active.seam

    def free(self) -> None:
        """Give the batches and the context back; the cache is of no use afterwards."""
        lib.llama_batch_free(self._batch)
        lib.llama_batch_free(self._single)
        lib.llama_free(self.context)

    def arm(self, flag: Flag) -> None:
        """Let `flag` abort evaluations from now on."""
        self._armed = ctypes.addressof(ctypes.c_char.from_buffer(flag.memory, flag.offset))
        lib.llama_set_abort_callback(self.context, self._should_abort, self._armed)

    def reusable(self, keep: int) -> int:
        """How many tokens `rewind` would leave, without doing it."""
        keep = whole(self.tokens, keep)
        if keep >= len(self.tokens) or self._can_rewind(keep):
            return min(keep, len(self.tokens))
        checkpoint = self.checkpoints.last_until(keep)
        return checkpoint.position if checkpoint else 0

    def rewind(self, keep: int) -> int:
        """Go back to `keep` tokens, or as far before them as it takes; return how many are left."""
        keep = whole(self.tokens, keep)
        if keep >= len(self.tokens):
            return len(self.tokens)
        allowed = keep > 0 or not self.takes_checkpoints
        if allowed and self._can_rewind(keep) and self._cut(keep):
            return keep
        return self._fall_back(keep)

    @property
    def tag(self) -> str:
        """The answer that all of it was read or written for; empty if nobody can say."""
        return self.branches.active.tag

    def name(self, tag: str, draw: Draw | None = None) -> None:
        """Say which answer all of it was read or written for, and how that is drawn."""
        self.branches.active.tag, self.branches.active.draw = tag, draw

    def checkpoint(self) -> None:
        """Remember this very place, if the cache could not be rewound to it otherwise."""
        position = len(self.tokens)
        if position == 0 or not self.takes_checkpoints or position in self.checkpoints:
            return
        state = take_state(self.context, PARTIAL)
        if state is not None:
            self.checkpoints.add(Checkpoint(position, state))

    def load(
        self, tokens: list[int], state: State, checkpoints: Iterable[Checkpoint], seam: int | None = None
    ) -> bool:
        """Hold what another context held: its `tokens`, the whole `state` of them, its `checkpoints`.

        What was active is kept beside it if it can be. Returns False with an empty active branch if the
        state does not fit, or llama.cpp refuses it.
        """
        checkpoints = tuple(checkpoints)
        self.leave()
        self._drop_active()
        if not 0 < cells(tokens) <= self.size:
            return False
        self.branches.make_room(cells(tokens))
        if not set_state(self.context, state) or self._held() != len(tokens):
            self._drop_active()
            return False
        self.tokens += tokens
        self.branches.active.seam = seam
        self.branches.recount()
        if self.takes_checkpoints:
            self.checkpoints.replace(checkpoints)
        return True

    def leave(self) -> None:
        """Keep the active branch for a return, if that is worth it and there is room."""
        if not self.takes_checkpoints:
            self.branches.leave()
        elif len(self.tokens) > WORTHWHILE and self.checkpoints.fits(state_size(self.context)):
            state = take_state(self.context)
            if state is not None:
                tag = self.branches.active.tag
                kept = self.checkpoints.kept
                self.checkpoints.leave(Snapshot(list(self.tokens), state, kept, tag))

    def evaluate(self, tokens: list[int], *, output: bool) -> None:
        """Append at most a batch of `tokens`; `output` asks for the logits of the last one.

        Raises:
            AbortedError: The armed flag was raised.
            DecodeError: llama.cpp failed.
        """
        count, start = len(tokens), len(self.tokens)
        ids, positions, outputs = self._batch.token, self._batch.pos, self._batch.logits
        for i, token in enumerate(tokens):
            ids[i] = token
            positions[i] = start + i
        self._batch.n_tokens = count
        outputs[count - 1] = output
        self.branches.make_room(start + count)
        status = self._decode(self.context, self._batch)
        outputs[count - 1] = 0
        self.tokens += tokens
        if status != 0:
            self._fail(status, start)

    def show(self, tokens: list[int], evaluate: Callable[[int], int]) -> None:
        """Append a part of a picture, which is `tokens` here: `evaluate` does it, from a position on.

        Raises:
            AbortedError: The armed flag was raised; nothing of it is left.
            DecodeError: llama.cpp failed; nothing of it is left.
        """
        start = len(self.tokens)
        self.branches.make_room(start + cells(tokens))
        status = evaluate(start)
        self.tokens += tokens
        self.branches.recount()
        if status != 0:
            self._fail(status, start)

    def append(self, token: int) -> None:
        """Evaluate one more token for its logits: `evaluate`, as lean as the decode loop wants it.

        Raises:
            AbortedError: The armed flag was raised.
            DecodeError: llama.cpp failed.
        """
        tokens = self.tokens
        self._single_id[0] = token
        self._single_position[0] = length = len(tokens)
        if length >= self.branches.room:
            self.branches.make_room(length + 1)
        status = self._decode(self.context, self._single)
        tokens.append(token)
        if status != 0:
            self._fail(status, len(tokens) - 1)

    def move(self, start: int, end: int, token: int) -> None:
        """Drop the tokens from `start` to `end`, move up those that follow, and evaluate `token` after them.

        llama.cpp turns the moved keys when it next evaluates something. If it is aborted at that, it turns
        some of them twice the next time; so it is made to do it here, where nothing can abort it.

        Raises:
            DecodeError: llama.cpp failed; the cache is empty.
        """
        self.branches.move(start, end)
        lib.llama_set_abort_callback(self.context, self._never_abort, None)
        try:
            self.append(token)
        except DecodeError:
            self.clear()
            raise
        finally:
            if self._armed:
                lib.llama_set_abort_callback(self.context, self._should_abort, self._armed)

    def adopt(self, active: Branch, kept: Iterable[Branch], state: State) -> bool:
        """Hold all branches that another context's cache held, given the `state` of `EVERY_SEQUENCE`.

        Returns False with an empty cache if llama.cpp refuses it.
        """
        if not set_state(self.context, state, sequence=EVERY_SEQUENCE):
            self.clear()
            return False
        self.branches.adopt(active, kept)
        if self._held() != len(self.tokens):
            self.clear()
            return False
        return True

    def clear(self) -> None:
        """Forget everything."""
        self.branches.clear()
        self.checkpoints.forget()
        self.endings.clear()

    def _can_rewind(self, keep: int) -> bool:
        """Whether the cache still holds all that tokens after position `keep` attend to.

        Recurrent state cannot go back. A sliding window's cells are overwritten as the window moves on,
        and llama.cpp lets one rewind past what is left of them without complaint.
        """
        if self.recurrent:
            return False
        if self.window == 0:
            return True
        oldest: int = lib.llama_memory_seq_pos_min(self._memory, SEQUENCE)
        return oldest == 0 or 0 <= oldest < max(0, keep - self.window)

    def _cut(self, keep: int) -> bool:
        if not self.branches.cut(keep):
            return False
        self.checkpoints.forget_after(keep)
        return True

    def _drop_active(self) -> None:
        """Hold nothing of the active branch any more."""
        if self.takes_checkpoints:
            self.branches.clear()
            self.checkpoints.clear()
        else:
            self.branches.cut(0)

    def _fall_back(self, keep: int) -> int:
        """Go to the last checkpoint of at most `keep` tokens, or to nothing; return how many are left."""
        checkpoint = self.checkpoints.last_until(keep)
        if (
            checkpoint is not None
            and set_state(self.context, checkpoint.state, PARTIAL)
            and self._cut(checkpoint.position)
            and self._held() == checkpoint.position
        ):
            return checkpoint.position
        self._drop_active()
        return 0

    def _held(self) -> int:
        held: int = lib.llama_memory_seq_pos_max(self._memory, SEQUENCE) + 1
        return held

    def _fail(self, status: int, start: int) -> NoReturn:
        """Keep what an unfinished evaluation left if it is certain to be valid, and say why it ended."""
        held = whole(self.tokens, self._held())
        certain = start <= held <= len(self.tokens) and self._can_rewind(held)
        if not certain or not self._cut(held):
            self._fall_back(start)
        if status == ABORTED:
            raise AbortedError
        raise DecodeError(status)


def branches_of(cache: KvCache) -> tuple[protocol.Branch, ...]:
    """The conversations that `cache` holds, or can go back to, and that have a name."""
    held = [*((branch.tag, branch.tokens) for branch in (cache.branches.active, *cache.branches.kept))]
    held += [(left.tag, left.tokens) for left in cache.checkpoints.left]
    return tuple(protocol.Branch(tag, len(tokens)) for tag, tokens in held if tag and tokens)


def is_recurrent(model: Any) -> bool:
    """Whether some of a model's state is recurrent."""
    return bool(lib.llama_model_is_recurrent(model) or lib.llama_model_is_hybrid(model))


def _batch(capacity: int) -> Any:
    """Room for that many tokens, all of our one sequence, none asking for logits."""
    batch = lib.llama_batch_init(capacity, 0, 1)
    for i in range(capacity):
        batch.n_seq_id[i] = 1
        batch.seq_id[i][0] = SEQUENCE
        batch.logits[i] = 0
    return batch
