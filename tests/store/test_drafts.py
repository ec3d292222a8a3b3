"""What was typed survives, and the up arrow remembers."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.store.support import die, in_child, killed_at, names
from tui_chat.chat.attachments import Attachment
from tui_chat.store.drafts import NEW_CHAT, Drafts
from tui_chat.store.errors import StoreError
from tui_chat.store.history import KEPT, PromptHistory


def test_a_draft_is_kept_until_it_is_empty(tmp_path: Path) -> None:
    drafts = Drafts(tmp_path / "state" / "drafts")
    assert drafts.read(NEW_CHAT) == ""
    drafts.write(NEW_CHAT, "")
    drafts.write(NEW_CHAT, "two\nlines\r\n茶 \ud83c")
    drafts.write("talk", "other")
    again = Drafts(tmp_path / "state" / "drafts")
    assert again.read(NEW_CHAT) == "two\nlines\r\n茶 ?"
    assert again.read("talk") == "other"
    again.write(NEW_CHAT, "")
    assert again.read(NEW_CHAT) == ""
    assert names(tmp_path / "state" / "drafts") == {"talk.txt"}
    with pytest.raises(ValueError, match="no key"):
        drafts.write("../up", "x")


def test_a_draft_killed_while_writing_is_the_old_or_the_new(tmp_path: Path) -> None:
    drafts = Drafts(tmp_path)
    drafts.write(NEW_CHAT, "old")
    step = 0
    while killed_at(step, lambda: Drafts(tmp_path).write(NEW_CHAT, "new")):
        assert drafts.read(NEW_CHAT) in {"old", "new"}
        step += 1
    assert step > 3
    assert Drafts(tmp_path).read(NEW_CHAT) == "new"
    assert names(tmp_path) == {"new.txt"}, "the last writer swept what the killed ones left"


def test_a_draft_that_cannot_be_kept_says_so(tmp_path: Path) -> None:
    (tmp_path / "drafts").write_text("a file where the folder should be")
    with pytest.raises(StoreError) as caught:
        Drafts(tmp_path / "drafts").write(NEW_CHAT, "x")
    assert "input" in caught.value.problem.kept
    assert Drafts(tmp_path / "drafts").read(NEW_CHAT) == ""


def test_history_remembers_in_order_without_repeats(tmp_path: Path) -> None:
    history = PromptHistory(tmp_path / "state" / "history.jsonl")
    assert history.read() == []
    for text in ("one", "two\nlines", "two\nlines", "  ", "one", "x" * 100_000, "\u2028odd\x85 \ud83c"):
        history.append(text)
    assert PromptHistory(tmp_path / "state" / "history.jsonl").read() == [
        "one",
        "two\nlines",
        "one",
        "\u2028odd\x85 ?",
    ]


def test_history_is_bounded(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    history = PromptHistory(file)
    for index in range(1500):
        history.append(f"{index}: " + "long " * 200)
    kept = history.read()
    assert len(kept) <= KEPT
    assert kept[-1].startswith("1499: ")
    assert [text.split(":")[0] for text in kept] == [str(index) for index in range(1500 - len(kept), 1500)]
    assert file.stat().st_size < 1_100_000
    assert names(tmp_path) == {"history.jsonl"}


def test_history_survives_a_torn_line(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    history = PromptHistory(file)
    history.append("one")
    with file.open("ab") as stream:
        stream.write(b'{"text": "to')
    history.append("two")
    assert history.read() == ["one", "two"]


def test_terminals_append_together_while_one_rewrites(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    file.write_text(
        "".join(
            json.dumps({"text": f"old {i} " + "x" * 5000, "at": "2026-01-01T00:00:00Z"}) + "\n"
            for i in range(205)
        )
    )
    pids = []
    for worker in range(3):
        pid = os.fork()
        if pid == 0:
            for index in range(40):
                PromptHistory(file).append(f"{worker}-{index} " + "y" * 1000)
            os._exit(0)
        pids.append(pid)
    assert [os.waitpid(pid, 0)[1] for pid in pids] == [0, 0, 0]
    kept = [text.split()[0] for text in PromptHistory(file).read() if not text.startswith("old")]
    assert sorted(kept) == sorted(f"{worker}-{index}" for worker in range(3) for index in range(40))
    assert file.stat().st_size < 1 << 20, "it was rewritten meanwhile"


def test_a_terminal_killed_while_appending_frees_the_history(tmp_path: Path) -> None:
    history = PromptHistory(tmp_path / "history.jsonl")
    history.append("one")

    def work() -> None:
        os.write = lambda *arguments: die()
        history.append("lost")

    assert in_child(work) < 0
    history.append("two")
    assert history.read() == ["one", "two"]


def test_what_is_attached_to_a_draft_is_kept_with_it(tmp_path: Path) -> None:
    drafts = Drafts(tmp_path)
    attached = (Attachment("notes.md", "tea\n", 4), Attachment("", "pasted"))
    drafts.write_attachments("talk", attached)
    assert Drafts(tmp_path).read_attachments("talk") == attached
    assert drafts.read("talk") == ""
    (tmp_path / "other.attached.json").write_text('[{"name": 1')
    assert drafts.read_attachments("other") == ()
    drafts.write_attachments("talk", ())
    assert names(tmp_path) == {"other.attached.json"}
