"""A conversation as one HTML page: no script, nothing fetched, light and dark, everything in it escaped."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from html import escape
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tui_chat.chat.attachments import Attachment, PictureRef
from tui_chat.chat.export import outline
from tui_chat.chat.export.outline import Entry, line_of, visible, when
from tui_chat.chat.model import Message, Role, Session
from tui_chat.chat.pictures import kind_of

EMBEDDED = 1 << 20
"""Bytes up to which a picture becomes part of the page."""
_SCHEMES = ("http", "https", "mailto")

_STYLE = """
:root { color-scheme: light dark; --text: #1d2430; --soft: #667085; --back: #ffffff; --raised: #f3f5f8;
  --line: #d9dee6; --user: #1f6feb; --link: #0b57d0; }
@media (prefers-color-scheme: dark) { :root { --text: #dfe4ec; --soft: #97a1b2; --back: #14181f;
  --raised: #1e242e; --line: #333c4a; --user: #6cb0ff; --link: #8ab4f8; } }
body { margin: 0 auto; max-width: 46rem; padding: 2rem 1rem; background: var(--back); color: var(--text);
  font: 1rem/1.6 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.3; }
.facts, .note, h2 { color: var(--soft); font-size: .85rem; }
h2 { margin: 2rem 0 .25rem; }
h2 b, .you h2 { color: var(--text); }
h2 a { color: inherit; text-decoration: none; }
.note { border-left: 3px solid var(--line); margin: 1.5rem 0; padding-left: .75rem; }
.branch { border-top: 1px solid var(--line); margin-top: 2.5rem; padding-top: .75rem; font-weight: 600; }
.you > .text { border-left: 3px solid var(--user); padding-left: .75rem; }
.plain { white-space: pre-wrap; }
a { color: var(--link); }
pre { background: var(--raised); border-radius: .4rem; overflow-x: auto; padding: .75rem; }
code { background: var(--raised); border-radius: .2rem; padding: .1em .25em;
  font: .9em/1.5 ui-monospace, monospace; }
pre code { padding: 0; }
table { border-collapse: collapse; } th, td { border: 1px solid var(--line); padding: .25rem .6rem; }
blockquote { border-left: 3px solid var(--line); color: var(--soft); margin-left: 0; padding-left: .75rem; }
details { color: var(--soft); }
figure { margin: .5rem 0; } img { max-width: 100%; height: auto; }
"""

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""


def to_html(
    session: Session,
    leaf: str | None = None,
    *,
    whole: bool = False,
    thinking: bool = False,
    look: Callable[[PictureRef], bytes | None] | None = None,
) -> str:
    """Return the branch that ends at `leaf` (the active one if None), or every branch, as an HTML page.

    Args:
        session: What is exported.
        leaf: Where the branch ends.
        whole: Whether all branches are wanted.
        thinking: Whether what models thought is wanted too; it is folded.
        look: Finds the bytes of a picture; those up to `EMBEDDED` bytes become part of the page.

    Raises:
        KeyError: There is no message `leaf`.
    """
    markdown = _renderer()
    blocks = [*_facts(session)]
    for entry in outline.outline(session, leaf, whole=whole):
        blocks += _entry(entry, markdown, thinking=thinking, look=look or (lambda _: None))
    title = escape(line_of(session.title) or "Conversation")
    return _PAGE.format(title=title, style=_STYLE, body="\n".join(blocks))


def _facts(session: Session) -> Iterator[str]:
    tags = f" · tags: {', '.join(map(line_of, session.tags))}" if session.tags else ""
    yield f'<p class="facts">{when(session.created)} to {when(session.updated)}{escape(tags)}</p>'
    if session.system.strip():
        yield f'<p class="note plain">{escape(visible(f"System prompt: {session.system}"))}</p>'


def _entry(
    entry: Entry, markdown: MarkdownIt, *, thinking: bool, look: Callable[[PictureRef], bytes | None]
) -> Iterator[str]:
    message, number = entry.message, entry.number
    if entry.branch is not None:
        yield f'<p class="branch">{escape(line_of(outline.branch_line(entry.branch)))}</p>'
    if not message.said:
        yield f'<p class="note plain" id="m{number}">{escape(visible(outline.note(message)))}</p>'
        return
    who, why = escape(line_of(outline.said_by(message))), outline.incomplete(message)
    kind = "you" if message.role is Role.USER else "model"
    yield f'<section class="{kind}" id="m{number}">'
    yield (
        f'<h2><a href="#m{number}">{number}</a> <b>{who}</b> {when(message.created)}'
        f"{f' ({why})' if why else ''}</h2>"
    )
    if thinking and message.thinking.strip():
        thought = escape(visible(message.thinking))
        yield f'<details><summary>Thinking</summary><div class="plain">{thought}</div></details>'
    for attachment in message.attachments:
        yield _attached(attachment, look)
    yield _text(message, markdown)
    yield "</section>"


def _attached(attachment: Attachment, look: Callable[[PictureRef], bytes | None]) -> str:
    """Fold an attached text, and show a picture that is small; another is named."""
    name, picture = escape(line_of(attachment.label)), attachment.picture
    if picture is None:
        text = escape(visible(attachment.text))
        return f'<details><summary>{name}</summary><div class="plain">{text}</div></details>'
    about = escape(outline.about_picture(attachment, picture))
    data = look(picture) if attachment.bytes <= EMBEDDED else None
    kind = kind_of(data) if data is not None else None
    if data is None or kind is None or len(data) > EMBEDDED:
        return f'<p class="facts">{about}</p>'
    uri = f"data:{kind};base64,{b64encode(data).decode()}"
    return f'<figure><img src="{uri}" alt="{name}"><figcaption class="facts">{about}</figcaption></figure>'


def _text(message: Message, markdown: MarkdownIt) -> str:
    """Render what a model wrote as Markdown, and what a person typed as it is."""
    text = visible(message.text)
    if message.role is Role.USER:
        return f'<div class="text plain">{escape(text)}</div>'
    return f'<div class="text">{markdown.render(text)}</div>'


def _renderer() -> MarkdownIt:
    """Make a renderer that passes no HTML on, links to web and mail only, and shows pictures as links."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    markdown.validateLink = _is_allowed  # type: ignore[method-assign]
    markdown.add_render_rule("link_open", _link)
    markdown.add_render_rule("image", _image)
    return markdown


def _is_allowed(url: str) -> bool:
    try:
        return urlsplit(url.strip()).scheme.lower() in _SCHEMES
    except ValueError:
        return False


def _link(_self: object, tokens: Sequence[Token], index: int, *_: object) -> str:
    return _anchor(str(tokens[index].attrs.get("href", "")))


def _image(_self: object, tokens: Sequence[Token], index: int, *_: object) -> str:
    """Link to a picture: to show it, the page would have to fetch it."""
    token = tokens[index]
    return f"{_anchor(str(token.attrs.get('src', '')))}{escape(token.content or 'picture')}</a>"


def _anchor(url: str) -> str:
    return f'<a href="{escape(url)}" rel="noopener noreferrer nofollow">'
