"""The processes of this machine that are servers, and who listens where."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import psutil

from tui_chat.backends.detect.addresses import Address, reached
from tui_chat.backends.detect.commands import declared, kind_of, short
from tui_chat.wire.servers import ServerKind


@dataclass(frozen=True, slots=True)
class Runtime:
    """A server's process.

    Attributes:
        command: How it was started, without arguments.
        family: It and all processes below it.
        addresses: Where it listens, or would by its command line, where that cannot be seen.
    """

    kind: ServerKind
    pid: int
    command: str
    family: frozenset[int]
    addresses: frozenset[Address]


@dataclass(frozen=True, slots=True)
class Processes:
    """All that matters here of the processes at one moment.

    Attributes:
        commands: How each was started, as far as it may be seen.
        children: The processes right below each.
        holders: Who listens at an address, where that may be seen.
        runtimes: The servers; one that another server started is a part of that.
        closed: Addresses that are nobody's to ask: our own, and those of parts of a server.
    """

    commands: Mapping[int, Sequence[str]]
    children: Mapping[int, Sequence[int]]
    holders: Mapping[Address, frozenset[int]]
    runtimes: tuple[Runtime, ...]
    closed: frozenset[Address]

    def family(self, pid: int) -> frozenset[int]:
        """A process and all below it."""
        return _family(self.children, pid)


def look_at_processes(ours: Collection[int]) -> Processes:
    """See which servers run. Never needs to be root; of others' processes the command is seen at most.

    Args:
        ours: Our own processes; they and all below them are no servers.
    """
    commands, parents = _snapshot()
    children: dict[int, list[int]] = defaultdict(list)
    for pid, parent in parents.items():
        children[parent].append(pid)
    mine = frozenset(each for pid in ours for each in _family(children, pid))
    kinds = {
        pid: kind
        for pid, argv in commands.items()
        if pid not in mine and (kind := kind_of(argv, partial(_folder, pid)))
    }
    roots = [pid for pid in kinds if not any(above in kinds for above in _above(parents, pid))]
    holders = _listening(kinds)
    runtimes = []
    parts: set[int] = set()
    for pid in sorted(roots):
        family = _family(children, pid)
        inner = family & kinds.keys() - {pid}
        parts |= inner
        listens = frozenset(address for address, pids in holders.items() if pids & (family - inner))
        addresses = listens or frozenset({declared(kinds[pid], commands[pid])})
        runtimes.append(Runtime(kinds[pid], pid, short(commands[pid]), family, addresses))
    open_to_us = {address for each in runtimes for address in each.addresses}
    closed = {a for a, pids in holders.items() if pids & mine or (pids & parts and a not in open_to_us)}
    return Processes(commands, children, holders, tuple(runtimes), frozenset(closed))


def _snapshot() -> tuple[dict[int, Sequence[str]], dict[int, int]]:
    """The command line of every process, and its parent."""
    commands: dict[int, Sequence[str]] = {}
    parents: dict[int, int] = {}
    for process in psutil.process_iter(["pid", "ppid", "cmdline", "name", "status"]):
        seen = process.info
        if seen["status"] != psutil.STATUS_ZOMBIE:
            commands[seen["pid"]] = seen["cmdline"] or [seen["name"] or ""]
            parents[seen["pid"]] = seen["ppid"] or 0
    return commands, parents


def _family(children: Mapping[int, Sequence[int]], pid: int) -> frozenset[int]:
    found = {pid}
    unseen = [pid]
    while unseen:
        below = set(children.get(unseen.pop(), ())) - found
        found |= below
        unseen += below
    return frozenset(found)


def _above(parents: Mapping[int, int], pid: int) -> Iterator[int]:
    seen = {pid}
    while (pid := parents.get(pid, 0)) and pid not in seen:
        seen.add(pid)
        yield pid


def _folder(pid: int) -> str:
    with suppress(psutil.Error):
        return str(psutil.Process(pid).cwd())
    return ""


def _listening(servers: Iterable[int]) -> dict[Address, frozenset[int]]:
    """Who listens where, as far as the system tells; some systems tell it of `servers` at most."""
    holders: dict[Address, set[int]] = defaultdict(set)
    for pid, connection in _connections(servers):
        if connection.status == psutil.CONN_LISTEN and (address := reached(*connection.laddr)):
            holders[address] |= {pid} if pid else set()
    return {address: frozenset(pids) for address, pids in holders.items()}


def _connections(servers: Iterable[int]) -> Iterator[tuple[int | None, Any]]:
    try:
        for each in psutil.net_connections("tcp"):
            yield each.pid, each
        return
    except psutil.AccessDenied:  # macOS tells only root
        pass
    for pid in servers:
        with suppress(psutil.Error):
            for each in psutil.Process(pid).net_connections("tcp"):
                yield pid, each
