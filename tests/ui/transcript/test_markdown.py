"""Golden renderings: the text of the lines at several widths, for every construct."""

# ruff: noqa: E501
from __future__ import annotations

import textwrap

import pytest
from rich.cells import cell_len

from tui_chat.ui.transcript.code import code_lines
from tui_chat.ui.transcript.fences import code_blocks, suffix_of
from tui_chat.ui.transcript.lines import Line
from tui_chat.ui.transcript.markdown import render
from tui_chat.ui.transcript.palette import Palette

PALETTE = Palette()

GOLDEN = {
    ("inline", 40): (
        "Some **bold *both*** and `code` and ~~gone~~.\nNext line, \\*literal\\* &amp; entity.",
        """
        Some bold both and code and gone.
        Next line, *literal* & entity.
        """,
    ),
    ("links", 40): (
        "A [link](http://a.b/c) and http://x.y/z and <me@x.org>, ![alt](i.png)",
        """
        A link (http://a.b/c) and http://x.y/z
        and me@x.org, alt (i.png)
        """,
    ),
    ("headings", 20): (
        "# First\ntext\n\nSecond\n===\n### A heading that wraps",
        """
        First

        text

        Second

        A heading that wraps
        """,
    ),
    ("lists", 40): (
        "Intro:\n- one\n- two\n  1. deep\n  2. deeper and long enough to wrap around\n     - third\n- three",
        """
        Intro:
        • one
        • two
          1. deep
          2. deeper and long enough to wrap
             around
             ▪ third
        • three
        """,
    ),
    ("loose list", 40): (
        "- one\n\n- two\n\n  more of two\n\n- [ ] open\n- [x] done",
        """
        • one

        • two

          more of two

        ☐ open
        ☑ done
        """,
    ),
    ("numbers", 40): ("9. nine\n1. ten\n1. eleven", "9. nine\n10. ten\n11. eleven"),
    ("quote", 20): (
        "> a quote that is long enough\n> > nested\n>\n> - item",
        """
        ▎ a quote that is
        ▎ long enough
        ▎
        ▎ ▎ nested
        ▎
        ▎ • item
        """,
    ),
    ("fence", 20): (
        "```python title\ndef f():\n\treturn 'a long line that is cut'\n\n\n```\nafter",
        """
        ▏python
        ▏def f():
        ▏    return 'a long l
        ▏ine that is cut'
        ▏
        ▏

        after
        """,
    ),
    ("fence in a fence", 40): ("````\n```py\nx\n```\n````", "▏```py\n▏x\n▏```"),
    ("fence in a list", 40): ("- a\n\n  ```sh\n  ls\n  ```", "• a\n\n  ▏sh\n  ▏ls"),
    ("unknown language", 40): ("```klingon\nx < y\n```", "▏klingon\n▏x < y"),
    ("table", 40): (
        "| name | size | what |\n|---|--:|:-:|\n| `m1` | 7 GB | **x** |\n| 中文 | 70 GB | yy |",
        """
        name   size  what
        ─────────────────
        m1     7 GB   x
        中文  70 GB   yy
        """,
    ),
    ("table that must wrap", 40): (
        "| name | what |\n|---|---|\n| m1 | some text that is too long for the width |\n| m2 | short |",
        """
        name  what
        ────────────────────────────────────────
        m1    some text that is too long for the
              width

        m2    short
        """,
    ),
    ("table wider than the screen", 20): (
        "| alpha | beta | gamma | delta |\n|---|---|---|---|\n| a long value | b | ccccccccc | dddddd |\n| 1 | 2 | 3 | 4 |",
        """
        alpha: a long
          value
        beta: b
        gamma: ccccccccc
        delta: dddddd
        ────────
        alpha: 1
        beta: 2
        gamma: 3
        delta: 4
        """,
    ),
    ("rule", 20): ("a\n\n---\n\nb", "a\n\n────────────────────\n\nb"),
    ("html", 40): ("<div onclick='x'>\n<b>text</b>", "<div onclick='x'>\n<b>text</b>"),
    ("indented code", 40): ("a\n\n    code\n      more", "a\n\n▏code\n▏  more"),
    ("huge word", 20): ("a " + "x" * 45 + " b", "a\n" + "x" * 20 + "\n" + "x" * 20 + "\nxxxxx b"),
    ("ideographs", 20): (
        "这是一个很长的句子，需要换行。English 中文混排",
        "这是一个很长的句子，\n需要换行。English 中\n文混排",
    ),
    ("closing marks", 20): ("一二三四五六七八九十。二", "一二三四五六七八九\n十。二"),
    ("emoji", 20): ("👩‍👩‍👧👩‍👩‍👧 family 🎉🎉🎉 tada", "👩‍👩‍👧👩‍👩‍👧 family 🎉🎉🎉\ntada"),
    ("combining", 20): ("e\u0301" * 25, "e\u0301" * 20 + "\n" + "e\u0301" * 5),
    ("references", 40): ("See [docs][d].\n\n[d]: http://x.y\n\nEnd", "See docs (http://x.y).\n\nEnd"),
    ("script link", 60): ("[x](javascript:alert(1))", "[x](javascript:alert(1))"),
}


