"""What is known of a picture comes from its first bytes; what a model cannot see it is told of."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.pictures import bmp, gif, jpeg, png, webp
from tui_chat.chat.acts import Send
from tui_chat.chat.attachments import Attachment, PictureRef
from tui_chat.chat.compose import compose, compose_branch
from tui_chat.chat.context import by_hand
from tui_chat.chat.export.html import EMBEDDED, to_html
from tui_chat.chat.export.json import to_json
from tui_chat.chat.export.markdown import to_markdown
from tui_chat.chat.measure import PICTURE_TOKENS, Ruler
from tui_chat.chat.model import Answer, FinishReason, Message, Role, Session
from tui_chat.chat.perform import perform
from tui_chat.chat.pictures import KINDS, kind_of, look_at, names_of, size_of, without
from tui_chat.chat.summarising import pieces
from tui_chat.chat.tree import ChatTree

NOW = datetime(2026, 11, 20, tzinfo=UTC)
SEA = png(800, 600)
NOTES = Attachment("notes.md", "tea\n", 4)
BEGINNINGS = (
    png(),
    jpeg(3, 2),
    gif(3, 2),
    bmp(3, 2),
    *(webp(3, 2, kind) for kind in (b"VP8 ", b"VP8L", b"VP8X")),
)


def shown(name: str, data: bytes = SEA) -> Attachment:
    return Attachment(name, "", len(data), look_at(data))


def asked(*attachments: Attachment, text: str = "Why?") -> ChatTree:
    """A chat in which this was sent, and whose answer is still to come."""
    tree = ChatTree(Session(id="talk", created=NOW, updated=NOW, model="m"))
    perform(tree, Send(text, attachments=attachments), NOW)
    return tree


@pytest.mark.parametrize(
    ("data", "kind", "size"),
    [
        (SEA, "image/png", (800, 600)),
        (jpeg(4032, 3024), "image/jpeg", (4032, 3024)),
        (gif(320, 200), "image/gif", (320, 200)),
        (bmp(640, -480), "image/bmp", (640, 480)),
        (bmp(64, 48, header=12), "image/bmp", (64, 48)),
        (webp(1000, 700, b"VP8 "), "image/webp", (1000, 700)),
        (webp(1000, 700, b"VP8L"), "image/webp", (1000, 700)),
        (webp(70_000, 1, b"VP8X"), "image/webp", (70_000, 1)),
        (SEA[:16], "image/png", (0, 0)),
        (b"\xff\xd8\xff", "image/jpeg", (0, 0)),
    ],
)
def test_kind_and_size_are_read_from_the_header(data: bytes, kind: str, size: tuple[int, int]) -> None:
    ref = look_at(data)
    assert ref is not None
    assert (ref.media_type, (ref.width, ref.height)) == (kind, size)
    assert ref.sha256 == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(
    "text", [b"BM is what it begins with, and it goes on as text does.", b"GIF8 is no GIF", b"RIFFxxxxWAVE"]
)
def test_what_only_begins_like_a_picture_is_none(text: bytes) -> None:
    assert look_at(text) is None


@given(st.sampled_from(BEGINNINGS), st.integers(0, 40), st.binary(max_size=200))
@example(b"\xff\xd8\xff" + b"\xff" * 4000, 4000, b"")
@example(b"\xff\xd8" + b"\xff\xe0\0\0" * 3000, 12_002, b"")
def test_no_bytes_whatever_break_the_reader(begun: bytes, kept: int, rest: bytes) -> None:
    data = begun[: max(kept, 3)] + rest
    kind = kind_of(data)
    for each in KINDS if kind is None else (kind,):
        width, height = size_of(data, each)
        assert (width > 0) == (height > 0)
        assert width >= 0 <= height
    assert (look_at(data) is None) == (kind is None)


def test_a_picture_goes_beside_the_text_and_counts_as_an_estimate() -> None:
    tree = asked(NOTES, shown("sea.png"))
    (line,) = compose(tree).lines
    assert line.text == "File notes.md:\n```\ntea\n```\n\nWhy?"
    assert line.pictures == (look_at(SEA),)
    (alone,) = compose(asked(shown("sea.png"), text="")).lines
    assert (alone.text, alone.pictures) == ("", (look_at(SEA),)), "it is sent without a word, too"
    ruler = Ruler()
    bare = (line._replace(pictures=()),)
    ruler.learn(bare, (20,), 23)
    assert ruler.size(bare) == (23, True)
    assert ruler.knows((line,)), "there is nothing more to count"
    assert ruler.size((line,)) == (23 + PICTURE_TOKENS, False)
    assert by_hand(tree.session, tree.path()[:1], ruler).tokens == 20 + PICTURE_TOKENS


def test_the_same_words_with_another_picture_are_not_the_same_question() -> None:
    tree = asked(shown("sea.png"))
    failed = tree.path()[-1]
    tree.replace(msgspec.structs.replace(failed, answer=Answer("m", finish=FinishReason.BACKEND_ERROR)))
    perform(tree, Send("Why?", attachments=(shown("hill.png", png(2, 2)),)), NOW)
    (line,) = compose(tree).lines
    assert line.pictures == (look_at(SEA), look_at(png(2, 2)))
    perform(tree, Send("Why?", attachments=(shown("hill.png", png(2, 2)),)), NOW)
    assert len(compose(tree).lines[0].pictures) == 3


def test_who_cannot_see_is_told_what_there_was() -> None:
    tree = asked(NOTES, shown("a b]\n.png"), shown("hill.png", png(2, 2)))
    branch = tree.path()
    lines = compose_branch(tree.session, without(branch, lambda _: True, "not shown to this model")).lines
    told = "[picture a b) .png, not shown to this model]\n\n[picture hill.png, not shown to this model]"
    assert lines[0].text == f"File notes.md:\n```\ntea\n```\n\n{told}\n\nWhy?"
    assert lines[0].pictures == ()
    some = without(branch, lambda ref: ref == look_at(SEA), "which is gone")
    assert some[0].pictures == (look_at(png(2, 2)),)
    assert tree.path() == branch, "nothing of the conversation itself is changed"
    assert names_of(branch, branch[0].pictures) == ["a b]\n.png", "hill.png"]
    assert pieces(branch[:1], 4096, 100) == [
        "User: File notes.md:\n```\ntea\n```\n\n[picture a b) .png]\n\n[picture hill.png]\n\nWhy?"
    ]
    text_only = [Message("m", Role.USER, "Why?", NOW, attachments=(NOTES,))]
    assert without(text_only, lambda _: True) is text_only


def test_exports_name_pictures_and_html_has_the_small_ones() -> None:
    large = Attachment("large.png", "", EMBEDDED + 1, PictureRef("image/png", "0" * 64, 9, 9))
    evil = Attachment('"><script>.png', "", 5, PictureRef('image/png"><script>', "1" * 64))
    session = asked(shown("sea.png"), large, evil).session
    assert f"*Picture sea.png, 800 x 600 pixels, {len(SEA):,} bytes*" in to_markdown(session)
    page = to_html(session, look=lambda ref: {look_at(SEA): SEA, large.picture: SEA}.get(ref, b"<script>"))
    assert page.count('<img src="data:image/png;base64,') == 1
    assert "Picture large.png, 9 x 9 pixels" in page
    assert "<script>" not in page
    assert "<img" not in to_html(session), "nobody looks for them"
    again = msgspec.json.decode(to_json(session), type=Session)
    assert again.messages[0].attachments == (shown("sea.png"), large, evil)
