"""What can go wrong with a server, each with a code, a remedy, and whether asking again does no harm."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from typing import Any

from tui_chat.backends.protocol import BackendError
from tui_chat.chat.model import FinishReason, Problem, ProblemCode
from tui_chat.wire.lean import httpx

_FINISHES = {
    ProblemCode.CONTEXT_OVERFLOW: FinishReason.CONTEXT_OVERFLOW,
    ProblemCode.OUT_OF_MEMORY: FinishReason.LOAD_FAILED,
    ProblemCode.LOAD_FAILED: FinishReason.LOAD_FAILED,
    ProblemCode.MODEL_UNKNOWN: FinishReason.LOAD_FAILED,
    ProblemCode.STREAM_BROKEN: FinishReason.INTERRUPTED,
    ProblemCode.SERVER_STALLED: FinishReason.TIMEOUT,
}
_OUT_OF_MEMORY = (
    "out of memory",
    "out of device memory",
    "cudamalloc failed",
    "hipmalloc failed",
    "failed to allocate",
    "allocation failed",
    "not enough memory",
    "insufficient memory",
    "requires more system memory",
    "vk_error_out_of_device_memory",
    "erroroutofmemory",
)
"""What Ollama itself takes for a lack of memory, and what its releases before 0.30 say."""
_TOO_LONG = (
    "exceed_context_size_error",
    "exceeds the available context size",
    "context_length_exceeded",
    "maximum context length",
    "max context length",
    "longer than the context length",
    "longer than the maximum model length",
)
_TOLD = 300
"""Characters of a server's own words that a person is told; the rest is detail."""


class ServerError(BackendError):
    """A server could not do what it was asked.

    Attributes:
        retry_after_s: What it said of when to ask again; None where it said nothing.
        status: Of its reply, 0 where there was none.
        said: Its own words.
    """

    def __init__(
        self, problem: Problem, *, retry_after_s: float | None = None, status: int = 0, said: str = ""
    ) -> None:
        super().__init__(problem)
        self.retry_after_s = retry_after_s
        self.status = status
        self.said = said

    @property
    def finish(self) -> FinishReason:
        """How an answer ends that it ends."""
        return _FINISHES.get(self.problem.code, FinishReason.BACKEND_ERROR)

    @property
    def harmless(self) -> bool:
        """Whether nothing was begun, so that asking again repeats nothing."""
        return self.problem.code in (ProblemCode.SERVER_UNREACHABLE, ProblemCode.SERVER_BUSY)

    @property
    def counts(self) -> bool:
        """Whether it says that the server is not well, rather than that it was asked something odd."""
        return self.problem.code in (
            ProblemCode.SERVER_UNREACHABLE,
            ProblemCode.SERVER_STALLED,
            ProblemCode.STREAM_BROKEN,
            ProblemCode.SERVER_GARBLED,
        )


def of_exception(server: str, error: Exception) -> ServerError:
    """Say what an exception of the HTTP client means."""
    if isinstance(error, ServerError):
        return error
    if certificate := _certificate(error):
        return unsafe(server, f"its certificate cannot be trusted: {certificate}")
    if isinstance(error, httpx.ConnectTimeout):
        return unreachable(server, "It did not take the connection in time")
    if isinstance(error, httpx.ConnectError | ConnectionError):
        return unreachable(server, "Nothing answers there")
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return stalled(server, "did not answer in time")
    if isinstance(error, httpx.TransportError):
        return broken(server, str(error) or type(error).__name__)
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return ServerError(
            Problem(ProblemCode.CONFIG_INVALID, f"The address of {server} is no good: {error}.")
        )
    return garbled(server, f"{type(error).__name__}: {error}")


def of_status(
    server: str, status: int, body: str, *, model: str = "", retry_after: str | None = None
) -> ServerError:
    """Say what a reply with a status other than 200 means; `body` is all of it."""
    said = words_of(body)
    told, detail = _told(said)
    seconds = _seconds(retry_after)
    if 300 <= status < 400:
        return unsafe(server, "it sends us on to another address, which we do not follow")
    if status in (401, 403, 407):
        problem = Problem(
            ProblemCode.SERVER_REFUSED,
            f"{server} does not let us in (HTTP {status}){told}",
            remedy="Check its key: key_env or key_command of that server in the settings.",
            detail=detail,
        )
    elif (code := _code_of(said)) is not None:
        return of_words(server, said, model=model, status=status, code=code)
    elif status in (429, 503):
        problem = Problem(
            ProblemCode.SERVER_BUSY,
            f"{server} takes no more work now (HTTP {status}){told}",
            kept="Nothing was begun.",
            remedy="Ask again in a while.",
            detail=detail,
        )
    elif status == 404 and model:
        problem = unknown_model(server, model, detail or said)
    elif status in (400, 404, 405, 415, 422, 501):
        problem = Problem(
            ProblemCode.BAD_REQUEST,
            f"{server} does not take this request (HTTP {status}){told}",
            detail=detail,
        )
    else:
        problem = Problem(
            ProblemCode.SERVER_FAILED,
            f"{server} failed (HTTP {status}){told}",
            remedy="Its own log says more. Ask again, or choose another model.",
            detail=detail,
        )
    return ServerError(problem, retry_after_s=seconds, status=status, said=said)


