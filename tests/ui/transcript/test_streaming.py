"""An answer looks the same streamed in any pieces as rendered at once."""

# ruff: noqa: E501
from __future__ import annotations

import random

import pytest
from msgspec.structs import replace

from tui_chat.chat.model import FinishReason
from tui_chat.ui.transcript.frames import render_item
from tui_chat.ui.transcript.items import AnswerItem
from tui_chat.ui.transcript.lines import Line
from tui_chat.ui.transcript.live import LiveAnswer
from tui_chat.ui.transcript.palette import Palette

PALETTE = Palette()

TRICKY = {
    "fence in a list": "Intro\n\n- a\n- b\n\n  ```python\n  x=1\n  y=2\n  ```\n- c\n\nend para\n",
    "setext": "Some title\n==========\n\npara text here\n\nAnother\n-------\n\ntext\n-\n\nmore\n- not a title\n",
    "quotes": "> quote one\n> quote two\nlazy\n>\n> - item\n> > deeper\n\nafter quote\n",
    "table and text": "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\nlazy row\n\nafter\n| c | d |\n|---|--x\n",
    "two tables": "| a | b |\n|---|---|\n| 1 | 2 |\n\n| c | d |\n|---|---|\n| 5 | 6 |\n| 7 | 8 |\n\nafter\n",
    "nested fences": "````md\n```py\nx\n```\n````\n\nafter\n~~~\nopen ```\n\nx\n",
    "fence in a paragraph": "text\n```\ncode\n```\nmore text\n- li\n",
    "not a fence": "text\n```a`b\nmore\n#hashtag\n# title\n***bold***\n***\n",
    "indented code": "para\n\n    code line\n    code 2\n\n    code 3\n\npara2\n",
    "rules": "a\n\n---\n\nb\n***\nc\n- - -\n",
    "ordered": "1. a\n2. b\n\n3. c\n\n   more c\n4) x\n5) y\n\n10. ten\n11. eleven\n\n1\n",
    "repeated numbers": "1. a\n1. b\n1. c\n   1. d\n   1. e\n1. f\n",
    "tasks": "- [ ] open\n- [x] done\n- [link](http://x.y)\n* other list\n",
    "empty items": "-\n- a\n-\n\n- b\n*\n",
    "breaks": "a  \nb\\\nc\nd\n",
    "wide": "中文，字符。\n\n- 👩‍👩‍👧 family\n- é combining\n",
    "line ends": "a\r\nb\r\n\r\n```\r\nx\r\n```\r\nc\rd",
    "controls": "a\x1b[31mred\x1b[0m\n\n\x1b]0;title\x07\n",
    "long fence": "Look:\n```python\n" + "\n".join(f"x{i} = '{i}'\n" if i % 9 else "" for i in range(150)) + "\n```\nEnd.",
    "long open fence": "```\n" + "\n" * 70 + "x\n" * 70 + "\n\n",
    "html": "<div>\n\n<b>x</b> text\n</div>\n",
}  # fmt: skip


def answer(text: str, finish: FinishReason | None = None) -> AnswerItem:
    return AnswerItem(id="a", model="m", text=text, finish=finish)


def texts(lines: list[Line]) -> list[str]:
    return ["".join(segment.text for segment in line.margin) + line.text for line in lines]


def stream(text: str, seed: int, width: int) -> LiveAnswer:
    chance = random.Random(seed)
    live = LiveAnswer(answer(""), width, PALETTE)
    at = 0
    while at < len(text):
        size = chance.randint(1, 6 if seed % 2 else 60)
        before = list(live.lines)
        same = live.feed(text[at : at + size])
        assert live.lines[:same] == before[:same]
        at += size
    return live


@pytest.mark.parametrize("name", TRICKY)
def test_streamed_in_any_pieces_equals_rendered_at_once(name: str) -> None:
    text, width = TRICKY[name], 40
    whole = texts(render_item(answer(text), width, PALETTE))
    for seed in range(5):
        live = stream(text, seed, width)
        assert texts(live.lines) == whole, f"seed {seed}"
        assert live.item.text == text


@pytest.mark.parametrize("name", TRICKY)
@pytest.mark.parametrize("end", ["", "\n\n[ref]: http://x.y\n"])
def test_settled_equals_rendered_at_once_styles_included(name: str, end: str) -> None:
    item = answer(TRICKY[name] + end, FinishReason.STOP)
    assert stream(item.text, 1, 60).settle(item) == render_item(item, 60, PALETTE)


def test_every_prefix_looks_like_that_prefix_alone() -> None:
    text = "\n".join(TRICKY.values()).replace("\r", "")[:1800]
    live = LiveAnswer(answer(""), 50, PALETTE)
    for at in range(0, len(text), 11):
        live.feed(text[at : at + 11])
        assert texts(live.lines) == texts(render_item(answer(text[: at + 11]), 50, PALETTE)), text[: at + 11][
            -80:
        ]


def test_references_resolve_when_the_answer_settles() -> None:
    item = answer("See [docs][1].\n\nmore\n\n[1]: http://x.y/z\n", FinishReason.STOP)
    live = stream(item.text, 3, 60)
    assert "  See [docs][1]." in texts(live.lines)
    assert "  See docs (http://x.y/z)." in texts(live.settle(item))


def test_resizing_mid_answer_equals_rendering_at_that_width() -> None:
    text = TRICKY["fence in a list"] * 3
    live = stream(text[:80], 1, 60)
    live.resize(30, PALETTE)
    live.feed(text[80:])
    assert texts(live.lines) == texts(render_item(answer(text), 30, PALETTE))


def test_the_phase_goes_when_text_comes() -> None:
    live = LiveAnswer(replace(answer(""), phase="reading 5,930 tokens 41 %, 2 s left"), 60, PALETTE)
    assert "  reading 5,930 tokens 41 %, 2 s left" in texts(live.lines)
    live.phase("reading 5,930 tokens 80 %, 1 s left")
    assert "  reading 5,930 tokens 80 %, 1 s left" in texts(live.lines)
    live.feed("Hello")
    assert texts(live.lines) == ["m", "  Hello", ""]


def test_thinking_is_a_window_while_it_streams_and_folds_when_the_answer_starts() -> None:
    live = LiveAnswer(answer(""), 40, PALETTE)
    for number in range(30):
        live.feed("", f"thought {number}\n")
    assert texts(live.lines) == [
        "m",
        "  ▾ thinking",
        *(f"    thought {number}" for number in range(24, 30)),
        "",
    ]
    live.feed("So")
    assert texts(live.lines) == ["m", "  ▸ thought", "", "  So", ""]
    live.unfold(True)
    assert texts(live.lines)[:4] == ["m", "  ▾ thought", "    thought 0", "    thought 1"]
    live.feed(" it is")
    assert texts(live.lines)[-2:] == ["  So it is", ""]
