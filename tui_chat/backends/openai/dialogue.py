"""One question to one model of such a server, and the answer as it streams in."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing

from tui_chat.backends.openai.answer import Answer
from tui_chat.backends.openai.dialect import CHAT, LOOK_EVERY_S, Dialect, is_loading
from tui_chat.backends.openai.frames import Frame, Frames, GarbledError
from tui_chat.backends.openai.refusals import Refusals, Trial
from tui_chat.backends.servers.dialogue import Asked, Said
from tui_chat.backends.servers.failures import ServerError, cannot, of_status
from tui_chat.chat.model import Problem, ProblemCode, Sampling
from tui_chat.wire.api import CountReply, Turn
from tui_chat.wire.events import Waiting
from tui_chat.wire.lean import httpx

log = logging.getLogger(__name__)

NUMBERS_WITHIN_S = 2.0
"""How long numbers may come after an answer's end: none is held up by a line that is never closed."""
_DRAWS = frozenset(Sampling.__struct_fields__)
_NO_MATTER = (ProblemCode.NOT_POSSIBLE, ProblemCode.SERVER_UNREACHABLE, ProblemCode.SERVER_BUSY)


class OpenAIDialogue:
    """Asks one model of one server."""

    def __init__(
        self,
        dialect: Dialect,
        model: str,
        refusals: Refusals,
        *,
        sees: Callable[[], bool],
        give_back: Callable[[], Awaitable[None]],
    ) -> None:
        """Ask nothing yet.

        Args:
            dialect: How the server is spoken to.
            model: As the server calls it.
            refusals: What it is known not to take.
            sees: Tells whether it may be shown pictures.
            give_back: Has the server unload it.
        """
        self._dialect = dialect
        self._link = dialect.link
        self._model = model
        self._refusals = refusals
        self._sees = sees
        self._give_back = give_back

    async def ask(self, asked: Asked) -> AsyncGenerator[Said]:
        """See `Dialogue.ask`. A server that is still loading is asked again until it has."""
        if any(turn.pictures for turn in asked.turns) and not self._sees():
            raise cannot(self._link.name, f"show pictures to {self._model}")
        trial = Trial(self._refusals, self._dialect.body(self._model, asked), frozenset(self._dialect.extras))
        client, told = await self._link.open(), False
        while True:
            async with client.stream("POST", CHAT, json=trial.body) as reply:
                if reply.is_success:
                    trial.accepted()
                    async with aclosing(self._read(reply, self._lacking(trial, asked.sampling))) as said:
                        async for each in said:
                            yield each
                    return
                error = await self._refusal(reply)
            if is_loading(error):
                if not told:
                    told = True
                    yield Waiting(self._link.name, loading=True)
                await asyncio.sleep(LOOK_EVERY_S)
            elif trial.gives_way(error):
                log.info("%s is asked without %s", self._link.name, sorted(trial.left_out))
            else:
                raise error

    async def _refusal(self, reply: httpx.Response) -> ServerError:
        body = (await reply.aread()).decode(errors="replace")
        after = reply.headers.get("retry-after")
        return of_status(self._link.name, reply.status_code, body, model=self._model, retry_after=after)

    async def _read(self, reply: httpx.Response, lacking: Problem | None) -> AsyncGenerator[Said]:
        """What `reply` says, as it comes."""
        answer, frames = Answer(self._link.name, self._model), Frames()
        kind = reply.headers.get("content-type", "")
        if "html" in kind:
            raise GarbledError("a page for a browser")
        if "json" in kind:  # it does not stream, or reports an error
            for said in answer.take(Frame(await reply.aread())):
                yield said
        else:
            pieces = aiter(reply.aiter_bytes())
            while not answer.done and (piece := await self._next(pieces, answer)):
                for frame in frames.feed(piece):
                    for said in answer.take(frame):
                        yield said
            if not answer.done and (rest := frames.end()):
                for said in _last(answer, rest):
                    yield said
        for said in answer.rest():
            yield said
        if final := answer.final(lacking):
            yield final
        elif not answer.heard and frames.strange:
            raise GarbledError(frames.strange.decode(errors="replace"))

    async def _next(self, pieces: AsyncIterator[bytes], answer: Answer) -> bytes:
        """What comes next off the line; nothing at its end, or if an answer that has ended need not wait."""
        if not answer.ended:
            return await anext(pieces, b"")
        try:
            async with asyncio.timeout(min(NUMBERS_WITHIN_S, self._link.settings.stall_s / 2)):
                return await anext(pieces, b"")
        except (httpx.TransportError, TimeoutError):
            return b""

    def _lacking(self, trial: Trial, sampling: Sampling) -> Problem | None:
        """What the answer was drawn without, of what somebody set."""
        ours = {theirs: name for name, theirs in self._dialect.names.items()}
        missed = {ours.get(field, field) for field in trial.left_out} & _DRAWS
        missed = {name for name in missed if getattr(sampling, name) != getattr(Sampling(), name)}
        if not missed:
            return None
        return Problem(
            ProblemCode.NOT_POSSIBLE,
            f"{self._link.name} does not take {', '.join(sorted(missed))}, so this was answered without.",
        )

    async def tokenize(self, text: str) -> int:
        """Count tokens. Raises `ServerError` where the server cannot."""
        return await self._dialect.tokenize(self._model, text)

    async def count(self, turns: tuple[Turn, ...]) -> CountReply:
        """Count the tokens of a conversation. Raises `ServerError` where the server cannot."""
        return await self._dialect.count(self._model, turns)

    async def running(self) -> int | None:
        """How many answers the server is writing now; None where it does not tell."""
        return await self._dialect.running(self._model)

    async def unload(self) -> None:
        """Have the server give the model's memory back, where it can and nobody else is being answered."""
        try:
            await self._give_back()
        except ServerError as error:
            if error.problem.code not in _NO_MATTER:
                raise
            log.info("%s keeps %s: %s", self._link.name, self._model, error.problem.code)


def _last(answer: Answer, rest: bytes) -> list[Said]:
    """What the last line adds, which has no end: nothing if it is half a frame."""
    try:
        return answer.take(Frame(rest))
    except GarbledError:
        return []
