"""Values as JSON, whatever was pasted into them."""

from __future__ import annotations

from typing import Any

import msgspec


def pack(value: Any) -> bytes:
    """Encode `value`; half a surrogate pair, as a broken paste can hold and UTF-8 cannot, becomes ``?``."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return msgspec.json.encode(_without_surrogates(msgspec.to_builtins(value)))


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_surrogates(item) for item in value]
    return value
