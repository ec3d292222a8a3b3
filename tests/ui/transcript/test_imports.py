"""An empty chat is painted before the parser and the highlighter are imported."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("markdown_it", "pygments.lexers", "linkify_it", "llama_cpp", "numpy", "httpx")

PROGRAM = f"""
import asyncio, sys
from textual.app import App
from tui_chat.ui.transcript import Transcript

class Empty(App):
    def compose(self):
        yield Transcript()

async def main():
    async with Empty().run_test():
        print([name for name in {HEAVY!r} if name in sys.modules])

asyncio.run(main())
"""


def test_an_empty_transcript_imports_nothing_heavy() -> None:
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
