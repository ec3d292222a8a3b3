"""The KV cache of one context, and exactly which tokens it holds."""

from __future__ import annotations

import ctypes
from typing import Any, NoReturn

from tui_chat.backends.llamacpp.abort import Flag
from tui_chat.backends.llamacpp.worker.native import lib

_SEQUENCE = 0
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
    """

    def __init__(self, model: Any, context: Any) -> None:
        self.tokens: list[int] = []
        self.size: int = lib.llama_n_ctx(context)
        self._context = context
        self._memory = lib.llama_get_memory(context)
        self._window: int = lib.llama_model_n_swa(model)
        self._recurrent = bool(lib.llama_model_is_recurrent(model) or lib.llama_model_is_hybrid(model))
        self._capacity: int = lib.llama_n_batch(context)
        self._batch = _batch(self._capacity)
        self._single = _batch(1)
        self._single.n_tokens = self._single.logits[0] = 1
        self._single_id, self._single_position = self._single.token, self._single.pos
        self._decode = lib.llama_decode
        self._should_abort = ctypes.cast(ctypes.CDLL(None).strlen, lib.ggml_abort_callback)

    def arm(self, flag: Flag) -> None:
        """Let `flag` abort evaluations from now on."""
        address = ctypes.addressof(ctypes.c_char.from_buffer(flag.memory, flag.offset))
        lib.llama_set_abort_callback(self._context, self._should_abort, address)

    def reuse(self, prompt: list[int]) -> int:
        """Keep the longest valid beginning of `prompt`, drop the rest; return how many tokens that is.

        At least one token of the prompt is left to evaluate, because its logits are needed.
        """
        keep = 0
        for held, wanted in zip(self.tokens, prompt[:-1], strict=False):
            if held != wanted:
                break
            keep += 1
        if keep == len(self.tokens):
            return keep
        if keep == 0 or not self._can_rewind(keep) or not self._cut(keep):
            self.clear()
            return 0
        return keep

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
        status = self._decode(self._context, self._batch)
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
        status = self._decode(self._context, self._single)
        tokens.append(token)
        if status != 0:
            self._fail(status, len(tokens) - 1)

    def clear(self) -> None:
        """Forget everything."""
        lib.llama_memory_clear(self._memory, False)
        self.tokens.clear()

    def _can_rewind(self, keep: int) -> bool:
        """Whether the cache still holds all that tokens after position `keep` attend to.

        Recurrent state cannot go back. A sliding window's cells are overwritten as the window moves on,
        and llama.cpp lets one rewind past what is left of them without complaint.
        """
        if self._recurrent:
            return False
        if self._window == 0:
            return True
        oldest: int = lib.llama_memory_seq_pos_min(self._memory, _SEQUENCE)
        return oldest == 0 or 0 <= oldest < max(0, keep - self._window)

    def _cut(self, keep: int) -> bool:
        if not lib.llama_memory_seq_rm(self._memory, _SEQUENCE, keep, -1):
            return False
        del self.tokens[keep:]
        return True

    def _fail(self, status: int, start: int) -> NoReturn:
        """Keep what an unfinished evaluation left if it is certain to be valid, and say why it ended."""
        held: int = lib.llama_memory_seq_pos_max(self._memory, _SEQUENCE) + 1
        certain = self._window == 0 and not self._recurrent and start <= held <= len(self.tokens)
        if not certain or not self._cut(held):
            self.clear()
        if status == _ABORTED:
            raise AbortedError
        raise DecodeError(status)


def _batch(capacity: int) -> Any:
    """Room for that many tokens, all of our one sequence, none asking for logits."""
    batch = lib.llama_batch_init(capacity, 0, 1)
    for i in range(capacity):
        batch.n_seq_id[i] = 1
        batch.seq_id[i][0] = _SEQUENCE
        batch.logits[i] = 0
    return batch
