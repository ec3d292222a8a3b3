"""llama.cpp's log: kept short in memory for explaining failures, and bounded on disk."""

from __future__ import annotations

import os
from collections import deque
from typing import Any

from tui_chat.backends.llamacpp.worker.native import lib

STDERR = 2
MAX_BYTES = 1 << 20
"""Of the log file; when it is full it starts anew, because the newest lines explain a death."""
KEPT_LINES = 40
_WITHOUT_FLASH_ATTENTION = (
    b"Flash Attention not supported, set to disabled",
    b"flash_attn is not compatible with Grok",
)
_DEBUG, _CONTINUED = 1, 5


class NativeLog:
    """Receives llama.cpp's messages and writes them to standard error, which is the log file.

    Attributes:
        lines: The last ones.
        callback: What libraries beside llama.cpp are to call, too.
        flash_attention: False once llama.cpp has said that it does without; it tells nobody else.
    """

    def __init__(self) -> None:
        self.lines: deque[str] = deque(maxlen=KEPT_LINES)
        self.flash_attention = True
        self._written = 0
        self._level = 0
        self.callback = lib.llama_log_callback(self._receive)
        lib.llama_log_set(self.callback, None)

    def last_words(self) -> str:
        """What was said last of what went wrong, else what was said last at all."""
        lines = [line for line in self.lines if "rror" in line or "failed" in line] or list(self.lines)
        return lines[-1].strip() if lines else "llama.cpp gave no reason"

    def _receive(self, level: int, text: bytes, _data: Any) -> None:
        self._level = self._level if level == _CONTINUED else level
        if self._level == _DEBUG:
            return
        if any(words in text for words in _WITHOUT_FLASH_ATTENTION):
            self.flash_attention = False
        if level != _CONTINUED:
            self.lines.append(text.decode("utf-8", errors="replace").rstrip("\n"))
        self._write(text)

    def _write(self, text: bytes) -> None:
        if self._written + len(text) > MAX_BYTES:
            os.ftruncate(STDERR, 0)
            self._written = os.write(STDERR, b"(earlier lines are dropped)\n")
        self._written += os.write(STDERR, text)
