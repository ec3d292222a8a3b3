"""Fields with a line about what they are for, which schemas, settings and their reference show."""

from __future__ import annotations

import msgspec


def described(text: str) -> msgspec.Meta:
    """Describe a field, for ``Annotated``."""
    return msgspec.Meta(description=text)
