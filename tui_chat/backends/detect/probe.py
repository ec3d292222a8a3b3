"""Asks an address what answers there: a few GETs, each small and short."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from time import perf_counter
from typing import Any

import msgspec

from tui_chat.backends.detect.addresses import Address
from tui_chat.wire.lean import httpx

CONNECT_S = 0.3
WITHIN_S = 2.0
"""How long one address is asked, all questions together."""
_MOST_BYTES = 1 << 20
"""No server says more than this of itself; what does is none."""
_PLAIN = {"Accept": "application/json", "Accept-Encoding": "identity", "Connection": "close"}


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back to a GET. `said` is the JSON object that it is; empty for anything else."""

    status: int
    body: bytes
    said: dict[str, Any]

    @property
    def refused(self) -> bool:
        """Whether a key is wanted."""
        return self.status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)

    @property
    def told(self) -> dict[str, Any]:
        """As `said`, of a reply that is a success."""
        return self.said if self.status == httpx.codes.OK else {}


class Asking:
    """Asks what is at `url`, by `client`, for `within_s` at most; `WITHIN_S` if that is not given."""

    def __init__(self, client: httpx.AsyncClient, url: str, within_s: float | None = None) -> None:
        self._client = client
        self._url = url
        self._until = perf_counter() + (WITHIN_S if within_s is None else within_s)

    async def get(self, path: str) -> Reply | None:
        """Ask for `path`; None if no reply came, or none that is HTTP, or too long a one."""
        try:
            async with asyncio.timeout(max(0.0, self._until - perf_counter())):
                return await self._get(path)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError):
            return None

    async def _get(self, path: str) -> Reply | None:
        async with self._client.stream("GET", self._url + path, headers=_PLAIN) as response:
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > _MOST_BYTES:
                    return None
            return Reply(response.status_code, bytes(body), _object(body))

    async def first(self, paths: Iterable[str]) -> Reply | None:
        """The reply to the first of several paths that is there; else the last reply."""
        reply = None
        for path in paths:
            reply = await self.get(path)
            if reply is None or reply.status != httpx.codes.NOT_FOUND:
                return reply
        return reply


def _object(body: bytes | bytearray) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(body)
    except (ValueError, RecursionError):  # msgspec's errors, and those of Unicode, are ValueErrors
        return {}
    return value if isinstance(value, dict) else {}


async def is_open(address: Address) -> bool:
    """Whether anybody listens there. Much cheaper than to ask, and most ports are closed."""
    try:
        async with asyncio.timeout(CONNECT_S):
            _, writer = await asyncio.open_connection(*address)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


def client() -> httpx.AsyncClient:
    """What asks strangers: it has no key, follows nobody, knows neither proxies, passwords nor cookies."""
    return httpx.AsyncClient(
        verify=False,
        trust_env=False,
        follow_redirects=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        timeout=httpx.Timeout(WITHIN_S, connect=CONNECT_S),
    )
