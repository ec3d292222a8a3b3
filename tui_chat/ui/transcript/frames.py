"""An item rendered to lines: header, body, and what stands under it. Pure, and whole at once.

The geometry, in columns: headers and bars begin at 0, bodies at 2; code draws its mark in column 1.
"""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style

from tui_chat.chat.model import FinishReason
from tui_chat.ui.transcript import words
from tui_chat.ui.transcript.blocks import Block, References, document
from tui_chat.ui.transcript.items import AnswerItem, DividerItem, Item, Level, NoticeItem, UserItem
from tui_chat.ui.transcript.lines import BLANK, Content, Line, plain, width_of
from tui_chat.ui.transcript.markdown import NARROWEST, render_block
from tui_chat.ui.transcript.palette import Palette
from tui_chat.ui.transcript.text import TAB, cells, clean, clean_line, shorten

INDENT = 2
"""Columns before the body of a message."""

WINDOW = 6
"""Lines of thinking shown while it streams."""

TOGGLE = "toggle_thinking"
"""The widget's action behind the thinking line; its argument is the item's id."""

_MARGIN: Content = (Segment(" " * INDENT),)
_STEM = Segment(" " * (INDENT - 1))


def body_width(width: int) -> int:
    """Return the cells a body has in a transcript of `width` cells."""
    return max(NARROWEST, width - INDENT)


def render_item(item: Item, width: int, palette: Palette, unfolded: bool = False) -> list[Line]:
    """Render an item, with the blank line that follows it.

    Args:
        item: What to show.
        width: Cells of a line.
        palette: Styles.
        unfolded: Whether thinking is shown in full.
    """
    match item:
        case UserItem():
            lines = _user(item, width, palette)
        case AnswerItem():
            lines = [
                *answer_head(item, width, palette, unfolded),
                *answer_body(item.text, width, palette),
                *answer_foot(item, width, palette),
            ]
        case DividerItem():
            lines = _divider(item, width, palette)
        case NoticeItem():
            lines = _notice(item, width, palette)
    return [*lines, BLANK]


def _user(item: UserItem, width: int, palette: Palette) -> list[Line]:
    time = clean_line(item.time)
    header = _named(Segment(shorten(clean_line(item.name), width), palette.user), item.branch, width, palette)
    spare = width - width_of(header) - cells(time)
    if time and spare > 0:
        header = (*header, Segment(" " * spare), Segment(time, palette.faint))
    bar: Content = (Segment("│", palette.bar), Segment(" "))
    body = plain(clean(item.text).expandtabs(TAB).rstrip("\n"), body_width(width))
    lines = [Line(header)]
    for each in item.attached:
        name = Segment(shorten(clean_line(f"+ {each}"), body_width(width)), palette.muted)
        lines.append(Line((name,), bar))
    if item.text or not item.attached:
        lines += [Line(content, bar) for content in body]
    if item.note:
        note = plain(clean(item.note), body_width(width) - INDENT, palette.muted)
        lines += [Line(content, (*bar, *_MARGIN)) for content in note]
    return lines


def _named(name: Segment, branch: str, width: int, palette: Palette) -> Content:
    """A header: who speaks, and, where there is room, on which branch."""
    branch = clean_line(branch)
    if not branch or width_of((name,)) + cells(branch) + 2 > width:
        return (name,)
    return (name, Segment("  "), Segment(branch, palette.muted))


def _divider(item: DividerItem, width: int, palette: Palette) -> list[Line]:
    hint = clean_line(item.hint)
    text = shorten(clean_line(item.text), max(0, width - 6))
    if hint and cells(text) + cells(hint) + 9 > width:
        hint = ""
    said = f"{text} " if text else ""
    parts = [Segment("── " if text else "", palette.rule), Segment(said, palette.muted)]
    if hint:
        parts += [Segment("· ", palette.faint), Segment(f"{hint} ", palette.muted)]
    parts.append(Segment("─" * max(0, width - width_of(tuple(parts))), palette.rule))
    body = plain(clean(item.body).expandtabs(TAB).strip("\n"), body_width(width), palette.muted)
    below = [Line(content, _MARGIN) for content in body] if item.body.strip() else []
    if item.hint and not hint:
        below += [Line(content, _MARGIN) for content in plain(item.hint, body_width(width), palette.muted)]
    return [Line(tuple(part for part in parts if part.text)), *below]


