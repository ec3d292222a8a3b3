"""The code blocks of a document, as they are copied."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from tui_chat.ui.transcript.text import clean

if TYPE_CHECKING:
    from markdown_it import MarkdownIt


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("gfm-like", {"html": False})
    parser.core.ruler.enableOnly(["normalize", "block"])
    return parser


def code_blocks(source: str) -> list[str]:
    """Return the code blocks of Markdown in order, wherever they stand, without their fences."""
    tokens = _parser().parse(clean(source))
    return [token.content for token in tokens if token.type in ("fence", "code_block")]
