"""What a model had to say at the end of a prompt, kept to answer that once more without reading it."""

from __future__ import annotations

import ctypes
from array import array
from collections import OrderedDict
from typing import Any, NamedTuple

from tui_chat.backends.llamacpp.worker.native import lib
from tui_chat.memory.sharing import ENDINGS


class Ending(NamedTuple):
    """One logit per token of the vocabulary; `shifted` if tokens before it had been moved."""

    logits: array[float]
    shifted: bool


class Endings:
    """The logits after the last few prompts, by their tokens."""

    def __init__(self, vocabulary: int) -> None:
        self._vocabulary = vocabulary
        self._kept: OrderedDict[bytes, Ending] = OrderedDict()

    def keep(self, prompt: list[int], context: Any, *, shifted: bool) -> None:
        """Keep the logits that the last evaluation, whose last token was the prompt's, left in `context`."""
        row = lib.llama_get_logits_ith(context, -1)
        if not row:
            return
        logits = array("f")
        logits.frombytes(ctypes.string_at(row, self._vocabulary * logits.itemsize))
        key = _key(prompt)
        self._kept[key] = Ending(logits, shifted)
        self._kept.move_to_end(key)
        if len(self._kept) > ENDINGS:
            self._kept.popitem(last=False)

    def find(self, prompt: list[int], *, shift: bool) -> array[float] | None:
        """The logits after exactly this prompt; those after moved tokens are lent as their cells are."""
        ending = self._kept.get(_key(prompt))
        return None if ending is None or (ending.shifted and not shift) else ending.logits

    def clear(self) -> None:
        """Drop all."""
        self._kept.clear()


def _key(prompt: list[int]) -> bytes:
    return array("i", prompt).tobytes()
