"""What takes a while says how far it is, and how long it still takes."""

from __future__ import annotations

from tui_chat.ui.progress import Pace, counted, fetched


def test_things_and_bytes_are_told_with_what_is_left() -> None:
    pace = Pace(100.0)
    assert pace.left_s(101.0, 0, 1000) is None, "nobody can tell yet"
    assert pace.left_s(110.0, 250, 1000) == 30.0
    told = counted(250, 1000, "sessions", 30.0)
    assert told == "━━━━━─────────────── 250 of 1,000 sessions, 30 s left"
    assert counted(0, 3, "sessions", None) == "──────────────────── 0 of 3 sessions"
    assert fetched(1 << 30, 2 << 30, 4.0, cells=4) == "━━── 1.0 of 2.0 GiB, 4 s left"
