"""What is typed is kept in the order in which it was typed, however slow the disk."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

from tui_chat.store.drafts import Drafts
from tui_chat.ui.draft import DraftKeeper


class SlowDisk(Drafts):
    """Drafts whose first write lasts until it is let go on."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.began, self.go_on = threading.Event(), threading.Event()

    def write(self, key: str, text: str) -> None:
        """Wait, then write."""
        if not self.began.is_set():
            self.began.set()
            assert self.go_on.wait(30)
        super().write(key, text)


async def test_a_slow_write_of_older_text_does_not_undo_a_newer_one(tmp_path: Path) -> None:
    disk = SlowDisk(tmp_path / "drafts")
    keeper = DraftKeeper(disk)
    keeper.keep("chat", "half a")
    assert await asyncio.to_thread(disk.began.wait, 30)
    keeper.keep("chat", "half a thought")
    leaving = asyncio.create_task(keeper.flush())
    await asyncio.sleep(0)
    assert not leaving.done(), "whoever leaves waits for the disk"
    disk.go_on.set()
    await leaving
    assert await keeper.read("chat") == "half a thought"


async def test_leaving_writes_at_once_what_was_to_be_written_soon(tmp_path: Path) -> None:
    keeper = DraftKeeper(Drafts(tmp_path / "drafts"))
    keeper.keep("chat", "half a thought")
    keeper.keep("other", "and another")
    await keeper.flush()
    assert [await keeper.read(key) for key in ("chat", "other")] == ["half a thought", "and another"]
    keeper.keep("chat", "")
    await keeper.flush()
    assert await keeper.read("chat") == ""
