"""Exports hold what was said on the branches asked for, and nothing that a browser would act on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.strategies import START, sessions
from tui_chat.chat.export.html import to_html
from tui_chat.chat.export.json import to_json
from tui_chat.chat.export.markdown import to_markdown
from tui_chat.chat.living import living
from tui_chat.chat.model import Answer, FinishReason, Message, Role, Session, Setup
from tui_chat.chat.policy import Cut, CutReason, PolicyKind


def session(*texts: str, **fields: object) -> Session:
    """A chat in which these were said in turn."""
    made: list[Message] = []
    for number, text in enumerate(texts):
        asks = number % 2 == 0
        answer = None if asks else Answer("qwen3:8b", finish=FinishReason.STOP)
        role = Role.USER if asks else Role.ASSISTANT
        parent = made[-1].id if made else None
        made.append(
            Message(f"m{number}", role, text, START + timedelta(minutes=number), parent, answer=answer)
        )
    return Session(
        id="talk",
        title="Tea",
        created=START,
        updated=START + timedelta(hours=1),
        leaf=made[-1].id if made else None,
        messages=tuple(made),
        **fields,  # type: ignore[arg-type]
    )


def with_more(base: Session, *more: Message) -> Session:
    return msgspec.structs.replace(base, messages=(*base.messages, *more))


@pytest.fixture
def branched() -> Session:
    """Two answers to the first question, and a question that was removed."""
    base = session("How long?", "Two minutes.", "And for black tea?", "Four.", system="Be brief.")
    other = Message(
        "other", Role.ASSISTANT, "Three.", START, "m0", name="longer", answer=Answer("llama"), thinking="Hm."
    )
    gone = Message("gone", Role.USER, "Forget it", START, "m1", removed=START)
    return with_more(base, other, gone, Message("below", Role.USER, "Below it", START, "gone"))


def test_a_branch_as_markdown(branched: Session) -> None:
    assert to_markdown(branched) == (
        "# Tea\n\n*2026-11-20 12:00 UTC to 2026-11-20 13:00 UTC*\n\n> System prompt: Be brief.\n\n"
        "## 1. You\n\nHow long?\n\n## 2. qwen3:8b\n\nTwo minutes.\n\n"
        "## 3. You\n\nAnd for black tea?\n\n## 4. qwen3:8b\n\nFour.\n"
    )
    other = to_markdown(branched, "other", thinking=True)
    assert "## 2. llama (still being written)\n\n> Thinking: Hm.\n\nThree.\n" in other
    assert "Two minutes" not in other
    with pytest.raises(KeyError):
        to_markdown(branched, "below")
    with pytest.raises(KeyError):
        to_markdown(branched, "nowhere")


def test_the_whole_tree_says_where_branches_begin(branched: Session) -> None:
    text = to_markdown(branched, whole=True)
    assert text.index("**Branch 1 of 2, after message 1**") < text.index("Two minutes.")
    assert (
        text.index("Four.") < text.index("**Branch 2 of 2, after message 1: longer**") < text.index("Three.")
    )
    assert "Forget" not in text
    assert "Below" not in text
    page = to_html(branched, whole=True)
    assert "Branch 2 of 2, after message 1: longer" in page
    assert "Forget" not in page


def test_what_the_system_did_is_a_line_and_nobodys_words() -> None:
    cut = Cut("m2", CutReason.FILL, PolicyKind.SUMMARISE, messages=12, tokens=3400)
    told = (
        Message("s0", Role.SYSTEM, "", START, "m1", setup=Setup("Be a teacher.", preset="teacher")),
        Message("s1", Role.SYSTEM, "They spoke of tea.", START, "s0", cut=cut),
    )
    talk = msgspec.structs.replace(with_more(session("Hi", "Hello"), *told), leaf="s1")
    text = to_markdown(talk)
    assert "> From here on: preset teacher. System prompt: Be a teacher.\n" in text
    assert (
        "> From here on 12 messages (about 3,400 tokens) above are no longer sent: the window was full"
        " (summarise). Summary: They spoke of tea.\n"
    ) in text
    assert "## 3" not in text
    assert '<p class="note plain" id="m3">From here on: preset teacher.' in to_html(talk)


def test_an_open_code_block_does_not_take_in_what_follows() -> None:
    text = to_markdown(session("Code?", "```python\nprint()\n~~~\n``` not a fence", "Thanks"))
    assert "``` not a fence\n```\n\n## 3. You" in text
    closed = to_markdown(session("Code?", "````\n```\n````", "Thanks"))
    assert "````\n```\n````\n\n## 3. You" in closed


@given(sessions(), st.booleans())
def test_exported_json_is_a_session_of_what_lives(talk: Session, whole: bool) -> None:
    exported = msgspec.json.decode(to_json(talk, whole=whole), type=Session)
    kept = living(talk.messages)
    if whole:
        assert exported.messages == kept
    else:
        assert all(message in kept for message in exported.messages)
    assert exported.leaf is None or any(m.id == exported.leaf for m in exported.messages)
    assert exported.tags == talk.tags


class Page(HTMLParser):
    """What a browser makes of a page: its elements, links and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[dict[str, str | None]] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag == "a":
            self.links.append(dict(attrs))

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def outside(self) -> Iterator[dict[str, str | None]]:
        """Links that lead out of the page."""
        return (link for link in self.links if not (link["href"] or "").startswith("#m"))


