"""Settings in a real terminal: a slip stops nothing, and what is changed on the screen stays."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.e2e.tmux import Tmux
from tests.homes import Home

SLIPS = """\
# mine
[ui]
mose = true
[paths]
sessions = "{sessions}"
[detect]
enabled = false
"""


def test_slips_are_told_the_rest_holds_and_changes_stay(
    empty_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    example = empty_home.root / "examples"
    shutil.copytree(Path(__file__).parents[2] / "sessions.example", example)
    text = SLIPS.format(sessions=example)
    empty_home.config.parent.mkdir(parents=True)
    empty_home.config.write_text(text)
    monkeypatch.setenv("TUI_CHAT_UI_STREAM_FPS", "fast")
    with Tmux() as chat:
        screen = chat.wait("config check")
        assert "line 3: ui.mose is no setting (did you mean ui.mouse?)" in screen
        assert "TUI_CHAT_UI_STREAM_FPS is “fast”" in screen
        chat.keys("F3")
        chat.wait("A robot who learns to paint")  # in the folder that the file with the slip names
        chat.keys("Escape")
        chat.wait("Ask anything")
        chat.keys("C-p")
        chat.wait("what you want to do")
        chat.type("change the settings")
        chat.wait("Show and change the settings")
        chat.keys("Enter")
        chat.wait("by its name or what it does")
        chat.type("ui.theme")
        chat.wait("Name of a theme")
        chat.keys("Enter")
        chat.wait("1-9 or enter choose")
        chat.keys("Escape")
        chat.wait_until(lambda screen: "1-9 or enter" not in screen)
        assert empty_home.config.read_text() == text
        chat.keys("C-u")
        screen = chat.wait("by its name or what it does")
        assert "ui           theme" in screen
        assert not any(line.strip(" │") == "default" for line in screen.splitlines()), "no row is broken"
        chat.type("ui.mouse")
        chat.wait("Whether the mouse")
        chat.keys("Enter")
        chat.wait("ui.mouse = false · when tui-chat is started")
        assert empty_home.config.read_text() == text.replace("mose = true\n", "mose = true\nmouse = false\n")
        chat.keys("Escape")
        chat.wait("Ask anything")
        chat.keys("C-q")
        chat.wait_exit()
    shown = empty_home.run("config", "show", "ui.mouse").stdout
    assert shown.splitlines()[-1].split() == ["ui.mouse", "false", f"{empty_home.config}:4"]
    (empty_home.config).write_text("[ui\n")
    with Tmux() as chat:
        screen = chat.wait("config check")
        assert "line 1: the file cannot be used" in screen
        chat.wait("Ask anything")
        chat.keys("C-q")
        chat.wait_exit()
    assert empty_home.config.read_text() == "[ui\n"
