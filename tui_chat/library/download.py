"""One file over HTTP into an open file, going on where an earlier try stopped."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import certifi

from tui_chat.library.progress import FetchError, Progress
from tui_chat.wire.lean import httpx

TIMEOUT_S = 10.0
TRIES = 4
"""Tries in a row that bring nothing before it is given up; each that brings something starts afresh."""
_CERTIFICATES = ("PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_BUSY = {408, 429, 500, 502, 503, 504}
"""Answers that may be others in a moment."""


@dataclass(frozen=True, slots=True)
class Remote:
    """A file on a server.

    Attributes:
        size: In bytes, as it is known beforehand.
        server: What a person calls the server.
        headers: To be sent along, such as a token; they are in no message, and no redirect to
            another host gets the token.
    """

    url: str
    size: int
    server: str = "the package index"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


class UnreachableError(FetchError):
    """The server gives nothing to us; somebody with a password or another way might do better.

    `status` is its answer, None if it did not even answer.
    """

    def __init__(self, what: str, status: int | None = None) -> None:
        super().__init__(what)
        self.status = status


class _BusyError(httpx.TransportError):
    """The server answers, but not with the file, and a later try may bring more."""


def download(
    remote: Remote, file: BinaryIO, progress: Progress, stage: str, until: int | None = None
) -> None:
    """Append to `file` until it has all bytes of `remote`, or the first `until`.

    Raises:
        UnreachableError: Not one byte came.
        FetchError: The line broke too often, or the server has another file.
    """
    failures, size = 0, min(until or remote.size, remote.size)
    with httpx.Client(timeout=TIMEOUT_S, follow_redirects=True, verify=_trust()) as client:
        while (have := file.seek(0, os.SEEK_END)) < size:
            try:
                _stream(client, remote, size, file, progress, stage)
            except httpx.TransportError as error:
                came = file.seek(0, os.SEEK_END)
                failures = 1 if came > have else failures + 1
                if came == 0 and isinstance(error, httpx.ConnectError):
                    raise UnreachableError(
                        _sentence(f"{remote.server} cannot be reached ({error}).")
                    ) from error
                if failures >= TRIES:
                    raise _given_up(remote, error, came) from error
                progress.wait(0.25 * 2**failures)


def _given_up(remote: Remote, error: httpx.TransportError, came: int) -> FetchError:
    if isinstance(error, _BusyError) and came == 0:
        return UnreachableError(_sentence(f"{remote.server} {error}."))
    why = str(error) or f"no answer for {TIMEOUT_S:g} s"
    return FetchError(f"The connection to {remote.server} broke ({why}).")


def _stream(
    client: httpx.Client, remote: Remote, size: int, file: BinaryIO, progress: Progress, stage: str
) -> None:
    """Take what one request gives. Raises httpx.TransportError when it ends too early."""
    have = file.seek(0, os.SEEK_END)
    bounded = size < remote.size
    headers = {"Accept-Encoding": "identity", **remote.headers}
    if have or bounded:
        headers["Range"] = f"bytes={have}-{size - 1 if bounded else ''}"
    with client.stream("GET", remote.url, headers=headers) as response:
        _refuse(response, remote, have)
        if not _goes_on(response, have):
            file.truncate(0)
            if response.status_code != httpx.codes.OK:
                raise httpx.RemoteProtocolError("it gave another part of the file")
            have = file.seek(0)
        for piece in response.iter_raw():
            have += file.write(piece[: size - have] if bounded else piece)
            if have > size:
                file.truncate(0)
                raise FetchError(_sentence(f"{remote.server} has a larger file than the one that is wanted."))
            progress.tell(have, size, stage)
            if bounded and have == size:
                return
    if have < size:
        raise httpx.RemoteProtocolError(f"it ended after {have:,} of {size:,} bytes")


def _refuse(response: httpx.Response, remote: Remote, have: int) -> None:
    """Raise for an answer that is no part of the file; what came before is kept."""
    status = response.status_code
    if status in _BUSY:
        raise _BusyError(f"answered {status}")
    wrong_range = have > 0 and status == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE
    if not response.is_success and not wrong_range:
        raise UnreachableError(_sentence(f"{remote.server} answered {status}."), status)


def _goes_on(response: httpx.Response, have: int) -> bool:
    if response.status_code == httpx.codes.PARTIAL_CONTENT:
        given = str(response.headers.get("Content-Range", ""))
        return given.startswith(f"bytes {have}-")
    return have == 0 and response.status_code == httpx.codes.OK


def _sentence(text: str) -> str:
    """Begin with a capital, unless a name begins it, as "huggingface.co" does."""
    return text[0].upper() + text[1:] if text.startswith("the ") else text


def _trust() -> ssl.SSLContext:
    """Trust what the system, pip and the usual tools trust on this machine."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    for place in (Path(os.environ[name]) for name in _CERTIFICATES if os.environ.get(name)):
        if place.is_dir():
            context.load_verify_locations(capath=place)
        elif place.is_file():
            context.load_verify_locations(cafile=place)
    return context