def _notice(item: NoticeItem, width: int, palette: Palette) -> list[Line]:
    styles = {Level.INFO: palette.muted, Level.WARNING: palette.warning, Level.ERROR: palette.error}
    return _message(item.text, item.hint, width, styles[item.level], palette)


def _message(what: str, hint: str, width: int, style: Style, palette: Palette) -> list[Line]:
    room = body_width(width)
    lines = plain(clean(what), room, style) if what else []
    lines += plain(clean(hint), room, palette.muted) if hint else []
    return [Line(content, _MARGIN) for content in lines]


def answer_head(item: AnswerItem, width: int, palette: Palette, unfolded: bool = False) -> list[Line]:
    """Render the name of the model, and what it thought: folded, unfolded, or a window while it thinks."""
    name = Segment(shorten(clean_line(item.model), width), palette.model)
    lines = [Line(_named(name, item.branch, width, palette))]
    if item.thinking.strip():
        live = item.finish is None and not item.text.strip()
        mark = "▾" if unfolded or live else "▸"
        click = Style(meta={"@click": f"{TOGGLE}({item.id!r})"})
        said = f"{mark} {words.thinking(item, live)}"
        lines.append(Line((Segment(said, palette.muted + click),), _MARGIN))
        if unfolded or live:
            thoughts = _thoughts(
                item.thinking, body_width(width) - INDENT, palette, None if unfolded else WINDOW
            )
            lines += [Line(content, (*_MARGIN, *_MARGIN)) for content in thoughts]
        if item.text.strip():
            lines.append(BLANK)
    return lines


def _thoughts(text: str, width: int, palette: Palette, window: int | None) -> list[Content]:
    text = clean(text[-window * width * 2 :] if window else text).strip("\n").expandtabs(TAB)
    lines = plain(text, width, palette.muted)
    return lines[-window:] if window else lines


def answer_body(source: str, width: int, palette: Palette) -> list[Line]:
    """Render the Markdown of an answer."""
    blocks, references = document(clean(source))
    return [line for block in blocks for line in answer_block(block, width, palette, references)]


def answer_block(
    block: Block, width: int, palette: Palette, references: References | None = None
) -> list[Line]:
    """Render one block of an answer's Markdown, indented."""
    return [_indented(line) for line in render_block(block, body_width(width), palette, references)]


def _indented(line: Line) -> Line:
    if not line.content and not line.margin:
        return line
    return Line(line.content, (_STEM, *line.margin) if line.margin else _MARGIN)


def answer_foot(item: AnswerItem, width: int, palette: Palette) -> list[Line]:
    """Render what stands under an answer: the phase while it is generated, then numbers and its ending."""
    if item.finish is None:
        return _message("", item.phase, width, palette.muted, palette)
    what, hint = words.ending(item)
    lines = _message("", words.metadata(item), width, palette.muted, palette)
    if item.text.strip() and lines:
        lines.insert(0, BLANK)
    if what and (item.text.strip() or item.thinking.strip()) and not lines:
        lines.append(BLANK)
    return lines + _message(what, hint, width, _loudness(item, palette), palette)


def _loudness(item: AnswerItem, palette: Palette) -> Style:
    """How an ending is written: what is complete, or was stopped on purpose, is no failure."""
    if item.finish is FinishReason.CANCELLED and item.problem is None:
        return Style()
    wanted = (FinishReason.STOP, FinishReason.LENGTH, FinishReason.CANCELLED)
    return palette.warning if item.finish in wanted else palette.error
