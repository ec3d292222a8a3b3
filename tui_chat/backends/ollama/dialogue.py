"""One question to Ollama, and what comes back."""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tui_chat.backends.ollama.client import stream, understood
from tui_chat.backends.ollama.listing import Shown
from tui_chat.backends.ollama.profile import Profile, drawing_of
from tui_chat.backends.ollama.settling import Counted, final_of
from tui_chat.backends.protocol import BackendError
from tui_chat.backends.servers.dialogue import Asked, Piece, Said
from tui_chat.backends.servers.failures import ServerError, cannot
from tui_chat.chat.measure import most_tokens
from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.wire.api import CountReply, Turn
from tui_chat.wire.servers import Capability, ServedModel

if TYPE_CHECKING:
    import ollama

CountAtLeast = Callable[[ServedModel, tuple[Turn, ...]], Awaitable[int | None]]
"""Counts tokens that a model must read of turns, at the least; None where nobody can say."""


@dataclass(frozen=True, slots=True)
class Verbs:
    """What a dialogue has its server do."""

    connect: Callable[[], Awaitable[ollama.AsyncClient]]
    show: Callable[[str], Awaitable[Shown]]
    unload: Callable[[str], Awaitable[None]]
    count_at_least: CountAtLeast | None = None


class OllamaDialogue:
    """Asks one model of Ollama's. See `Dialogue`."""

    def __init__(
        self, server: str, model: ServedModel, profile: Profile, verbs: Verbs, *, fresh: bool = False
    ) -> None:
        """Ask nothing yet.

        Args:
            server: Its name.
            model: As it was listed.
            profile: How it is loaded.
            verbs: What the server does for us.
            fresh: Whether it has been loaded just now, so that it knows no conversation yet.
        """
        self._server = server
        self._model = model
        self._profile = profile
        self._verbs = verbs
        self._fresh = fresh

    async def ask(self, asked: Asked) -> AsyncGenerator[Said]:
        """Yield what Ollama says, as it comes; closing the generator closes the connection."""
        self._check(asked)
        fresh, self._fresh = self._fresh, False
        try:
            client = await self._verbs.connect()
            import ollama

            body = await self._body(asked)
            # Leaving its generator without closing it would have Ollama write on.
            async with aclosing(await stream(client, ollama.ChatResponse, "/api/chat", body)) as frames:
                async for frame in frames:
                    if frame.message.content or frame.message.thinking:
                        yield Piece(frame.message.content or "", frame.message.thinking or "")
                    if frame.done:
                        told = frame.prompt_eval_count or 0
                        yield final_of(self._server, frame, await self._counted(asked, told, fresh=fresh))
                        return
        except Exception as error:
            raise understood(self._server, error, self._model.name) from error

    def _check(self, asked: Asked) -> None:
        if not asked.turns:  # for Ollama, that would only mean to load
            raise ServerError(Problem(ProblemCode.BAD_REQUEST, "There is nothing to answer."))
        can = self._model.capabilities
        if Capability.CHAT not in can:
            raise cannot(self._server, f"chat with {self._model.name}, which is made for something else")
        if any(turn.pictures for turn in asked.turns) and Capability.VISION not in can:
            raise cannot(self._server, f"show pictures to {self._model.name}, which does not see")

    async def _body(self, asked: Asked) -> dict[str, Any]:
        own_stops = (await self._verbs.show(self._model.name)).stops if asked.sampling.stop else ()
        messages = [_message(turn) for turn in asked.turns]
        if asked.begun:
            messages.append(_told("assistant", asked.begun.text, asked.begun.thinking))
        body = self._profile.chat(self._model.name, messages, drawing_of(asked.sampling, own_stops))
        if Capability.THINKING in self._model.capabilities:  # others refuse to be asked for it
            body["think"] = True
        return body

    async def _counted(self, asked: Asked, told: int, *, fresh: bool) -> Counted:
        """What is known of a question of which `told` tokens were read.

        What surely fits into the context cannot have been cut, and need not be counted.
        """
        at_least = None
        fits = told and most_tokens(turn.thinking + turn.text for turn in asked.turns) <= self._model.context
        if self._verbs.count_at_least and not fits:
            with suppress(BackendError):  # the answer is complete, whether or not it can be checked
                at_least = await self._verbs.count_at_least(self._model, asked.turns)
        return Counted(
            at_least=at_least,
            limit=asked.sampling.max_tokens,
            context=self._model.context,
            fresh=fresh,
        )

    async def tokenize(self, text: str) -> int:
        """Never: Ollama has no such request."""
        raise cannot(self._server, "count tokens")

    async def count(self, turns: tuple[Turn, ...]) -> CountReply:
        """Never: Ollama has no such request."""
        raise cannot(self._server, "count the tokens of a conversation")

    async def running(self) -> int | None:
        """None: Ollama does not tell what it is at."""
        return None

    async def unload(self) -> None:
        """Have the model's memory given back."""
        await self._verbs.unload(self._model.name)


def _message(turn: Turn) -> dict[str, Any]:
    message = _told(turn.role.value, turn.text, turn.thinking)
    if turn.pictures:
        message["images"] = [base64.b64encode(picture.data).decode() for picture in turn.pictures]
    return message


def _told(role: str, text: str, thinking: str) -> dict[str, Any]:
    message: dict[str, Any] = {"role": role, "content": text}
    if thinking:
        message["thinking"] = thinking
    return message
