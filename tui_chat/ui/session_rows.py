"""The rows of the list of sessions: forks stand under what they were forked from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tui_chat.store.listing import SessionSummary


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One session in the list.

    Attributes:
        summary: What is known of it.
        root: The session that its family began with; itself, if it is no fork of another in the list.
        depth: How many forks lie between the two.
        forks: Of a root: how many were forked from it, and from those.
    """

    summary: SessionSummary
    root: str
    depth: int = 0
    forks: int = 0


def session_rows(sessions: Sequence[SessionSummary]) -> list[SessionRow]:
    """Put forks under what they were forked from; families stand in the order of their newest members.

    Args:
        sessions: Those to show, newest first. A fork of one that is not among them stands by itself.
    """
    known = {summary.id: summary for summary in sessions}
    below: dict[str | None, list[SessionSummary]] = {}
    families: dict[str, int] = {}
    for summary in sessions:
        root = _root_of(summary, known)
        families[root] = families.get(root, -1) + 1
        below.setdefault(None if summary.id == root else _parent_of(summary, known), []).append(summary)
    rows: list[SessionRow] = []
    for root, forks in families.items():
        waiting = [(known[root], 0)]
        while waiting:
            summary, depth = waiting.pop()
            rows.append(SessionRow(summary, root, depth, 0 if depth else forks))
            waiting += [(fork, depth + 1) for fork in reversed(below.get(summary.id, ()))]
    return rows


def _parent_of(summary: SessionSummary, known: Mapping[str, SessionSummary]) -> str | None:
    return summary.origin.session if summary.origin and summary.origin.session in known else None


def _root_of(summary: SessionSummary, known: Mapping[str, SessionSummary]) -> str:
    """Return where the family of a session began; of files that name each other, the smallest id is it."""
    seen = [summary.id]
    while (parent := _parent_of(known[seen[-1]], known)) is not None:
        if parent in seen:
            return min(seen[seen.index(parent) :])
        seen.append(parent)
    return seen[-1]
