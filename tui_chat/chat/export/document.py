"""A conversation as a document, in whichever form is wanted."""

from __future__ import annotations

import enum
from collections.abc import Callable

from tui_chat.chat.attachments import PictureRef
from tui_chat.chat.model import Session


class Form(enum.StrEnum):
    """The form of a document; the value is how names of such files end."""

    MARKDOWN = "md"
    HTML = "html"
    JSON = "json"


Look = Callable[[PictureRef], bytes | None]
"""Finds the bytes of a picture; None where they are gone."""


def to_document(
    session: Session, form: Form, *, whole: bool = False, thinking: bool = False, look: Look | None = None
) -> str:
    """Return the branch in view, or every branch if the `whole` is wanted, with or without `thinking`.

    JSON is a session file of ours; it always has the thinking. HTML has the small ones of the pictures that
    `look` finds in it; everything else only names them.
    """
    if form is Form.JSON:
        from tui_chat.chat.export.json import to_json

        return to_json(session, whole=whole)
    if form is Form.HTML:
        from tui_chat.chat.export.html import to_html

        return to_html(session, whole=whole, thinking=thinking, look=look)
    from tui_chat.chat.export.markdown import to_markdown

    return to_markdown(session, whole=whole, thinking=thinking)
