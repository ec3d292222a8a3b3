"""Lifts older session files to today's schema, one version at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tui_chat.chat.model import SCHEMA

Upgrader = Callable[[dict[str, Any]], dict[str, Any]]
"""A pure function from a decoded file of schema n to one of schema n + 1; it need not set `schema`."""


def v1_to_v2(raw: dict[str, Any]) -> dict[str, Any]:
    """Version 2 adds fields only; an older release would drop them, and so must not open such a file."""
    return raw


UPGRADERS: tuple[Upgrader, ...] = (v1_to_v2,)
"""Oldest first; the last one leads to `SCHEMA`."""


class NoUpgradeError(ValueError):
    """The file's schema is older than the oldest that can be lifted."""


def lift(raw: dict[str, Any], upgraders: Sequence[Upgrader] = UPGRADERS) -> dict[str, Any]:
    """Return `raw` at today's schema; `raw` itself is not changed.

    Raises:
        NoUpgradeError: No chain of upgraders leads from its schema to today's.
    """
    oldest = SCHEMA - len(upgraders)
    schema = raw.get("schema")
    if not isinstance(schema, int) or not oldest <= schema <= SCHEMA:
        raise NoUpgradeError(f"schema {schema!r} cannot be read; known are {oldest} to {SCHEMA}")
    for version, upgrader in enumerate(upgraders[schema - oldest :], start=schema + 1):
        raw = {**upgrader(raw), "schema": version}
    return raw
