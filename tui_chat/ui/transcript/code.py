"""Code with its highlighting, cut to a width."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from rich.segment import Segment
from rich.style import Style

from tui_chat.ui.transcript.lines import Content, Run, cut, pad
from tui_chat.ui.transcript.palette import Palette
from tui_chat.ui.transcript.text import TAB, chop, clean_line, shorten

if TYPE_CHECKING:
    from pygments.lexer import Lexer  # type: ignore[import-untyped]

_LONG_LINE = 2_000
"""Characters of a line above which code is not highlighted: some lexers are quadratic in it."""


def mark(palette: Palette) -> Segment:
    """Return the single cell that stands before each line of code."""
    return Segment(" ", palette.code_block) if palette.tinted else Segment("▏", palette.bar)


def label(info: str, width: int, palette: Palette) -> list[Content]:
    """Return the line above the code that names its language, if it has one."""
    words = info.split(maxsplit=1)
    if not words:
        return []
    name = Segment(shorten(clean_line(words[0]), max(1, width)), palette.code_block + palette.faint)
    return [pad((name,), width, palette.code_block)]


def code_lines(source: str, info: str, width: int, palette: Palette) -> list[Content]:
    """Highlight code and cut it into lines of exactly `width` cells on the ground of code."""
    if not source:
        return []
    width = max(1, width)
    lines: list[Content] = []
    for runs in _highlighted(source.removesuffix("\n").expandtabs(TAB), info, palette):
        spans = chop("".join(text for text, _ in runs), width)
        lines.extend(pad(content, width, palette.code_block) for content in cut(runs, spans))
    return lines


def _highlighted(source: str, info: str, palette: Palette) -> list[list[Run]]:
    words = info.split(maxsplit=1)
    lexer = _lexer(words[0].lower()) if words else None
    ground = palette.code_block
    if lexer is None or max(map(len, source.split("\n"))) > _LONG_LINE:
        return [[(line, ground)] for line in source.split("\n")]
    lines: list[list[Run]] = [[]]
    for _, kind, value in lexer.get_tokens_unprocessed(f"{source}\n"):  # lexers look for ends of lines
        style = _style(palette.syntax, kind)
        style = ground if style is None else ground + style
        head, *others = value.split("\n")
        if head:
            lines[-1].append((head, style))
        lines.extend([(piece, style)] if piece else [] for piece in others)
    return lines[:-1]


@cache
def _lexer(name: str) -> Lexer | None:
    from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]
    from pygments.util import ClassNotFound  # type: ignore[import-untyped]

    try:
        return get_lexer_by_name(name)
    except ClassNotFound:
        return None


def _style(syntax: Any, kind: Any) -> Style | None:
    while kind.parent is not None:
        style = syntax.get(str(kind).removeprefix("Token."))
        if style is not None:
            return style  # type: ignore[no-any-return]
        kind = kind.parent
    return None
