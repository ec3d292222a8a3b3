"""One file over HTTP into an open file, going on where an earlier try stopped."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import BinaryIO

import certifi
import httpx

from tui_chat.library.progress import FetchError, Progress

TIMEOUT_S = 10.0
TRIES = 4
"""Tries in a row that bring nothing before it is given up; each that brings something starts afresh."""
_CERTIFICATES = ("PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


class UnreachableError(FetchError):
    """The address gives nothing to us; somebody with a password or another way might do better."""


def download(url: str, size: int, file: BinaryIO, progress: Progress, stage: str) -> None:
    """Append to `file` until it has the `size` bytes of `url`.

    Raises:
        UnreachableError: Not one byte came.
        FetchError: The line broke too often, or the server has another file.
    """
    failures = 0
    with httpx.Client(timeout=TIMEOUT_S, follow_redirects=True, verify=_trust()) as client:
        while (have := file.seek(0, os.SEEK_END)) < size:
            try:
                _stream(client, url, size, file, progress, stage)
            except httpx.TransportError as error:
                came = file.seek(0, os.SEEK_END)
                failures = 1 if came > have else failures + 1
                if came == 0 and isinstance(error, httpx.ConnectError):
                    raise UnreachableError(f"The package index cannot be reached ({error}).") from error
                if failures >= TRIES:
                    raise FetchError(f"The connection to the package index broke ({error}).") from error
                progress.wait(0.25 * 2**failures)


def _stream(
    client: httpx.Client, url: str, size: int, file: BinaryIO, progress: Progress, stage: str
) -> None:
    """Take what one request gives. Raises httpx.TransportError when it ends too early."""
    have = file.seek(0, os.SEEK_END)
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with client.stream("GET", url, headers=headers) as response:
        goes_on = response.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        if have and not (response.status_code == httpx.codes.PARTIAL_CONTENT and goes_on):
            have = file.truncate(0)
            file.seek(0)
            if response.status_code != httpx.codes.OK:
                return
        elif not have and response.status_code != httpx.codes.OK:
            raise UnreachableError(f"The package index answered {response.status_code}.")
        for piece in response.iter_raw():
            have += file.write(piece)
            if have > size:
                file.truncate(0)
                raise FetchError("The package index has a larger file than the one that is wanted.")
            progress.tell(have, size, stage)
    if have < size:
        raise httpx.RemoteProtocolError(f"it ended after {have:,} of {size:,} bytes")


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
