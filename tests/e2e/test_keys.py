"""Other sets of keys, keys pressed one after the other, and the person's own editor, in a real terminal."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.e2e.tmux import Tmux
from tests.homes import Home

SETTLED = r"\d+ tok/s · \d"
ANSWERS = "\n[sampling]\ntemperature = 0\nmax_tokens = 8\n"


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An editor that has the terminal, says what it will do, and does it: what is written into this file."""
    does = tmp_path / "does"
    script = tmp_path / "my editor"
    script.write_text(f'#!/bin/sh\necho "lent to: $(cat "{does}")"\nread answer\n. "{does}"\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("EDITOR", f'"{script}"')
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return does


def test_texts_are_written_in_the_editor_and_keys_are_those_of_emacs(
    home: Home, editor: Path, tmp_path: Path
) -> None:
    home.configure(f'[keys]\nset = "emacs"\n{ANSWERS}')
    with Tmux(columns=80, rows=24) as chat:
        chat.wait("answers here")
        chat.type("Name thre colours.")
        chat.keys("C-a", "C-f", "C-f", "M-f", "M-f", "M-b", "M-b")
        chat.keys("C-x")
        chat.wait(r"ctrl\+x .*and then")
        chat.keys("Escape")
        chat.wait_gone("and then")
        editor.write_text('sed -i s/thre/three/ "$1"')
        chat.keys("C-x", "C-e")
        chat.wait("lent to: sed -i s/thre/three/")
        chat.keys("Enter")
        chat.wait("› Name three colours.")
        chat.keys("Enter")
        chat.wait(SETTLED)

        editor.write_text("exit 3")
        chat.type("kept")
        chat.keys("C-x", "C-e")
        chat.wait("lent to: exit 3")
        chat.keys("Enter")
        chat.wait("ended with status 3; the text is as it was")
        chat.wait("› kept")
        editor.write_text('rm "$1"')
        chat.keys("C-x", "C-e")
        chat.wait("lent to: rm ")
        chat.keys("Enter")
        chat.wait("left no file; the text is as it was")
        chat.keys("C-a", "C-k")
        chat.wait("› Ask anything")
        chat.keys("C-y")
        chat.wait("› kept")

        editor.write_text('sed -i s/colours/rivers/ "$1"')
        chat.keys("BTab")
        chat.wait("tab write|i write")
        chat.type("kE")
        chat.wait("lent to: sed -i s/colours/rivers/")
        chat.keys("Enter")
        chat.wait("› Name three rivers.")
        chat.keys("Enter")
        chat.wait("⎇ 2 branches")
        chat.wait("│ Name three rivers.")
        chat.keys("C-x", "C-c")
        chat.wait_exit()
    assert list(tmp_path.glob("tui-chat-*")) == []


def test_the_conversation_is_the_normal_mode_of_vim(home: Home) -> None:
    bind = '{"session.rename" = "ctrl+x r", "quit" = "ctrl+m", "select.beginn" = "x"}'
    home.configure(f'[keys]\nset = "vim"\nbind = {bind}\n{ANSWERS}')
    with Tmux(columns=100, rows=30) as chat:
        chat.wait("there is no such command")
        chat.wait("send the same for ctrl\\+m and enter")
        chat.type("Name three colours.")
        chat.keys("Enter")
        chat.wait(SETTLED)
        chat.keys("Escape")
        chat.wait("tab write|i write")
        chat.type("gg")
        chat.type("kyy")
        chat.wait("copied 19 characters")
        chat.wait_until(lambda _: chat.clipboard() == "Name three colours.", "the clipboard")
        chat.type("i")
        chat.wait("enter send")
        chat.keys("C-x")
        chat.wait("Rename this session")
        chat.type("r")
        chat.wait("enter ok")
        chat.keys("Escape")
        chat.wait_gone("enter ok")
        chat.keys("C-q")
        chat.wait_exit()
