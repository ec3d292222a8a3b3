"""Markdown rendered to lines: a pure function of source, width and palette.

Raw HTML is shown as it is written. Line breaks of the source are kept, as in any chat.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style

from tui_chat.ui.transcript.blocks import Block, References, document
from tui_chat.ui.transcript.code import code_lines, label, mark
from tui_chat.ui.transcript.inline import runs
from tui_chat.ui.transcript.lines import BLANK, Content, Line, Run, flow, prefix
from tui_chat.ui.transcript.palette import Palette
from tui_chat.ui.transcript.table import Table, table_lines
from tui_chat.ui.transcript.text import cells

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

NARROWEST = 8
"""Cells nested text is never squeezed below; what is then too wide is cropped when painted."""

_BULLETS = "•◦▪"
_TASKS = {"[ ] ": "☐", "[x] ": "☑", "[X] ": "☑"}


def render(source: str, width: int, palette: Palette) -> list[Line]:
    """Render a whole document."""
    blocks, references = document(source)
    return [line for block in blocks for line in render_block(block, width, palette, references)]


def render_block(
    block: Block, width: int, palette: Palette, references: References | None = None
) -> list[Line]:
    """Render one block, with the blank line before it if it has one."""
    tokens = _parser().parse(block.source, {"references": references} if references else {})
    lines: list[Line] = [BLANK] if block.gap else []
    if block.fence and tokens:
        margin = (mark(palette),)
        code = code_lines(tokens[0].content, tokens[0].info, width, palette)
        named = [] if block.part else label(tokens[0].info, width, palette)
        return lines + [Line(content, margin) for content in (*named, *code)]
    renderer = _Renderer(palette, block.ordinal)
    return lines + [Line(content) for content in renderer.blocks(tokens, width)]


def warm_up() -> None:
    """Import the parser and the highlighter, so that the first answer need not wait for them."""
    render("a\n```python\nb\n```\n", 40, Palette())


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("gfm-like", {"html": False})


class _Renderer:
    """Renders the tokens of one block; `ordinal` is the number of its list item if it is one."""

    def __init__(self, palette: Palette, ordinal: int | None = None) -> None:
        self._palette = palette
        self._ordinal = ordinal
        self._depth = 0

    def blocks(self, tokens: list[Token], width: int, base: Style | None = None) -> list[Content]:
        """Render sibling blocks, with a blank line between them unless they stand in a tight list."""
        width = max(NARROWEST, width)
        lines: list[Content] = []
        tight = any(token.hidden for token, _ in _siblings(tokens))
        for token, inner in _siblings(tokens):
            rendered = self._block(token, inner, width, base)
            if lines and rendered and not tight:
                lines.append(())
            lines += rendered
        return lines

    def _block(self, token: Token, inner: list[Token], width: int, base: Style | None) -> list[Content]:
        palette = self._palette
        match token.type:
            case "paragraph_open":
                return flow(self._inline(inner, base), width)
            case "heading_open":
                return flow(self._inline(inner, palette.heading), width)
            case "bullet_list_open" | "ordered_list_open":
                return self._list(token, inner, width, base)
            case "blockquote_open":
                bar: Content = (Segment("▎ ", palette.bar),)
                return prefix(bar, bar, self.blocks(inner, width - 2, palette.muted))
            case "table_open":
                return table_lines(self._table(inner, base), width, palette)
            case "fence" | "code_block":
                before: Content = (mark(palette),)
                body = code_lines(token.content, token.info, width - 1, palette)
                return prefix(before, before, label(token.info, width - 1, palette) + body)
            case "hr":
                return [(Segment("─" * width, palette.rule),)]
            case _:
                return flow([(token.content, base)], width)

    def _inline(self, tokens: list[Token], base: Style | None) -> list[Run]:
        return [run for token in tokens for run in runs(token.children or [], self._palette, base)]

    def _list(self, opening: Token, inner: list[Token], width: int, base: Style | None) -> list[Content]:
        number: int | None = None
        if opening.type == "ordered_list_open":
            number = int(opening.attrs.get("start", 1)) if self._ordinal is None else self._ordinal
        self._ordinal = None
        bullet = _BULLETS[min(self._depth, len(_BULLETS) - 1)]
        self._depth += 1
        lines: list[Content] = []
        loose = any(
            token.type == "paragraph_open" and not token.hidden and token.level == opening.level + 2
            for token in inner
        )
        for _, item in _siblings(inner):
            task = self._task(item)
            marker = task or (bullet if number is None else f"{number}.")
            first: Content = (Segment(marker, self._palette.muted), Segment(" "))
            rest: Content = (Segment(" " * (cells(marker) + 1)),)
            if loose and lines:
                lines.append(())
            lines += prefix(first, rest, self.blocks(item, width - cells(marker) - 1, base) or [()])
            number = None if number is None else number + 1
        self._depth -= 1
        return lines

    def _task(self, item: list[Token]) -> str:
        if len(item) < 2 or item[1].type != "inline" or not item[1].children:
            return ""
        text = item[1].children[0]
        box = _TASKS.get(text.content[:4], "")
        if box:
            text.content = text.content[4:]
        return box

    def _table(self, tokens: list[Token], base: Style | None) -> Table:
        rows: list[list[list[Run]]] = []
        aligns: list[str] = []
        for index, token in enumerate(tokens):
            if token.type == "tr_open":
                rows.append([])
            elif token.type in ("th_open", "td_open"):
                rows[-1].append(self._inline([tokens[index + 1]], base))
                if token.type == "th_open":
                    aligns.append(str(token.attrs.get("style", "")).removeprefix("text-align:") or "left")
        return Table(rows[0], rows[1:], aligns)


def _siblings(tokens: list[Token]) -> Iterator[tuple[Token, list[Token]]]:
    """Walk the tokens of one level, each with the tokens inside it."""
    index = 0
    while index < len(tokens):
        end = index
        if tokens[index].nesting > 0:
            depth = 1
            while depth:
                end += 1
                depth += tokens[end].nesting
        yield tokens[index], tokens[index + 1 : end]
        index = end + 1
