"""What one question to a server brings, whatever the server speaks."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol

import msgspec

from tui_chat.backends.protocol import NEW, Begun
from tui_chat.chat.model import FinishReason, Problem, Sampling, Timings, Usage
from tui_chat.wire.api import CountReply, Turn
from tui_chat.wire.events import Prefill, Waiting


class Asked(msgspec.Struct, frozen=True):
    """One question: the turns, how the answer is drawn, and what it had begun with."""

    turns: tuple[Turn, ...]
    sampling: Sampling
    begun: Begun = NEW


class Piece(msgspec.Struct, frozen=True):
    """More of an answer. `tokens` is how many it is made of, where the server tells; else what is likely."""

    text: str = ""
    thinking: str = ""
    tokens: int = 1


class Final(msgspec.Struct, frozen=True, kw_only=True):
    """The end that the server itself announced.

    Attributes:
        usage: As the server counted; None where it did not tell.
        timings: As the server measured, for what it did; None where it did not tell.
        problem: What a person should know of an answer that is complete all the same.
    """

    finish: FinishReason
    usage: Usage | None = None
    timings: Timings | None = None
    problem: Problem | None = None


Said = Piece | Prefill | Final | Waiting
"""A `Waiting` tells why nothing comes; nothing was begun by then."""


class Dialogue(Protocol):
    """Asks one model of one server."""

    def ask(self, asked: Asked) -> AsyncGenerator[Said]:
        """Yield what the server says, as it comes; closing the generator closes the connection.

        A stream that ends without a `Final` was broken off. Anything that is not asked of the server in its
        own words is left out.

        Raises:
            ServerError: What went wrong, or the HTTP client's own exception for that.
        """
        ...

    async def tokenize(self, text: str) -> int:
        """Count tokens. Raises `ServerError` where the server cannot."""
        ...

    async def count(self, turns: tuple[Turn, ...]) -> CountReply:
        """Count the tokens of a conversation. Raises `ServerError` where the server cannot."""
        ...

    async def running(self) -> int | None:
        """How many answers the server is writing now; None where it does not tell."""
        ...

    async def unload(self) -> None:
        """Have the server give the model's memory back; no effect where it does that by itself."""
        ...
