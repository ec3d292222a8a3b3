"""What this machine has taught us: how long loads take, how fast models decode, what would not fit."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from tui_chat.config.cachefile import read_cache, write_cache

_WEIGHT = 0.4
"""Of the newest observation in a running mean."""
_KEPT = 512
_MUCH = 4 << 20
_HALF_LIFE_S, _LONGEST_S = 3600.0, 7 * 86400.0
"""How long a failed allocation is believed at first, and at last."""
_FADED = 1 / 16
"""Of what was missing; less than that is forgotten."""


class Lesson(msgspec.Struct, frozen=True):
    """Room that turned out not to be there.

    Most often another program held it for a while, and a model must not be loaded smaller for that for
    ever: one more failed try costs a second. So a lesson fades by half in `half_life_s`, and only one
    that proves true again lasts longer.

    Attributes:
        bytes: How much was missing.
        at: When, in seconds since the epoch.
    """

    bytes: int
    at: float
    half_life_s: float = _HALF_LIFE_S

    def left(self, now: float) -> int:
        """How much of it is still believed."""
        part: float = 0.5 ** (max(0.0, now - self.at) / self.half_life_s)
        return int(self.bytes * part) if part >= _FADED else 0

    def again(self, missing: int, now: float) -> Lesson:
        """The lesson after it failed once more; one that had faded by half is then believed twice as long.

        What fails sooner is mostly another try of the same load, and proves nothing.
        """
        faded = now - self.at >= self.half_life_s
        half_life_s = min(_LONGEST_S, self.half_life_s * 2) if faded else self.half_life_s
        return Lesson(max(self.left(now), missing), now, half_life_s)


class _Book(msgspec.Struct):
    """Means by model, in seconds and as ratios; lessons by model and device."""

    load_s: dict[str, float] = {}
    first_load_s_per_gib: float | None = None
    decode: dict[str, float] = {}
    prefill_tps: dict[str, float] = {}
    lessons: dict[str, dict[str, Lesson]] = {}
    restored_bps: float | None = None
    scores: dict[str, tuple[float, float]] = {}
    followers: dict[str, dict[str, float]] = {}


class Learned:
    """Observations of this machine, kept in `file`; losing them costs better estimates only."""

    def __init__(self, file: Path, clock: Callable[[], float] = time.time) -> None:
        self._file = file
        self._clock = clock
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
        rate = self.read_tps(model)
        return None if rate is None else tokens / rate

    def read_tps(self, model: str) -> float | None:
        """How many tokens per second `model` has read lately; None where it never read anything here."""
        return self._book.prefill_tps.get(model)

    def restored(self, size_bytes: int, seconds: float) -> None:
        """Note how long bringing parked bytes back took; of few bytes the asking itself takes the time."""
        if size_bytes >= _MUCH and seconds > 0:
            known, speed = self._book.restored_bps, size_bytes / seconds
            self._book.restored_bps = speed if known is None else known + _WEIGHT * (speed - known)

    def restore_s(self, size_bytes: int) -> float | None:
        """How long bringing parked bytes back is expected to take; None where none ever were."""
        return None if self._book.restored_bps is None else size_bytes / self._book.restored_bps

    def fell_short(self, model: str, device: str, missing: int) -> None:
        """Note that `missing` bytes that looked free on `device` could not be had for `model`."""
        lessons, now = self._book.lessons.setdefault(model, {}), self._clock()
        known = lessons.get(device)
        lessons[device] = Lesson(missing, now) if known is None else known.again(missing, now)

    def missing(self, model: str) -> dict[str, int]:
        """Bytes by device not to count on for `model`."""
        now = self._clock()
        lessons = self._book.lessons.get(model, {})
        return {device: left for device, lesson in lessons.items() if (left := lesson.left(now))}

    def save(self) -> None:
        """Write what is new; a disk that takes nothing is borne."""
        book = self._book
        for table in (book.load_s, book.decode, book.prefill_tps, book.lessons):
            for old in list(table)[: max(0, len(table) - _KEPT)]:
                del table[old]
        write_cache(self._file, book)


def _mean(table: dict[str, float], key: str, value: float) -> None:
    known = table.get(key)
    table[key] = value if known is None else known + _WEIGHT * (value - known)
