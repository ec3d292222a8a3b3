"""Ollama's own client for one link, and what its exceptions mean."""

from __future__ import annotations

import asyncio
import importlib
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tui_chat.backends.servers.failures import ServerError, of_exception, of_status, of_words, words_of
from tui_chat.backends.servers.link import Link
from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.wire.lean import httpx

if TYPE_CHECKING:
    import ollama

_UNSUPPORTED = re.compile(r"does not support (\w+)")
_NOT_LOADED = (
    "llama-server process has terminated",
    "llama runner process has terminated",
    "error starting llama-server",
    "waiting for llama-server to start",
    "waiting for llama runner to start",
    "unable to load model",
    "incompatible with your version of ollama",
)
"""What its releases before and after 0.30 say of a load that failed, where no lack of memory shows in it."""


async def connect(link: Link) -> ollama.AsyncClient:
    """Make the client.

    Raises:
        ServerError: As `Link.open`.
    """
    options = await link.client_options()
    await asyncio.to_thread(importlib.import_module, "ollama")  # takes a third of a second, once
    import ollama

    if not any(name.lower() == "authorization" for name in options["headers"]):
        # It sends $OLLAMA_API_KEY to whatever server it is given; a key is sent only where settings say so.
        options["auth"] = _without_key
    return ollama.AsyncClient(link.url, event_hooks={"response": [_end_lines_at_newlines]}, **options)


async def _end_lines_at_newlines(response: httpx.Response) -> None:
    """Have a reply split as its kind is; else a line ends at a U+0085 too, which a model may write."""
    response.aiter_lines = lambda: _lines(response)  # type: ignore[method-assign]


async def _lines(response: httpx.Response) -> AsyncIterator[str]:
    rest = ""
    async for text in response.aiter_text():
        *lines, rest = (rest + text).split("\n")
        for line in lines:
            if line.strip():
                yield line
    if rest.strip():
        yield rest


def _without_key(request: httpx.Request) -> httpx.Request:
    request.headers.pop("Authorization", None)
    return request


async def stream(client: ollama.AsyncClient, kind: type[Any], path: str, body: dict[str, Any]) -> Any:
    """Post `body` and return the generator of the replies, each a `kind`.

    The client's own methods leave out what it has no parameter for (``truncate``, ``shift``), so this makes
    the one call that they are all made of.
    """
    return await client._request(kind, "POST", path, json=body, stream=True)


async def post(client: ollama.AsyncClient, kind: type[Any], path: str, body: dict[str, Any]) -> Any:
    """Post `body` and return the reply, a `kind`; see `stream`."""
    return await client._request(kind, "POST", path, json=body)


@contextmanager
def answering(link: Link, model: str = "") -> Iterator[None]:
    """Turn whatever goes wrong inside into a `ServerError`, and tell the breaker how it went."""
    link.breaker.check(link.name)
    try:
        yield
    except Exception as error:
        raise link.failure(understood(link.name, error, model)) from error
    link.breaker.succeeded()


def understood(server: str, error: Exception, model: str) -> ServerError:
    """Say what an exception of Ollama's client means; `model` is what it was asked about."""
    import ollama

    if not isinstance(error, ollama.ResponseError):
        return of_exception(server, error)
    # Where Ollama hands on its runner's words, the client has taken some of their wrapping off.
    said: Any = error.error
    said = words_of(said if isinstance(said, str) else json.dumps(said))
    if unsupported := _UNSUPPORTED.search(said):
        return ServerError(
            Problem(
                ProblemCode.NOT_POSSIBLE,
                f"{model or 'The model'} does not support {unsupported[1]}, says {server}.",
                kept="Your message is kept.",
                remedy="Choose another model.",
            ),
            status=error.status_code,
            said=said,
        )
    if error.status_code < 0:  # in the middle of a stream
        found = of_words(server, said, model=model)
    else:
        found = of_status(server, error.status_code, said, model=model)
    if found.problem.code is ProblemCode.SERVER_FAILED and _of_a_load(said):
        return ServerError(
            Problem(
                ProblemCode.LOAD_FAILED,
                f"{server} cannot load {model or 'the model'}: {said.splitlines()[0].rstrip('.')}.",
                kept="Your message is kept.",
                remedy="Its own log says more. Choose another model, or bring Ollama up to date.",
                detail=said,
            ),
            status=error.status_code,
            said=said,
        )
    return _host_refused(server) if error.status_code == 403 and not said else found


def _of_a_load(said: str) -> bool:
    folded = said.casefold()
    return any(words in folded for words in _NOT_LOADED)


def _host_refused(server: str) -> ServerError:
    return ServerError(
        Problem(
            ProblemCode.SERVER_REFUSED,
            f"{server} answers only to names of its own machine (HTTP 403).",
            kept="Your message is kept.",
            remedy="Write 127.0.0.1 in its url, or start Ollama with OLLAMA_HOST=0.0.0.0.",
        ),
        status=403,
    )
