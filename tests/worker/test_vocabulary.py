"""Texts become tokens with vocabularies of every kind, also one that spells."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.worker import tiny
from tests.worker.conftest import Loader
from tests.worker.support import hear

SPACE = 3
"""Bytes of the sign that SentencePiece writes for a space, and so tokens where no piece has it."""


@pytest.mark.parametrize("words", [1, 2, 700])
async def test_a_text_may_take_more_tokens_than_it_has_bytes(
    words: int, loaded: Loader, tmp_path: Path
) -> None:
    tiny.write_speller(tmp_path / "speller.gguf")
    model = await loaded(path=tmp_path / "speller.gguf")
    text = " ".join("x" * words)
    # One more space is put before the text, and no piece joins anything.
    assert await model.tokenize(text) == words * (SPACE + 1) > len(text.encode()) + 2


async def test_such_a_text_is_answered(loaded: Loader, tmp_path: Path) -> None:
    tiny.write_speller(tmp_path / "speller.gguf")
    model = await loaded(path=tmp_path / "speller.gguf")
    heard = await hear(model, " ".join("x" * 100))
    assert heard.settled.problem is None
    assert heard.settled.usage.prompt_tokens > 100 * (SPACE + 1)