def texts(lines: list[Line]) -> list[str]:
    return ["".join(segment.text for segment in line.margin) + line.text for line in lines]


@pytest.mark.parametrize(("name", "width"), GOLDEN)
def test_golden(name: str, width: int) -> None:
    source, expected = GOLDEN[name, width]
    shown = [line.rstrip() for line in texts(render(source, width, PALETTE))]
    assert shown == textwrap.dedent(expected).strip("\n").split("\n")


@pytest.mark.parametrize("width", [80, 40, 20])
def test_nothing_is_wider_than_the_screen_and_no_word_is_lost(width: int) -> None:
    for source, _ in GOLDEN.values():
        for line in render(source, width, PALETTE):
            margin = sum(cell_len(segment.text) for segment in line.margin)
            assert cell_len(line.text) + margin <= width + 2, line.text
        letters = [c for c in "".join(texts(render(source, 200, PALETTE))) if c.isalnum()]
        assert (
            sorted(letters)
            == sorted(c for c in "".join(texts(render(source, width, PALETTE))) if c.isalnum())
            or "|--" in source
            or "1. " in source
        )


def test_links_carry_their_address_for_the_terminal() -> None:
    (line,) = render("[link](http://a.b/c)", 40, PALETTE)
    assert line.content[0].style is not None
    assert line.content[0].style.link == "http://a.b/c"


@pytest.mark.parametrize(
    "source",
    ["\x1b[31mred\x1b[0m", "```\n\x1b]52;c;evil\x07\n```", "| \x9b31m |\n|---|\n| \x00\x08 |", "[\x1b](http://x/\x1b)",
     "a\x0bb\x0cc\u2028d\u202ee\x7f\ud800", "`\x1b`", "http://x.y/%1B[31m%00", "a&#13;b &#12; &#9; &#x202e; &#x9b;", "```&#27;&#13;x\ny\n```"],
)  # fmt: skip
def test_no_control_character_reaches_the_terminal(source: str) -> None:
    from tui_chat.ui.transcript.frames import render_item
    from tui_chat.ui.transcript.items import AnswerItem, UserItem

    items = [
        UserItem(id="u", text=source, name=source, note=source),
        AnswerItem(id="a", model=source, text=source, thinking=source, phase=source, branch=source),
    ]
    for item in items:
        for line in render_item(item, 60, PALETTE, unfolded=True):
            for segment in (*line.margin, *line.content):
                link = segment.style.link or "" if segment.style else ""
                assert all(ord(c) >= 32 and not 0x7F <= ord(c) < 0xA0 for c in segment.text + link)
                (segment.text + link).encode()


def test_code_is_highlighted_and_a_monstrous_line_is_not() -> None:
    palette = Palette.from_variables(
        {"syntax-keyword": "#00ff00", "syntax-name": "#0000ff", "code-ground": "#111111"}
    )
    assert len(code_lines("def f(): pass\n", "python", 40, palette)[0]) > 3
    assert len(code_lines("x = " + "(" * 5000 + "\n", "python", 40, palette)) == 126


def test_code_blocks_are_what_was_between_the_fences() -> None:
    source = "a\n```py\nx = 1\n\ny\n```\n- b\n  ~~~\n  z\n  ~~~\n\n    indented\n```\nopen"
    blocks = code_blocks(source)
    assert blocks[:2] == [("x = 1\n\ny\n", "py"), ("z\n", "")]
    assert [suffix_of(block.language) for block in blocks[:2]] == [".py", ".txt"]
