"""What goes with a message is sent whole, where nothing in it can pass for something else."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tui_chat.chat.acts import Edit, Rewind, Send, Undo
from tui_chat.chat.attachments import Attachment, fenced
from tui_chat.chat.compose import compose
from tui_chat.chat.export.html import to_html
from tui_chat.chat.export.json import to_json
from tui_chat.chat.export.markdown import to_markdown
from tui_chat.chat.model import Session
from tui_chat.chat.perform import perform
from tui_chat.chat.tree import ChatTree

NOW = datetime(2026, 11, 20, tzinfo=UTC)
NOTES = Attachment("notes.md", "# Tea\n```\nsteep\n```\n", 20)
LOG = Attachment("", "one\ntwo")


def asked(*attachments: Attachment, text: str = "Why?") -> ChatTree:
    """A chat in which this was sent, and whose answer is still to come."""
    tree = ChatTree(Session(id="talk", created=NOW, updated=NOW, model="m"))
    perform(tree, Send(text, attachments=attachments), NOW)
    return tree


def test_attachments_are_sent_before_the_text_each_in_its_own_fence() -> None:
    (line,) = compose(asked(NOTES, LOG)).lines
    assert line.text == (
        "File notes.md:\n````\n# Tea\n```\nsteep\n```\n````\n\nPasted text:\n```\none\ntwo\n```\n\nWhy?"
    )
    (alone,) = compose(asked(LOG, text="")).lines
    assert alone.text == "Pasted text:\n```\none\ntwo\n```"


@given(st.text(alphabet="`\n a", max_size=60))
def test_nothing_inside_ends_the_fence(text: str) -> None:
    _, opened, *inside, closed = fenced(Attachment("", text)).split("\n")
    assert opened == closed
    assert set(opened) == {"`"}
    assert all(opened not in line for line in inside)
    assert "\n".join(inside) == text.removesuffix("\n")


def test_what_is_written_anew_has_its_attachments_again() -> None:
    tree = asked(NOTES)
    (question, _) = tree.path()
    perform(tree, Edit(question.id, "How?", attachments=(LOG,)), NOW)
    assert compose(tree).lines[-1].text.endswith("two\n```\n\nHow?")
    undone = perform(tree, Undo(), NOW)
    assert (undone.draft, undone.attachments) == ("How?", (LOG,))
    back = perform(tree, Rewind(question.id), NOW)
    assert (back.draft, back.attachments) == ("Why?", (NOTES,))


def test_exports_have_them() -> None:
    evil = Attachment("<b>.txt", "<script>alert(1)</script>\n", 26)
    session = asked(NOTES, evil).session
    assert fenced(NOTES) in to_markdown(session)
    page = to_html(session)
    assert "&lt;b&gt;.txt" in page
    assert "<script>alert" not in page
    again = msgspec.json.decode(to_json(session), type=Session)
    assert again.messages[0].attachments == (NOTES, evil)
