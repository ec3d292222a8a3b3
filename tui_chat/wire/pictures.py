"""Pictures as they go over the wire."""

from __future__ import annotations

import msgspec


class Picture(msgspec.Struct, frozen=True):
    """A picture as a model is shown it: its bytes, and their type, such as ``image/png``."""

    media_type: str
    data: bytes
