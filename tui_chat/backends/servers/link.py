"""How one server is reached: its address, what we show to be let in, and what we refuse to do."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import os
import ssl
import subprocess
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tui_chat.backends.servers.breaker import Breaker
from tui_chat.backends.servers.failures import ServerError, garbled, of_exception, of_status, unsafe
from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.config.servers import ServerSettings
from tui_chat.wire.lean import httpx

ASK_S = 10.0
"""How long a server may take to answer what needs no model."""
_COMMAND_S = 30.0
_KEPT = 4
"""Idle connections, of those that took long to make. A plain one is made anew for each request, in a fraction
of a millisecond: llama.cpp's server at times closes one just when it is used again, with the question."""
_HIDDEN = "•••"
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - nobody listens here


@dataclass(frozen=True, slots=True)
class Secret:
    """A key. It never shows in a log, a message or a traceback."""

    value: str

    def __repr__(self) -> str:
        return "Secret()"

    def __bool__(self) -> bool:
        return bool(self.value)


def is_here(url: str) -> bool:
    """Whether an address is of this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in ("localhost", "localhost.localdomain", "ip6-localhost")


def root_of(url: str) -> str:
    """The address without a path like ``/v1`` or ``/api``, password and slash at its end.

    Where a server listens on all addresses of this machine, it is reached by the one for ourselves.
    """
    parts = urlsplit(url if "://" in url else f"http://{url}")
    name = _EVERYWHERE.get(parts.hostname or "", parts.hostname or "")
    host = f"[{name}]" if ":" in name else name
    port = f":{parts.port}" if parts.port else ""
    path = parts.path.rstrip("/")
    known = ("/v1/chat/completions", "/v1", "/api")  # one of them: in ``/api/v1`` the rest is a place
    end = next((each for each in known if path.endswith(each)), "")
    return f"{parts.scheme}://{host}{port}{path.removesuffix(end)}"


class Link:
    """A server as it is reached. Opened when it is first needed; one connection pool for all requests."""

    def __init__(self, name: str, settings: ServerSettings) -> None:
        self.name = name
        self.settings = settings
        self.url = root_of(settings.url)
        self.here = is_here(self.url)
        self.breaker = Breaker()
        self._key = Secret("")
        self._client: httpx.AsyncClient | None = None
        self._opening = asyncio.Lock()

    async def open(self) -> httpx.AsyncClient:
        """The HTTP client of this server.

        Raises:
            ServerError: Its key cannot be had, or it would not be safe to send.
        """
        if self._client is None:
            async with self._opening:
                if self._client is None:
                    options = await self.client_options()
                    self._client = httpx.AsyncClient(base_url=self.url, **options)
        return self._client

    async def client_options(self) -> dict[str, Any]:
        """What an `httpx.AsyncClient` for this server is made with, its address left out.

        Raises:
            ServerError: As `open`.
        """
        if not self._key:  # a second client does not have its command ask for a passphrase once more
            self._key = await asyncio.to_thread(self._find_key)
        headers = dict(self.settings.headers)
        if self._key:
            headers["Authorization"] = f"Bearer {self._key.value}"
        self._check_safe(headers)
        timeout = httpx.Timeout(None, connect=self.settings.connect_s, write=self.settings.stall_s)
        return {
            "headers": headers,
            "timeout": timeout,
            "verify": await asyncio.to_thread(self._tls),
            "follow_redirects": False,
            "trust_env": False,  # neither a proxy nor a .netrc that nobody meant for it
            "limits": httpx.Limits(
                max_connections=None, max_keepalive_connections=_KEPT if self._encrypted else 0
            ),
        }

    @property
    def _encrypted(self) -> bool:
        return urlsplit(self.url).scheme == "https"

    def _check_safe(self, headers: dict[str, str]) -> None:
        secret = any(name.lower() in ("authorization", "x-api-key", "api-key", "cookie") for name in headers)
        if secret and not self._encrypted and not self.here and not self.settings.plain_key:
            raise unsafe(
                self.name, "its key would cross the network in plain HTTP. Use https, or set plain_key = true"
            )

    def _find_key(self) -> Secret:
        settings = self.settings
        if settings.key_env:
            value = os.environ.get(settings.key_env, "")
            if not value:
                raise ServerError(
                    Problem(
                        ProblemCode.CONFIG_INVALID,
                        f"The key of {self.name} is to be in ${settings.key_env}, which the engine lacks.",
                        remedy="Set it, stop the engine (tui-chat engine stop), and start again.",
                    )
                )
            return Secret(value.strip())
        return self._ask_for_key() if settings.key_command else Secret("")

    def _ask_for_key(self) -> Secret:
        command = list(self.settings.key_command)
        try:
            done = subprocess.run(
                command, capture_output=True, timeout=_COMMAND_S, stdin=subprocess.DEVNULL, check=True
            )
            value = done.stdout.decode().strip()
        except subprocess.CalledProcessError as error:
            why = f"it ended with status {error.returncode}"
        except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError) as error:
            why = type(error).__name__
        else:
            if value and "\n" not in value:
                return Secret(value)
            why = "it printed nothing" if not value else "it printed more than one line"
        raise ServerError(
            Problem(
                ProblemCode.CONFIG_INVALID,
                f"The command for the key of {self.name} ({command[0]}) did not give one: {why}.",
                remedy="Try that command in a terminal, and correct key_command in the settings.",
            )
        ) from None

    def _tls(self) -> ssl.SSLContext | bool:
        settings = self.settings
        if not self._encrypted:
            return False
        try:
            context = ssl.create_default_context(cafile=settings.ca)
            if settings.ca is None:
                import certifi

                context.load_verify_locations(certifi.where())
            if settings.certificate:
                context.load_cert_chain(settings.certificate, settings.certificate_key)
        except (OSError, ssl.SSLError) as error:
            raise ServerError(
                Problem(
                    ProblemCode.CONFIG_INVALID,
                    f"A certificate file of {self.name} cannot be used: {error}.",
                    remedy="Correct ca, certificate and certificate_key of that server in the settings.",
                )
            ) from error
        return context

    def redact(self, text: str) -> str:
        """`text` without our key, which servers like to repeat."""
        values = [self._key.value, *self.settings.headers.values()]
        for value in sorted((each for each in values if len(each) > 3), key=len, reverse=True):
            text = text.replace(value, _HIDDEN)
        return text

    def failure(self, error: Exception) -> ServerError:
        """What an exception means, counted by the breaker, and without our key."""
        found = of_exception(self.name, error)
        if found.counts:
            self.breaker.failed(found.problem)
        return self.clean(found)

    def clean(self, error: ServerError) -> ServerError:
        """The same error without our key in its words."""
        problem = error.problem
        return ServerError(
            Problem(
                problem.code,
                self.redact(problem.what),
                problem.kept,
                self.redact(problem.remedy),
                self.redact(problem.detail),
            ),
            retry_after_s=error.retry_after_s,
            status=error.status,
            said=self.redact(error.said),
        )

    async def ask(
        self, method: str, path: str, body: object = None, *, model: str = "", within_s: float = ASK_S
    ) -> bytes:
        """Ask something that needs no model, and return the reply's body.

        Raises:
            ServerError: It cannot be reached, refuses, or does not answer in time.
        """
        self.breaker.check(self.name)
        client = await self.open()
        try:
            async with asyncio.timeout(within_s):
                reply = await client.request(method, path, json=body)
        except (httpx.HTTPError, OSError, TimeoutError) as error:
            raise self.failure(error) from error
        self.breaker.succeeded()
        if not reply.is_success:
            raise self.clean(of_status(self.name, reply.status_code, reply.text, model=model))
        return reply.content

    async def ask_json(
        self, method: str, path: str, body: object = None, *, model: str = "", within_s: float = ASK_S
    ) -> Any:
        """As `ask`, for a reply that is JSON.

        Raises:
            ServerError: As `ask`, or the reply is no JSON.
        """
        content = await self.ask(method, path, body, model=model, within_s=within_s)
        try:
            return json.loads(content)
        except ValueError as error:
            raise self.clean(garbled(self.name, f"{path} is no JSON: {error}")) from error

    async def close(self) -> None:
        """Close all connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None
