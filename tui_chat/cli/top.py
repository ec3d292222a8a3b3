"""`tui-chat top`: watch the instruments of a running engine."""

from __future__ import annotations

import argparse
import sys


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """There are none."""


def run(args: argparse.Namespace) -> int:
    """Open the instruments, if there is an engine that reads them."""
    from tui_chat.cli.settings import load
    from tui_chat.client.engine import EngineClient

    paths, settings = load()
    if not paths.socket.exists():
        sys.stderr.write(
            "tui-chat: no engine is running, so nobody reads the instruments. Start it with"
            " `tui-chat engine start`, or read them once with `tui-chat status`.\n"
        )
        return 1
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        sys.stderr.write("tui-chat: top needs a terminal. For scripts there is `tui-chat status --json`.\n")
        return 2
    from tui_chat.ui.run import look_at_terminal

    look = look_at_terminal(settings.ui)
    from tui_chat.ui.terminal import give_keys_back
    from tui_chat.ui.top import TopApp

    app = TopApp(settings.ui.theme, lambda: EngineClient(paths.socket), paths.state, look)
    try:
        app.run(mouse=settings.ui.mouse)
    finally:
        give_keys_back()
    return app.return_code or 0
