"""What failed allocations teach, for how long, and that a disk or an older release cannot spoil it."""

from __future__ import annotations

from pathlib import Path

from tui_chat.engine.swap.learned import Learned

HOUR, DAY = 3600.0, 86400.0
MIB = 1 << 20


def test_a_failure_is_believed_less_and_less_and_one_that_returns_for_longer(tmp_path: Path) -> None:
    now = 0.0
    learned = Learned(tmp_path / "learned", clock=lambda: now)
    learned.fell_short("m", "gpu0", 320 * MIB)
    learned.fell_short("m", "gpu0", 480 * MIB)  # the next try of the same load
    assert learned.missing("m") == {"gpu0": 480 * MIB}
    now = HOUR
    assert learned.missing("m") == {"gpu0": 240 * MIB}
    now = 5 * HOUR
    assert learned.missing("m") == {}
    learned.fell_short("m", "gpu0", 480 * MIB)
    now = 7 * HOUR
    assert learned.missing("m") == {"gpu0": 240 * MIB}, "it proved true again, and now takes two hours"
    for _ in range(12):
        now += 30 * DAY
        learned.fell_short("m", "gpu0", 480 * MIB)
    now += 7 * DAY
    assert learned.missing("m") == {"gpu0": 240 * MIB}, "a week at most"
    assert learned.missing("other") == {}


def test_lessons_outlive_the_engine_and_a_clock_that_was_set_back(tmp_path: Path) -> None:
    first = Learned(tmp_path / "learned", clock=lambda: DAY)
    first.fell_short("m", "ram", MIB)
    first.save()
    assert Learned(tmp_path / "learned", clock=lambda: 0.0).missing("m") == {"ram": MIB}
