"""Copying to whatever clipboard there is: the terminal's, tmux's, the desktop's. Never blocks the loop."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Mapping

TIMEOUT_S = 1.0


def native_commands(environ: Mapping[str, str]) -> list[list[str]]:
    """Return the commands that take text on stdin and may reach a clipboard here, best first.

    OSC 52, which the app always sends, is not among them: tmux drops it by default, which is why
    ``tmux load-buffer -w`` is. A desktop's tools count only where there is a display.
    """
    found = []
    if environ.get("TMUX") and shutil.which("tmux"):
        found.append(["tmux", "load-buffer", "-w", "-"])
    desktop = [
        (environ.get("WAYLAND_DISPLAY"), ["wl-copy"]),
        (environ.get("DISPLAY"), ["xclip", "-selection", "clipboard"]),
        (environ.get("DISPLAY"), ["xsel", "--clipboard", "--input"]),
        (True, ["pbcopy"]),
    ]
    native = next((command for there, command in desktop if there and shutil.which(command[0])), None)
    return [*found, native] if native else found


async def copy_natively(text: str, environ: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Give `text` to every native clipboard here; return the names of the tools that took it."""
    commands = native_commands(os.environ if environ is None else environ)
    took = await asyncio.gather(*(_feed(command, text) for command in commands))
    return tuple(command[0] for command, good in zip(commands, took, strict=True) if good)


async def _feed(command: list[str], text: str) -> bool:
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:
        return False
    try:
        # wait() rather than communicate(): xclip stays behind to serve the selection.
        assert process.stdin is not None
        process.stdin.write(text.encode())
        process.stdin.close()
        return await asyncio.wait_for(process.wait(), TIMEOUT_S) == 0
    except TimeoutError:
        process.kill()
        await process.wait()
        return False
    except (BrokenPipeError, ConnectionResetError):
        await process.wait()
        return False
