"""The attachments of what is being written, and what can be undone of them."""

from __future__ import annotations

from dataclasses import dataclass

from tui_chat.chat.attachments import Attachment

Attachments = tuple[Attachment, ...]

LARGE_LINES = 10
"""A paste of more lines becomes an attachment."""
LARGE_CHARACTERS = 2_000
"""The same for its characters."""
EXPANDABLE = 256 << 10
"""Characters up to which an attachment is put back into the input; an editor of text is slow with more."""


def is_large(text: str) -> bool:
    """Whether a paste is too much to be read in the input."""
    return len(text) > LARGE_CHARACTERS or text.rstrip("\n").count("\n") >= LARGE_LINES


def pasted(text: str) -> Attachment:
    """Return pasted text as an attachment; it can be written to a file, whatever a terminal sent."""
    return Attachment("", text.encode("utf-8", "replace").decode())


@dataclass(frozen=True, slots=True)
class _Change:
    """What was attached before and after a change, and the text after it.

    `of_text`: the text was changed by the same key, and is undone with it.
    """

    before: Attachments
    after: Attachments
    text_before: str
    text: str
    of_text: bool


class Held:
    """What is attached now. A change is undone where the text is as the change has left it."""

    def __init__(self) -> None:
        self.now: Attachments = ()
        self._done: list[_Change] = []
        self._undone: list[_Change] = []

    @property
    def undoable(self) -> bool:
        """Whether something was attached or removed."""
        return bool(self._done)

    def change(self, after: Attachments, text_before: str, text: str) -> bool:
        """Attach `after` in the place of what there is; says whether that is something else."""
        if after == self.now:
            return False
        of_text = text_before != text
        self._done.append(_Change(self.now, after, text_before, text, of_text))
        self._undone.clear()
        self.now = after
        return True

    def undo(self, text: str) -> _Change | None:
        """Take the last change back, if it came after what was typed last."""
        if not self._done or self._done[-1].text != text:
            return None
        change = self._done.pop()
        self._undone.append(change)
        self.now = change.before
        return change

    def redo(self, text: str) -> _Change | None:
        """Do again what was taken back last, if nothing was typed since."""
        if not self._undone or self._undone[-1].text_before != text:
            return None
        change = self._undone.pop()
        self._done.append(change)
        self.now = change.after
        return change

    def forget(self) -> None:
        """Have nothing attached, and nothing to undo."""
        self.now = ()
        self._done.clear()
        self._undone.clear()
