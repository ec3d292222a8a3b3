"""Titles made without a model."""

from __future__ import annotations

import pytest

from tui_chat.chat.title import LIMIT, title_for


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("How do I reverse a list in Python? I have tried x.", "How do I reverse a list in Python?"),
        ("Tell me a story.", "Tell me a story"),
        ("# A heading\n\nbody", "A heading"),
        ("**Write** a _short_ story about `foo_bar`", "Write a short story about foo_bar"),
        ("- [ ] buy milk\n- eggs", "buy milk"),
        ("> quoted\n\nmy question?", "quoted"),
        ("[The docs](http://x.y/z) say so", "The docs say so"),
        ("Explain e.g. what Dr. Smith did. Thanks", "Explain e.g. what Dr. Smith did"),
        ("Version 3.11 is out. Tell me", "Version 3.11 is out"),
        ("What's 2 * 3 * 4?", "What's 2 * 3 * 4?"),
        ("Is snake_case_name fine", "Is snake_case_name fine"),
        ("Fix this:\n```py\nx = 1\n```", "Fix this"),
        ("```python\ndef f(x):\n    return x\n```", "def f(x):"),
        ("```\nnever closed", "never closed"),
        ("```py\nx = 1\n```\nWhy does this fail?", "Why does this fail?"),
        ("https://www.example.com/a/b?q=1", "example.com/a/b"),
        ("写一个关于机器人画家的故事。要长一点。", "写一个关于机器人画家的故事"),
        ("Hello…   there\tfriend", "Hello…"),
        ("\x1b[31mred\x1b[0m\x00 text", "red text"),
        ("???", "???"),
        ("😀😀", "😀😀"),
        ("", ""),
        (" \n\t", ""),
    ],
)
def test_title(text: str, title: str) -> None:
    assert title_for(text) == title


def test_a_long_line_is_cut_at_a_word() -> None:
    title = title_for("the quick brown fox jumps over the lazy dog and then runs away from everything")
    assert title == "the quick brown fox jumps over the lazy dog and…"
    assert len(title) <= LIMIT


@pytest.mark.parametrize(
    "text", ["a" * 500, "これは空白のない非常に長い日本語の文章です" * 5, "*a_ `" * 100_000, "```\n" * 9000]
)
def test_any_text_gives_one_short_line(text: str) -> None:
    title = title_for(text)
    assert 0 < len(title) <= LIMIT
    assert title.isprintable()
