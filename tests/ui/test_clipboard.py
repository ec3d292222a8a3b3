"""Copying reaches tmux's buffer, never hangs, and tries only what is there."""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from tui_chat.ui.reach import tools as clipboard


def _tool(folder: Path, name: str, script: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


async def test_no_display_and_no_tmux_means_no_tools() -> None:
    assert await clipboard.copy_natively("text", {}) == ()


async def test_the_display_decides_which_tool_is_used(tools: Path) -> None:
    for name in ("wl-copy", "xclip"):
        _tool(tools, name, f"cat > {tools}/{name}.got")
    assert await clipboard.copy_natively("übung", {"DISPLAY": ":0"}) == ("xclip",)
    assert (tools / "xclip.got").read_text() == "übung"
    assert await clipboard.copy_natively("x", {"DISPLAY": ":0", "WAYLAND_DISPLAY": "w"}) == ("wl-copy",)


async def test_a_tool_that_fails_or_hangs_is_not_counted(
    tools: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clipboard, "TIMEOUT_S", 0.1)
    _tool(tools, "xclip", "cat > /dev/null; exit 1")
    assert await clipboard.copy_natively("x", {"DISPLAY": ":0"}) == ()
    _tool(tools, "xclip", "exec sleep 60")
    assert await clipboard.copy_natively("x", {"DISPLAY": ":0"}) == ()


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
async def test_tmux_gets_it_into_its_buffer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    socket = tmp_path / "s"
    tmux = ["tmux", "-S", str(socket), "-f", "/dev/null"]
    await asyncio.to_thread(subprocess.run, [*tmux, "new-session", "-d", "sleep 60"], check=True)
    try:
        monkeypatch.setenv("TMUX", f"{socket},1,0")
        assert await clipboard.copy_natively("two\nlines", os.environ | {"DISPLAY": ""}) == ("tmux",)
        shown = await asyncio.to_thread(subprocess.check_output, [*tmux, "show-buffer"], text=True)
        assert shown == "two\nlines"
    finally:
        await asyncio.to_thread(subprocess.run, [*tmux, "kill-server"], check=False)
