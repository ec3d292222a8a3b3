"""Names a session after its first question, without asking a model."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

LIMIT = 48
"""Longest title, in characters."""

_LOOKED_AT = 2000
"""Characters of the question that can matter, so that a pasted file costs nothing."""

_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_FENCE = re.compile(
    r"^[ \t]*(`{3,}|~{3,})[^\n]*\n(?P<code>.*?)(?:^[ \t]*\1[^\n]*$|\Z)", re.DOTALL | re.MULTILINE
)
_BLOCK_MARK = re.compile(
    r"^\s*(?:#{1,6}\s+|>\s*|[-*+]\s+(?:\[[ xX]\]\s+)?|\d{1,9}[.)]\s+|\|\s*)+", re.MULTILINE
)
_RULE = re.compile(r"^[\s|:*_=-]+$", re.MULTILINE)
_LINK = re.compile(r"!?\[([^\]\n]*)\]\([^)\n]*\)")
_AUTOLINK = re.compile(r"<(https?://[^>\s]+)>")
_URL = re.compile(r"https?://[^\s<>]+")
_SPAN = re.compile(r"(\*{1,3}|(?<!\w)_{1,3}|~~|`+)(?=\S)([^\n]{1,200}?)(?<=\S)\1(?!\w)")
_TAG = re.compile(r"</?[A-Za-z][^>\n]*>")
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’)]*\s|(?<=[。！？])")  # noqa: RUF001 - CJK stops are meant
_ABBREVIATED = re.compile(r"(?:\b(?:e\.g|i\.e|vs|etc|Mr|Mrs|Ms|Dr|St|No|approx|cf)|\b[A-Z]|^\W*\d+)\.$")


def title_for(text: str) -> str:
    """Return a title of 48 characters at most for a session that begins with `text`.

    It is the first sentence of the prose, without Markdown; of code alone, its first line; of a
    link alone, its host and path. Empty only if `text` has nothing to show.
    """
    text = _ESCAPE.sub("", text.strip()[:_LOOKED_AT])
    prose = _FENCE.sub("\n", text)
    for candidate in (_plain(prose), _first_line("\n".join(m["code"] for m in _FENCE.finditer(text)))):
        if any(character.isalnum() for character in candidate):
            return _shorten(candidate)
    return _shorten(_first_line(text))


def _plain(text: str) -> str:
    """Return the first sentence of the first line that has words in it."""
    text = _RULE.sub("", text)
    text = _BLOCK_MARK.sub("", text)
    text = _LINK.sub(r"\1", text)
    text = _AUTOLINK.sub(r"\1", text)
    text = _TAG.sub("", text)
    for _ in range(3):  # spans nest: bold in italics in a quote
        text = _SPAN.sub(r"\2", text)
    for line in text.splitlines():
        if any(character.isalnum() for character in line):
            line = _first_sentence(_visible(line))
            return _URL.sub(lambda found: _short_url(found[0]), line).rstrip(" :,;|")
    return ""


def _first_sentence(line: str) -> str:
    for end in _SENTENCE_END.finditer(line):
        sentence = line[: end.start()].rstrip()
        if not _ABBREVIATED.search(sentence):
            return sentence.rstrip(".。")
    return re.sub(r"(?<!\.)\.$", "", line)


def _first_line(text: str) -> str:
    return next((line for line in map(_visible, text.splitlines()) if line), "")


def _short_url(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    return parts.netloc.removeprefix("www.") + parts.path.rstrip("/.,;:!?")


def _visible(line: str) -> str:
    """Return `line` on one line with single spaces, without control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in line).split())


def _shorten(title: str) -> str:
    """Cut at a word, with an ellipsis; in a script without spaces, at a character."""
    if len(title) <= LIMIT:
        return title
    cut = title[: LIMIT - 1]
    space = cut.rfind(" ")
    if title[LIMIT - 1] != " " and space >= LIMIT // 3:
        cut = cut[:space]
    return cut.rstrip(" ,;:-–—") + "…"  # noqa: RUF001 - a dash is meant
