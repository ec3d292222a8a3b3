"""The chat screen: title, conversation, status, input and hints. It renders a conversation and sends intents."""

from __future__ import annotations

from collections.abc import Awaitable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.css.query import NoMatches
from textual.screen import Screen
from textual.widgets import Static

from tui_chat.ui.facts import Facts
from tui_chat.ui.keys import Place, bindings, commands
from tui_chat.ui.presenter import Presenter
from tui_chat.ui.transcript.view import Transcript
from tui_chat.ui.widgets.lines import HintLine, StatusLine, TitleLine
from tui_chat.ui.widgets.prompt import Prompt