def of_words(
    server: str, said: str, *, model: str = "", status: int = 0, code: ProblemCode | None = None
) -> ServerError:
    """Say what an error in a server's own words means, such as one in the middle of a stream."""
    said = words_of(said)
    told, detail = _told(said)
    match code or _code_of(said):
        case ProblemCode.CONTEXT_OVERFLOW:
            problem = Problem(
                ProblemCode.CONTEXT_OVERFLOW,
                f"The conversation is too long for {model or server}{told}",
                kept="Nothing was cut off, and your message is kept.",
                remedy="Have earlier messages dropped or summarised, or load the model with more context.",
                detail=detail,
            )
        case ProblemCode.OUT_OF_MEMORY:
            problem = Problem(
                ProblemCode.OUT_OF_MEMORY,
                f"{server} has no memory for {model or 'the model'}{told}",
                kept="Your message is kept.",
                remedy="Unload another model, or take less context or a smaller quant.",
                detail=detail,
            )
        case _:
            problem = Problem(
                ProblemCode.SERVER_FAILED,
                f"{server} reported an error{told}",
                kept="The text so far is kept.",
                remedy="Ask again; if it goes on, its own log says more.",
                detail=detail,
            )
    return ServerError(problem, status=status, said=said)


def unreachable(server: str, why: str) -> ServerError:
    """Nothing was sent, as there is nobody to send it to."""
    return ServerError(
        Problem(
            ProblemCode.SERVER_UNREACHABLE,
            f"{server} cannot be reached. {why}.",
            kept="Nothing was sent, and your message is kept.",
            remedy="Start it, or correct its address in the settings; or choose another model.",
        )
    )


def broken(server: str, why: str) -> ServerError:
    """The line or the stream ended before the answer did."""
    return ServerError(
        Problem(
            ProblemCode.STREAM_BROKEN,
            f"{server} broke off before the end of the answer.",
            kept="The text so far is kept.",
            remedy="Have it go on, or ask again.",
            detail=why,
        )
    )


def stalled(server: str, what: str) -> ServerError:
    """Nothing came for longer than that is waited for."""
    return ServerError(
        Problem(
            ProblemCode.SERVER_STALLED,
            f"{server} {what}.",
            kept="The text so far is kept.",
            remedy="Ask again, or set longer times for it in the settings: first_token_s, stall_s.",
        )
    )


def garbled(server: str, why: str) -> ServerError:
    """What came is not what such a server sends."""
    return ServerError(
        Problem(
            ProblemCode.SERVER_GARBLED,
            f"{server} sent something that cannot be understood.",
            kept="The text so far is kept.",
            remedy="Check that its address is that of a model server of the kind in the settings.",
            detail=why,
        )
    )


def unsafe(server: str, why: str) -> ServerError:
    """Going on would be unsafe, and nobody allowed it."""
    return ServerError(
        Problem(
            ProblemCode.UNSAFE_CONNECTION,
            f"{server} is not talked to: {why}.",
            kept="Nothing was sent to it.",
            remedy="Correct its url in the settings; ca names the certificates to trust.",
        )
    )


def unknown_model(server: str, model: str, detail: str = "") -> Problem:
    """The server does not have it."""
    return Problem(
        ProblemCode.MODEL_UNKNOWN,
        f"{server} has no model called {model}.",
        kept="Your message is kept.",
        remedy="Choose another model, or have the server fetch it.",
        detail=detail,
    )


def cannot(server: str, what: str) -> ServerError:
    """The server has no such verb."""
    return ServerError(Problem(ProblemCode.NOT_POSSIBLE, f"{server} cannot {what}."))


def words_of(body: str) -> str:
    """The innermost message of an error, which servers like to wrap: JSON in a string in JSON."""
    text = body.strip()
    for _ in range(4):
        inner = _inner(text)
        if inner is None or inner == text:
            break
        text = inner
    return text


def _inner(text: str) -> str | None:
    if not text.startswith("{"):
        return None
    try:
        value: Any = json.loads(text)
    except ValueError:
        return None
    for key in ("error", "message", "detail"):
        if isinstance(value, dict) and value.get(key):
            value = value[key]
            break
    else:
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        said = value.get("message")
        return said if isinstance(said, str) and not value.get("type") else json.dumps(value)
    return json.dumps(value)


def _plain(said: str) -> str:
    """The message alone, where type and code were kept beside it for us."""
    if said.startswith("{"):
        try:
            value = json.loads(said)
        except ValueError:
            return said
        if isinstance(value, dict) and isinstance(value.get("message"), str):
            return str(value["message"])
    return said


def _told(said: str) -> tuple[str, str]:
    """A server's words as the end of a sentence, and in full where they had to be shortened."""
    plain = _plain(said)
    first = plain.splitlines()[0].strip() if plain else ""
    if not first or first.startswith("<"):  # nothing, or a page of HTML
        return ".", plain
    short = first if len(first) <= _TOLD else first[: _TOLD - 1] + "…"
    return f": {short.rstrip('.')}.", plain if plain != first or short != first else ""


def _code_of(said: str) -> ProblemCode | None:
    folded = said.casefold()
    if any(words in folded for words in _TOO_LONG):
        return ProblemCode.CONTEXT_OVERFLOW
    if any(words in folded for words in _OUT_OF_MEMORY):
        return ProblemCode.OUT_OF_MEMORY
    return None


def _seconds(retry_after: str | None) -> float | None:
    try:
        return max(0.0, float(retry_after)) if retry_after else None
    except ValueError:
        return None


def _certificate(error: BaseException) -> str:
    for each in _causes(error):
        if isinstance(each, ssl.SSLCertVerificationError):
            return each.verify_message or str(each)
        if isinstance(each, ssl.SSLError):
            return each.reason or str(each)
    return ""


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
