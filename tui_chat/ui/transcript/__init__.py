"""The transcript: one line-API widget that renders what is visible, and the pure rendering behind it."""

from __future__ import annotations

from tui_chat.ui.transcript.items import AnswerItem, DividerItem, Item, Level, NoticeItem, UserItem
from tui_chat.ui.transcript.view import Transcript

__all__ = ["AnswerItem", "DividerItem", "Item", "Level", "NoticeItem", "Transcript", "UserItem"]
