"""The pieces of an answer as these servers send them, read leniently: each leaves out something else."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from tui_chat.backends.openai.frames import GarbledError
from tui_chat.chat.model import Timings, Usage


class Words(msgspec.Struct, frozen=True):
    """What is said: a ``delta``, or the ``message`` of a server that does not stream."""

    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: list[Any] | None = None
    function_call: Any = None

    @property
    def thinking(self) -> str:
        """What was thought, under whichever name."""
        return self.reasoning_content or self.reasoning or ""


class Choice(msgspec.Struct, frozen=True):
    """One of the answers; only one is ever asked for."""

    delta: Words | None = None
    message: Words | None = None
    finish_reason: str | None = None

    @property
    def words(self) -> Words:
        """What it says."""
        return self.delta or self.message or Words()


class CachedTokens(msgspec.Struct, frozen=True):
    """Part of a prompt's account."""

    cached_tokens: int | None = None


class Counted(msgspec.Struct, frozen=True):
    """``usage``: tokens as the server counted them."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: CachedTokens | None = None

    def usage(self) -> Usage | None:
        """In our words; None where all is zero, which servers send that do not count."""
        if not self.prompt_tokens and not self.completion_tokens:
            return None
        details = self.prompt_tokens_details
        return Usage(
            prompt_tokens=self.prompt_tokens or 0,
            completion_tokens=self.completion_tokens or 0,
            reused_tokens=(details.cached_tokens if details else None) or 0,
        )


class Timed(msgspec.Struct, frozen=True):
    """``timings`` of llama.cpp. Writing takes a step less than there are tokens: the first is free."""

    cache_n: int = 0
    prompt_n: int = 0
    prompt_ms: float = 0.0
    predicted_n: int = 0
    predicted_ms: float = 0.0

    def usage(self) -> Usage | None:
        """The tokens; None before the prompt was read."""
        if not self.cache_n and not self.prompt_n:
            return None
        return Usage(
            prompt_tokens=self.cache_n + self.prompt_n,
            completion_tokens=self.predicted_n,
            reused_tokens=self.cache_n,
        )

    def timings(self) -> Timings:
        """The times."""
        steps, seconds = self.predicted_n - 1, self.predicted_ms / 1e3
        return Timings(
            prefill_ms=self.prompt_ms,
            decode_ms=self.predicted_ms,
            decode_tps=steps / seconds if steps > 0 and seconds > 0 else None,
        )


class Progress(msgspec.Struct, frozen=True):
    """``prompt_progress`` of llama.cpp: tokens in the KV cache, `cache` of them from before."""

    total: int = 0
    cache: int = 0
    processed: int = 0
    time_ms: float = 0.0


class Chunk(msgspec.Struct, frozen=True):
    """One frame's content."""

    object: str | None = None
    choices: list[Choice] | None = None
    usage: Counted | None = None
    timings: Timed | None = None
    prompt_progress: Progress | None = None
    error: Any = None


def read_chunk(data: bytes) -> Chunk:
    """Decode a frame. Not by msgspec alone, as JavaScript's servers tear surrogate pairs apart.

    Raises:
        GarbledError: It is no JSON, or not of this shape.
    """
    try:
        return msgspec.convert(json.loads(data), Chunk, strict=False)
    except (ValueError, RecursionError) as error:
        raise GarbledError(f"{error}: {data[:200].decode(errors='replace')}") from error


class Halves:
    """Puts surrogate pairs together again that were torn apart between two pieces of text."""

    def __init__(self) -> None:
        self._high = ""

    def whole(self, text: str) -> str:
        """As much of `text`, and of what was kept back, as is whole."""
        if not self._high and text.isascii():
            return text
        text, self._high = self._high + text, ""
        if "\ud800" <= text[-1:] <= "\udbff":
            text, self._high = text[:-1], text[-1]
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def rest(self) -> str:
        """What never became whole."""
        text, self._high = "\ufffd" if self._high else "", ""
        return text
