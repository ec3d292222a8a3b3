"""Inline Markdown tokens as runs of styled text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.style import Style

from tui_chat.ui.transcript.lines import Run
from tui_chat.ui.transcript.palette import Palette
from tui_chat.ui.transcript.text import clean

if TYPE_CHECKING:
    from markdown_it.token import Token

_EMPHASIS = {"strong": Style(bold=True), "em": Style(italic=True), "s": Style(strike=True)}


def runs(tokens: Sequence[Token], palette: Palette, base: Style | None = None) -> list[Run]:
    """Return the runs of inline tokens, in `base` unless they say otherwise.

    A link is underlined, carries its address for the terminal (OSC 8), and shows the address behind
    its text where that differs.
    """
    out: list[Run] = []
    styles: list[Style | None] = [base]
    links: list[tuple[str, int]] = []
    for token in tokens:
        kind = token.type
        if kind == "text":
            out.append((clean(token.content).replace("\t", " "), styles[-1]))
        elif kind in ("softbreak", "hardbreak"):
            out.append(("\n", None))
        elif kind == "code_inline":
            out.append((token.content, _over(styles[-1], palette.code)))
        elif kind == "image":
            out.append((clean(token.content) or "image", _over(styles[-1], palette.link)))
            out.append((f" ({token.attrs.get('src', '')})", _over(base, palette.faint)))
        elif kind == "link_open":
            address = str(token.attrs.get("href", ""))
            links.append((address, len(out)))
            styles.append(_over(styles[-1], palette.link + Style(link=address)))
        elif kind == "link_close":
            styles.pop()
            address, start = links.pop()
            if not _shows("".join(text for text, _ in out[start:]), address):
                out.append((f" ({address})", _over(base, palette.faint + Style(link=address))))
        elif token.nesting > 0:
            styles.append(_over(styles[-1], _EMPHASIS.get(kind.removesuffix("_open"))))
        elif token.nesting < 0:
            styles.pop()
        elif token.content:
            out.append((clean(token.content), styles[-1]))
    return out


def _over(base: Style | None, style: Style | None) -> Style | None:
    if base is None or style is None:
        return style or base
    return base + style


def _shows(text: str, address: str) -> bool:
    from urllib.parse import unquote

    shown = address.removeprefix("mailto:")
    return text in (address, shown, unquote(shown)) or shown.rstrip("/").endswith("//" + text.rstrip("/"))