SAFE = set(
    re.findall(
        r"\w+",
        "a b blockquote body br code del details div em h1 h2 h3 h4 h5 h6 head hr html li meta ol p pre s "
        "section strong style summary table tbody td th thead title tr ul",
    )
)
ATTRIBUTES = {
    "charset",
    "class",
    "content",
    "href",
    "http-equiv",
    "id",
    "lang",
    "name",
    "rel",
    "start",
    "style",
}

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1)) [y](JaVaScRiPt:alert(1)) [z](data:text/html,hi) [f](file:///etc/passwd)",
    "![pixel](https://tracker.example/p.png) ![](data:image/png;base64,AAAA)",
    "<javascript:alert(1)> <https://example.org/?a=\"b'c>",
    "[x]: javascript:alert(1)\n\n[x]",
    '```" onload="x\ncode\n```',
    "</div></section></body><script src=//evil></script>",
    "&lt;script&gt; &#60;script&#62; \x00\x1b[2J \u202e",
    "> " * 5000 + "deep",
    "[" * 5000,
    "| a | b |\n|:-|-:|\n| <b> | `x` |",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("whole", [False, True])
def test_a_page_does_nothing_whatever_was_said(text: str, whole: bool) -> None:
    talk = session(text, text, system=text, tags=(text[:30],))
    told = Message("s", Role.SYSTEM, text, START, "m1", setup=Setup(text, preset=text))
    last = Message(
        "m3", Role.ASSISTANT, text, START, "s", thinking=text, name=text, answer=Answer(model=text)
    )
    talk = msgspec.structs.replace(with_more(talk, told, last), title=text, leaf="m3")
    check(Page(to_html(talk, whole=whole, thinking=True)))


@settings(max_examples=50)
@given(st.text(st.sampled_from("<>&\"'[]()!`*_|:/\\\n jscriptadthm=#-"), max_size=200))
def test_a_page_does_nothing_with_any_markdown(text: str) -> None:
    check(Page(to_html(session(text, text), thinking=True)))


def check(page: Page) -> None:
    assert page.tags <= SAFE
    assert page.attributes <= ATTRIBUTES
    for link in page.outside():
        assert (link["href"] or "").lower().startswith(("http:", "https:", "mailto:"))
        assert "noopener" in (link["rel"] or "")


def test_a_page_shows_markdown_of_models_and_words_of_people() -> None:
    page = to_html(
        session("Is *this* <b>bold</b>?", "**Yes** [see](https://example.org)\n\n```python\nx < 1\n```")
    )
    assert "Is *this* &lt;b&gt;bold&lt;/b&gt;?" in page
    assert "<strong>Yes</strong>" in page
    assert '<a href="https://example.org" rel="noopener noreferrer nofollow">see</a>' in page
    assert "x &lt; 1" in page
    assert "prefers-color-scheme: dark" in page
    assert "<script" not in page


@given(sessions())
def test_every_session_can_be_exported(talk: Session) -> None:
    for whole in (False, True):
        to_markdown(talk, whole=whole, thinking=True).encode()
        check(Page(to_html(talk, whole=whole, thinking=True)))


def test_what_utf8_has_no_bytes_for_is_left_out() -> None:
    talk = session("bad \ud83c paste", "ok \ud83c")
    for text in (to_markdown(talk), to_html(talk), to_json(talk)):
        assert "paste" in text.encode().decode()
