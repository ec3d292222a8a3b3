"""What this machine has taught us: how long loads take, how fast models decode, what would not fit."""

from __future__ import annotations

from pathlib import Path

import msgspec

from tui_chat.config.cachefile import read_cache, write_cache

_WEIGHT = 0.4
"""Of the newest observation in a running mean."""
_KEPT = 512


class _Book(msgspec.Struct):
    """Means by model, in seconds and as ratios; bytes of room that turned out not to be there."""

    load_s: dict[str, float] = {}
    first_load_s_per_gib: float | None = None
    decode: dict[str, float] = {}
    prefill_tps: dict[str, float] = {}
    missing: dict[str, dict[str, int]] = {}
    scores: dict[str, tuple[float, float]] = {}
    followers: dict[str, dict[str, float]] = {}


class Learned:
    """Observations of this machine, kept in `file`; losing them costs better estimates only."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._book = read_cache(file, _Book) or _Book()

    @property
    def habits(self) -> tuple[dict[str, tuple[float, float]], dict[str, dict[str, float]]]:
        """Uses per model and what came after what, as `memory.residency.Habits` has them."""
        return self._book.scores, self._book.followers

    def loaded(self, model: str, size_bytes: int, seconds: float) -> None:
        """Note how long a load took."""
        _mean(self._book.load_s, model, seconds)
        per_gib = seconds / max(size_bytes / 2**30, 0.05)
        known = self._book.first_load_s_per_gib
        self._book.first_load_s_per_gib = per_gib if known is None else known + _WEIGHT * (per_gib - known)

    def load_s(self, model: str, size_bytes: int) -> float | None:
        """How long loading `model` is expected to take; None while nothing was ever loaded here."""
        known = self._book.load_s.get(model)
        if known is not None:
            return known
        per_gib = self._book.first_load_s_per_gib
        return None if per_gib is None else per_gib * max(size_bytes / 2**30, 0.05)

    def answered(
        self, model: str, predicted_tps: float, decode_tps: float | None, prefill_tps: float | None
    ) -> None:
        """Note how fast `model` was, against what was predicted (0: nothing was)."""
        if decode_tps and predicted_tps:
            _mean(self._book.decode, model, decode_tps / predicted_tps)
        if prefill_tps:
            _mean(self._book.prefill_tps, model, prefill_tps)

    def correction(self, model: str) -> float:
        """Factor between the speed that is predicted for `model` and the one it has."""
        return self._book.decode.get(model, 1.0)

    def read_s(self, model: str, tokens: int) -> float | None:
        """How long reading `tokens` is expected to take; None where `model` never read anything here."""
        rate = self._book.prefill_tps.get(model)
        return None if rate is None else tokens / rate

    def fell_short(self, model: str, device: str, missing: int) -> None:
        """Note that `missing` bytes that looked free on `device` could not be had for `model`."""
        known = self._book.missing.setdefault(model, {})
        known[device] = max(known.get(device, 0), missing)

    def missing(self, model: str) -> dict[str, int]:
        """Bytes by device not to count on for `model`."""
        return dict(self._book.missing.get(model, {}))

    def save(self) -> None:
        """Write what is new; a disk that takes nothing is borne."""
        for table in (self._book.load_s, self._book.decode, self._book.prefill_tps):
            for old in list(table)[: max(0, len(table) - _KEPT)]:
                del table[old]
        write_cache(self._file, self._book)


def _mean(table: dict[str, float], key: str, value: float) -> None:
    known = table.get(key)
    table[key] = value if known is None else known + _WEIGHT * (value - known)
