"""Who may talk to the engine: processes of the same user, as the kernel tells it, and nobody else."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import struct
import sys

from uvicorn.protocols.http.h11_impl import H11Protocol

log = logging.getLogger(__name__)

_LINUX_UCRED = struct.Struct("3i")  # pid, uid, gid: socket(7), SO_PEERCRED
_BSD_XUCRED = struct.Struct("2IH")  # version, uid, group count: unix(4), LOCAL_PEERCRED
_SOL_LOCAL, _LOCAL_PEERCRED = 0, 1


def peer_uid(sock: socket.socket) -> int:
    """The user id of the process at the other end of a Unix socket. Raises OSError if it cannot be known."""
    if sys.platform == "linux":
        raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _LINUX_UCRED.size)
        return int(_LINUX_UCRED.unpack(raw)[1])
    raw = sock.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, 76)
    return int(_BSD_XUCRED.unpack_from(raw)[1])


class OwnUserProtocol(H11Protocol):
    """HTTP/1.1 that hangs up on every other user, root included, before reading a byte."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Check the peer's credentials, then serve it."""
        sock = transport.get_extra_info("socket")
        uid = peer_uid(sock)
        super().connection_made(transport)
        if uid != os.getuid():
            log.warning("refused a connection of user %d", uid)
            transport.abort()
