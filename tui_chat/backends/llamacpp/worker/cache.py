"""The KV cache of one context, and exactly which tokens it holds."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable
from typing import Any, NoReturn

from tui_chat.backends.llamacpp.abort import Flag
from tui_chat.backends.llamacpp.worker.checkpoints import Checkpoint, Checkpoints
from tui_chat.backends.llamacpp.worker.native import lib
from tui_chat.backends.llamacpp.worker.states import PARTIAL, SEQUENCE, State, set_state, take_state
from tui_chat.backends.protocol import Branch

_ABORTED = 2


class AbortedError(Exception):
    """The host asked to stop; what was evaluated before stays in the cache."""


class DecodeError(Exception):
    """`llama_decode` gave up with `status`."""

    def __init__(self, status: int) -> None:
        super().__init__(f"llama_decode returned {status}")
        self.status = status


class KvCache:
    """Evaluates tokens in a context and mirrors what its cache then holds.

    `tokens` is always what the cache really contains, in order, also after an abort or a failure:
    reusing anything else gives wrong answers without a word.

    Attributes:
        window: Tokens that a sliding window sees, 0 without one.
        recurrent: Whether some of the state is recurrent.
        checkpoints: States to go back to, where cutting the cache off is not enough.
        tag: The answer that all of it was read or written for; empty if nobody can say.
    """

    def __init__(self, model: Any, context: Any, checkpoints: Checkpoints | None = None) -> None:
        self.tokens: list[int] = []
        self.tag = ""
        self.size: int = lib.llama_n_ctx(context)
        self.context = context
        self.window: int = lib.llama_model_n_swa(model)
        self.recurrent = bool(lib.llama_model_is_recurrent(model) or lib.llama_model_is_hybrid(model))
        self.checkpoints = checkpoints or Checkpoints(0)
        self._memory = lib.llama_get_memory(context)
        self._capacity: int = lib.llama_n_batch(context)
        self._batch = _batch(self._capacity)
        self._single = _batch(1)
        self._single.n_tokens = self._single.logits[0] = 1
        self._single_id, self._single_position = self._single.token, self._single.pos
        self._decode = lib.llama_decode
        self._should_abort = ctypes.cast(ctypes.CDLL(None).strlen, lib.ggml_abort_callback)

    @property
    def takes_checkpoints(self) -> bool:
        """Whether this cache cannot simply be cut off anywhere."""
        return self.recurrent or self.window > 0

    def free(self) -> None:
        """Give the batches and the context back; the cache is of no use afterwards."""
        lib.llama_batch_free(self._batch)
        lib.llama_batch_free(self._single)
        lib.llama_free(self.context)

    def arm(self, flag: Flag) -> None:
        """Let `flag` abort evaluations from now on."""
        address = ctypes.addressof(ctypes.c_char.from_buffer(flag.memory, flag.offset))
        lib.llama_set_abort_callback(self.context, self._should_abort, address)

    def reuse(self, prompt: list[int]) -> int:
        """Keep the longest valid beginning of `prompt`, drop the rest; return how many tokens that is.

        At least one token of the prompt is left to evaluate, because its logits are needed.
        """
        return self.rewind(common_length(self.tokens, prompt[:-1]))

    def reusable(self, keep: int) -> int:
        """How many tokens `rewind` would leave, without doing it."""
        if keep >= len(self.tokens) or self._can_rewind(keep):
            return min(keep, len(self.tokens))
        checkpoint = self.checkpoints.last_until(keep)
        return checkpoint.position if checkpoint else 0

    def rewind(self, keep: int) -> int:
        """Go back to `keep` tokens, or as far before them as it takes; return how many are left."""
        if keep >= len(self.tokens):
            return len(self.tokens)
        if keep > 0 and self._can_rewind(keep) and self._cut(keep):
            return keep
        return self._fall_back(keep)

    def checkpoint(self) -> None:
        """Remember this very place, if the cache could not be rewound to it otherwise."""
        position = len(self.tokens)
        if position == 0 or not self.takes_checkpoints or position in self.checkpoints:
            return
        state = take_state(self.context, PARTIAL)
        if state is not None:
            self.checkpoints.add(Checkpoint(position, state))

    def load(self, tokens: list[int], state: State, checkpoints: Iterable[Checkpoint]) -> bool:
        """Hold what another context held: its `tokens`, the whole `state` of them, its `checkpoints`.

        Returns False with an empty cache if it does not fit, or llama.cpp refuses it.
        """
        self.clear()
        fits = 0 < len(tokens) <= self.size
        if not fits or not set_state(self.context, state) or self._held() != len(tokens):
            self.clear()
            return False
        self.tokens += tokens
        if self.takes_checkpoints:
            self.checkpoints.replace(checkpoints)
        return True

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
        status = self._decode(self.context, self._batch)
        outputs[count - 1] = 0
        self.tokens += tokens
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
        self._single_position[0] = len(tokens)
        status = self._decode(self.context, self._single)
        tokens.append(token)
        if status != 0:
            self._fail(status, len(tokens) - 1)

    def clear(self) -> None:
        """Forget everything."""
        lib.llama_memory_clear(self._memory, False)
        self.tokens.clear()
        self.tag = ""
        self.checkpoints.clear()

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
        if not lib.llama_memory_seq_rm(self._memory, SEQUENCE, keep, -1):
            return False
        del self.tokens[keep:]
        self.checkpoints.forget_after(keep)
        return True

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
        self.clear()
        return 0

    def _held(self) -> int:
        held: int = lib.llama_memory_seq_pos_max(self._memory, SEQUENCE) + 1
        return held

    def _fail(self, status: int, start: int) -> NoReturn:
        """Keep what an unfinished evaluation left if it is certain to be valid, and say why it ended."""
        held = self._held()
        certain = start <= held <= len(self.tokens) and self._can_rewind(held)
        if not certain or not self._cut(held):
            self._fall_back(start)
        if status == _ABORTED:
            raise AbortedError
        raise DecodeError(status)


def branches_of(cache: KvCache) -> tuple[Branch, ...]:
    """The conversations that `cache` holds and that have a name."""
    return (Branch(cache.tag, len(cache.tokens)),) if cache.tag and cache.tokens else ()


def common_length(left: list[int], right: list[int]) -> int:
    """How many tokens two sequences begin with in common."""
    length = 0
    for one, other in zip(left, right, strict=False):
        if one != other:
            break
        length += 1
    return length


def _batch(capacity: int) -> Any:
    """Room for that many tokens, all of our one sequence, none asking for logits."""
    batch = lib.llama_batch_init(capacity, 0, 1)
    for i in range(capacity):
        batch.n_seq_id[i] = 1
        batch.seq_id[i][0] = SEQUENCE
        batch.logits[i] = 0
    return batch
