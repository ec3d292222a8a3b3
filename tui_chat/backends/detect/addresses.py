"""Addresses of this machine on which a server may listen, and which of them are asked."""

from __future__ import annotations

import ipaddress
from typing import NamedTuple
from urllib.parse import urlsplit

HOST = "127.0.0.1"


class Address(NamedTuple):
    """A port of this machine, by the loopback address on which it is reached."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """As the settings of a server would name it."""
        return f"http://[{self.host}]:{self.port}" if ":" in self.host else f"http://{self.host}:{self.port}"


def reached(ip: str, port: int) -> Address | None:
    """Where something that listens on `ip` is reached without leaving the machine; None if it is not."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if address.is_unspecified:
        return Address(HOST, port)
    return Address(str(address), port) if address.is_loopback else None


def address_of(url: str, default: int | None = None) -> Address | None:
    """The address of this machine that a URL names, or a host and port; None if it is no such address.

    Args:
        url: Such as ``http://localhost:8080/v1``, ``0.0.0.0:11434`` or ``:11434``.
        default: The port where `url` names none and has no scheme.
    """
    schemed = "://" in url
    try:
        parts = urlsplit(url if schemed else f"http://{url}")
        port = parts.port
    except ValueError:
        return None
    if port is None:
        port = {"http": 80, "https": 443}.get(parts.scheme) if schemed else default
    host = parts.hostname or "localhost"
    if host in ("localhost", "localhost.localdomain", "ip6-localhost"):
        host = HOST
    return reached(host, port) if port else None
