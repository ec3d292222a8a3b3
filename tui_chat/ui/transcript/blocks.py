"""Markdown source cut into top-level blocks, and kept cut while it grows.

What a complete line has closed never changes again, so a growing answer re-parses only its open
tail. Long code fences are frozen in parts of `FROZEN_LINES`; a list is cut between its items.
Link references are the one thing that looks ahead; they are resolved when the whole text is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

FROZEN_LINES = 64
"""Lines of an open code fence that are rendered once and for all when they are full."""

References = Mapping[str, Any]
"""Link reference definitions by normalised label, as markdown-it keeps them."""

_DEFINITION = re.compile(r"^[ >*+\-\d.)]*\[[^\]\n]+(\]:|\n)", re.MULTILINE)
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})[^\n]*\n")


class Block(msgspec.Struct, frozen=True):
    """One top-level piece of a document; its source parses alone to what it was in the whole.

    Attributes:
        source: Markdown, with the blank lines that follow it.
        gap: Whether a blank line stands before it.
        ordinal: The number of an item of an ordered list.
        part: Whether it continues a code fence whose beginning is another block.
        fence: Whether it is a code fence.
    """

    source: str
    gap: bool = True
    ordinal: int | None = None
    part: bool = False
    fence: bool = False


_FIRST = Block("", gap=False)


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("gfm-like", {"html": False})
    parser.core.ruler.enableOnly(["normalize", "block"])
    return parser


def document(source: str) -> tuple[list[Block], References]:
    """Cut a whole document into blocks, and collect its link references."""
    env: dict[str, Any] = {}
    return split(source, _FIRST, env), env.get("references", {})


def may_refer(source: str) -> bool:
    """Return whether there may be link reference definitions; False is certain."""
    return _DEFINITION.search(source) is not None


def whole(blocks: Iterable[Block]) -> list[Block]:
    """Join the parts of code fences again."""
    out: list[Block] = []
    for block in blocks:
        if block.part:
            body = block.source.partition("\n")[2]
            out[-1] = replace(out[-1], source=out[-1].source + body)
        else:
            out.append(block)
    return out


def split(source: str, first: Block = _FIRST, env: dict[str, Any] | None = None) -> list[Block]:
    """Cut `source` into blocks. `first` says what is known of the block it begins with."""
    if not source:
        return []
    cuts: list[tuple[int, Block]] = []
    ordinal: int | None = None
    joins = False
    for token in _parser().parse(source, env if env is not None else {}):
        if token.map is None or token.level > 1:
            continue
        if token.level == 1:
            if token.type == "list_item_open":
                cuts.append((token.map[0], Block("", gap=not joins, ordinal=ordinal)))
                joins = True
                ordinal = None if ordinal is None else ordinal + 1
        elif token.type.endswith("_list_open"):
            joins = bool(cuts)
            ordinal = int(token.attrs.get("start", 1)) if token.type == "ordered_list_open" else None
            if not cuts and ordinal is not None and first.ordinal is not None:
                ordinal = first.ordinal
        else:
            joins = False
            cuts.append((token.map[0], Block("", fence=token.type == "fence")))
    return _assemble(source, first, cuts)


def _assemble(source: str, first: Block, cuts: list[tuple[int, Block]]) -> list[Block]:
    if not cuts:
        return [replace(first, source=source)]
    lines = source.split("\n")
    starts = [0, *(line for line, _ in cuts[1:]), len(lines)]
    blocks: list[Block] = []
    for index, (_, block) in enumerate(cuts):
        start, end = starts[index], starts[index + 1]
        piece = "\n".join(lines[start:end]) + ("\n" if end < len(lines) else "")
        if index == 0:
            blocks.append(replace(block, source=piece, gap=first.gap, part=first.part and block.fence))
        else:
            parted = block.gap or not lines[start - 1].strip()
            blocks.append(replace(block, source=piece, gap=parted))
    return blocks


class BlockStream:
    """A document that grows at its end.

    The blocks handed out as closed, in order, followed by the open ones, always say the same as
    `document` of all the text fed so far, link references apart.
    """

    __slots__ = ("_first", "_tail")

    def __init__(self) -> None:
        self._tail = ""
        self._first = _FIRST

    def feed(self, text: str) -> tuple[list[Block], list[Block]]:
        """Add text; return the blocks it closed for good, and those that are still open."""
        self._tail += text
        closed = self._close() if "\n" in text else []
        return closed, split(self._tail, self._first)

    def _close(self) -> list[Block]:
        end = self._tail.rfind("\n") + 1
        *closed, last = split(self._tail[:end], self._first)
        self._first = replace(last, source="")
        tail = last.source
        if last.fence and (frozen := _frozen(tail)) is not None:
            done, tail = frozen
            closed.append(replace(last, source=done))
            self._first = Block("", gap=False, part=True, fence=True)
        self._tail = tail + self._tail[end:]
        return closed


def _frozen(source: str) -> tuple[str, str] | None:
    """Part an open fence with enough lines into a full part and the rest, each with the opening line."""
    opening = _FENCE.match(source)
    if opening is None:
        return None
    body = source[opening.end() :].split("\n")[:-1]
    full = (len(body) - 1) // FROZEN_LINES * FROZEN_LINES
    said = next((line for line in reversed(body) if line.strip()), "")
    if full <= 0 or _closes(said, opening.group(1)):
        return None
    head = opening.group()
    return head + "\n".join(body[:full]) + "\n", head + "\n".join(body[full:]) + "\n"


def _closes(line: str, marker: str) -> bool:
    line = line.strip()
    return len(line) >= len(marker) and not line.strip(marker[0])
