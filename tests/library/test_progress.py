"""How far a download is: told seldom, but never so that a line which stalls leaves an old number standing."""

from __future__ import annotations

import threading

from tui_chat.library.progress import Progress

WHOLE = 1_000_000


def test_what_came_in_a_burst_is_told_to_a_hundredth() -> None:
    told: list[int] = []
    progress = Progress(lambda done, total, stage: told.append(done), threading.Event())
    for done in range(0, WHOLE // 2, 100):  # and then nothing more comes
        progress.tell(done, WHOLE, "fetching")
        assert done - told[-1] < WHOLE / 100
    assert len(told) < 100
