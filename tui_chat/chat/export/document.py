"""A conversation as a document, in whichever form is wanted."""

from __future__ import annotations

import enum

from tui_chat.chat.model import Session


class Form(enum.StrEnum):
    """The form of a document; the value is how names of such files end."""

    MARKDOWN = "md"
    HTML = "html"
    JSON = "json"


def to_document(session: Session, form: Form, *, whole: bool = False, thinking: bool = False) -> str:
    """Return the branch in view, or every branch if the `whole` is wanted, with or without `thinking`.

    JSON is a session file of ours; it always has the thinking.
    """
    if form is Form.JSON:
        from tui_chat.chat.export.json import to_json

        return to_json(session, whole=whole)
    if form is Form.HTML:
        from tui_chat.chat.export.html import to_html

        return to_html(session, whole=whole, thinking=thinking)
    from tui_chat.chat.export.markdown import to_markdown

    return to_markdown(session, whole=whole, thinking=thinking)
