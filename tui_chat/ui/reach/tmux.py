"""Asks the tmux we run in about itself, and waits no longer than a moment."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping

from tui_chat.ui.reach.kinds import Tmux

TIMEOUT_S = 1.0
_FACTS = "#{set-clipboard}\t#{allow-passthrough}\t#{client_termname}\t#{client_termfeatures}"
_WATCHED = "\t#{window_active}\t#{session_attached}"


async def ask_tmux(environ: Mapping[str, str] | None = None) -> Tmux | None:
    """Ask; None where there is no tmux, or none that answers."""
    environ = os.environ if environ is None else environ
    if not environ.get("TMUX"):
        return None
    pane = ["-t", environ["TMUX_PANE"]] if environ.get("TMUX_PANE") else []
    try:
        process = await asyncio.create_subprocess_exec(
            *("tmux", "display-message", "-p", *pane, _FACTS + _WATCHED),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=dict(environ),
        )
    except OSError:
        return None
    try:
        told, _ = await asyncio.wait_for(process.communicate(), TIMEOUT_S)
    except TimeoutError:
        process.kill()
        await process.wait()
        return None
    return read_facts(told.decode(errors="replace")) if process.returncode == 0 else None


def read_facts(told: str) -> Tmux | None:
    """Read what tmux printed."""
    parts = told.rstrip("\n").split("\t")
    if len(parts) != 6:
        return None
    clipboard, passthrough, term, features, active, attached = parts
    named = {"0": "off", "1": "on", "2": "all"}.get(passthrough, passthrough)
    watched = active == "1" and attached not in ("", "0")
    return Tmux(clipboard, named, term, tuple(filter(None, features.split(","))), watched)
