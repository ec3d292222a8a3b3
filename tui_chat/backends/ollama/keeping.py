"""How Ollama's collection of models grows: by fetching, and from files of this machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, cast

from tui_chat.backends.ollama.blobs import Blob
from tui_chat.backends.ollama.client import answering
from tui_chat.backends.servers.failures import ServerError, broken
from tui_chat.backends.servers.link import Link
from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.wire.servers import Pull, PullState

if TYPE_CHECKING:
    import ollama

_DONE = "success"
_NOWHERE = ("file does not exist", "manifest unknown", "not found")
"""What its registry says of a model that it does not have."""
_MISHAPS = (ProblemCode.SERVER_FAILED, ProblemCode.STREAM_BROKEN, ProblemCode.SERVER_STALLED)


async def pull(link: Link, client: ollama.AsyncClient, model: str) -> AsyncGenerator[Pull]:
    """Have `model` fetched. See `Keeper.pull`."""
    layers: dict[str, tuple[int, int]] = {}
    try:
        async with aclosing(_replies(link, await client.pull(model, stream=True), model)) as replies:
            async for reply in replies:
                if reply.digest:
                    layers[reply.digest] = (reply.completed or 0, reply.total or 0)
                done = sum(done for done, _ in layers.values())
                yield _told(link, model, reply, done, sum(total for _, total in layers.values()))
    except ServerError as error:
        raise _not_fetched(link.name, model, error) from error


async def create(link: Link, client: ollama.AsyncClient, model: str, file: Path) -> AsyncGenerator[Pull]:
    """Have `model` made from a GGUF file. See `Keeper.create`."""
    blob = await Blob.of(file, link)
    try:
        for what, work in (("reading", blob.read()), ("sending", blob.send())):
            async with aclosing(work) as progress:
                async for done in progress:
                    yield Pull(
                        server=link.name,
                        model=model,
                        status=f"{what} {file.name}",
                        done=done,
                        total=blob.size,
                    )
    finally:
        blob.close()
    making = await client.create(model, files={file.name: blob.digest}, stream=True)
    async with aclosing(_replies(link, making, model)) as replies:
        async for reply in replies:
            yield _told(link, model, reply, blob.size, blob.size)


async def _replies(
    link: Link, replies: AsyncIterator[ollama.ProgressResponse], model: str
) -> AsyncGenerator[ollama.ProgressResponse]:
    """Pass on what Ollama tells of a long work, until it says that this is done.

    Raises:
        ServerError: It failed, ended before that, or told nothing for too long.
    """
    with answering(link, model):
        async with aclosing(cast("AsyncGenerator[ollama.ProgressResponse]", replies)):
            while True:
                async with asyncio.timeout(link.settings.first_token_s):  # it is silent while it checks sums
                    reply = await anext(replies, None)
                if reply is None:
                    raise broken(link.name, "the stream ended without an end")
                yield reply
                if reply.status == _DONE:
                    return


def _told(link: Link, model: str, reply: ollama.ProgressResponse, done: int, total: int) -> Pull:
    state = PullState.DONE if reply.status == _DONE else PullState.RUNNING
    return Pull(server=link.name, model=model, state=state, status=reply.status or "", done=done, total=total)


def _not_fetched(server: str, model: str, error: ServerError) -> ServerError:
    """The same error in the words of fetching, where it came from the registry or on the way."""
    if error.problem.code not in _MISHAPS:
        return error
    if any(words in error.said for words in _NOWHERE):
        problem = Problem(
            ProblemCode.MODEL_UNKNOWN,
            f"There is no model called {model} to be fetched.",
            remedy="Check how it is written on ollama.com; the part after the colon is its size or quant.",
            detail=error.said,
        )
    else:
        why = f": {error.said.splitlines()[0].rstrip('.')}" if error.said else ""
        problem = Problem(
            ProblemCode.DOWNLOAD_FAILED,
            f"{server} could not fetch all of {model}{why}.",
            kept="What came is kept.",
            remedy="Fetch it again: it goes on from there.",
            detail=error.problem.detail or error.said,
        )
    return ServerError(problem, status=error.status, said=error.said)
