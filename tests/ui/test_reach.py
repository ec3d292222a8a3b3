"""What gets out of the terminal: clipboard, notifications and title, through whatever lies between."""

from __future__ import annotations

import asyncio
import base64
import re
import shutil
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ui.support import Chats
from tui_chat.config.settings import Notify
from tui_chat.ui.attention import Attention, Sight, window_title
from tui_chat.ui.reach import clipboard, notifying
from tui_chat.ui.reach.kinds import Inside, Tmux, for_screen, for_tmux, has_titles, inside, set_title
from tui_chat.ui.reach.tmux import ask_tmux, read_facts

XTERM = Tmux("external", "off", "xterm-256color", ("256", "clipboard", "title"))
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def test_what_we_run_inside_of() -> None:
    assert inside({"TERM": "xterm"}) == Inside()
    assert inside({"TERM": "tmux-256color", "TMUX": "/s,1,0"}) == Inside(tmux=True)
    assert inside({"TERM": "screen", "STY": "1.x"}) == Inside(screen=True)
    far = inside({"TERM": "tmux-256color", "SSH_CONNECTION": "1 2 3 4"})
    assert far == Inside(ssh=True, far_tmux=True)


@pytest.mark.parametrize(
    ("around", "tmux", "tools", "size", "reaches", "words"),
    [
        (Inside(), None, (), 9, True, "to the terminal"),
        (Inside(), None, ("wl-copy",), 999_999, True, "through wl-copy"),
        (Inside(), None, (), 80_000, False, "too long"),
        (Inside(tmux=True), XTERM, ("tmux",), 80_000, False, "prefix ]"),
        (Inside(tmux=True), XTERM, ("tmux",), 9, True, "through tmux"),
        (Inside(tmux=True), Tmux("on", "off", "xterm", ()), (), 9, True, "through tmux"),
        (Inside(tmux=True), Tmux("external", "on", "xterm", ()), (), 9, True, "past tmux"),
        (Inside(tmux=True), Tmux("external", "off", "xterm", ()), (), 9, False, "set-clipboard is external"),
        (Inside(tmux=True), Tmux("on", "off", "linux", ("256",)), ("tmux",), 9, False, "does not pass it on"),
        (Inside(tmux=True), None, (), 9, False, "does not answer"),
        (Inside(screen=True), None, (), 9, True, "GNU screen"),
        (Inside(ssh=True, far_tmux=True), None, (), 9, True, "the tmux at your end"),
    ],
)
def test_the_diagnosis_says_which_way_takes_it_or_what_to_change(
    around: Inside, tmux: Tmux | None, tools: tuple[str, ...], size: int, reaches: bool, words: str
) -> None:
    verdict = clipboard.diagnose(around, tmux, tools, size)
    assert verdict.reaches is reaches
    assert words in verdict.way
    assert bool(verdict.remedy) is ((not reaches and size <= clipboard.LARGEST) or around.far_tmux)


def test_what_is_sent_can_be_read_again_at_the_other_end() -> None:
    text = "größe 中\n" * 400
    sent = clipboard.sequences(text, Inside(screen=True))
    plain, *chunks = re.split(r"\x1bP(.*?)\x1b\\", sent)
    whole = "".join(chunk for chunk in chunks if chunk)
    assert whole == plain
    assert all(len(chunk) <= 700 for chunk in chunks)
    found = re.fullmatch(r"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07", plain)
    assert found is not None
    assert base64.b64decode(found[1]).decode() == text
    assert clipboard.sequences("x" * (clipboard.LARGEST + 1), Inside()) == ""
    passed = clipboard.sequences("x", Inside(tmux=True), Tmux("external", "on"))
    assert passed.endswith(for_tmux(passed.partition("\x1bP")[0]))


def test_what_tmux_tells() -> None:
    assert read_facts("external\t0\txterm-256color\t256,clipboard\t1\t1\n") == Tmux(
        "external", "off", "xterm-256color", ("256", "clipboard"), True
    )
    facts = read_facts("on\t2\t\t\t0\t1")
    assert facts is not None
    assert (facts.passes, facts.watched, facts.features) == (True, False, ())
    assert read_facts("no server running") is None


async def test_a_tmux_that_hangs_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "tmux"
    tool.write_text("#!/bin/sh\nexec sleep 60\n")
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr("tui_chat.ui.reach.tmux.TIMEOUT_S", 0.1)
    path = f"{tmp_path}:{Path(shutil.which('sleep') or '').parent}"
    monkeypatch.setenv("PATH", path)
    assert await asyncio.wait_for(ask_tmux({"TMUX": "x", "PATH": path}), 20) is None
    assert await ask_tmux({}) is None


@given(st.text())
def test_no_title_and_no_text_can_break_out_of_its_sequence(text: str) -> None:
    assert not CONTROLS.search(set_title(text).removeprefix("\x1b]2;").removesuffix("\x1b\\"))
    words = notifying.words(text, ephemeral=False)
    for code, start, end in (
        ("9", "\x1b]9;", "\x07"),
        ("99", "\x1b]99;;", "\x1b\\"),
        ("777", "\x1b]777;", "\x07"),
    ):
        note = notifying.announce(
            words, Notify.DESKTOP, attended=False, code=code, around=Inside(), tmux=None
        )
        body = note.removeprefix(start).removesuffix(end)
        assert not CONTROLS.search(body)
        assert code != "777" or body.count(";") == 2


def announced(how: Notify, attended: bool | None, code: str = "9", tmux: Tmux | None = None) -> str:
    around = Inside(tmux=tmux is not None)
    return notifying.announce("done", how, attended=attended, code=code, around=around, tmux=tmux)


def test_who_is_told_and_how() -> None:
    assert announced(Notify.AUTO, True) == ""
    assert announced(Notify.AUTO, None) == "", "perhaps somebody is looking"
    assert announced(Notify.BELL, None) == "\x07"
    assert announced(Notify.AUTO, False) == "\x1b]9;done\x07"
    assert announced(Notify.AUTO, False, code="") == "\x07"
    assert announced(Notify.DESKTOP, None) == ""
    assert announced(Notify.DESKTOP, False, code="") == ""
    assert announced(Notify.OFF, False) == ""
    hidden = Tmux("on", "off", "xterm-kitty", (), watched=False)
    assert announced(Notify.AUTO, None, tmux=hidden) == "\x07", "tmux marks its window"
    passing = Tmux("on", "all", "xterm-kitty", (), watched=False)
    assert announced(Notify.AUTO, None, tmux=passing) == for_tmux("\x1b]9;done\x07") + "\x07"


def test_how_terminals_notify() -> None:
    code = notifying.desktop_code
    assert code({"TERM": "xterm-kitty"}, None) == "99"
    assert code({"TERM": "xterm-256color", "LC_TERMINAL": "iTerm2"}, None) == "9"
    assert code({"TERM": "foot"}, None) == "777"
    assert code({"TERM": "xterm-256color"}, None) == ""
    assert code({"TERM": "tmux-256color", "TERM_PROGRAM": "tmux"}, Tmux(term="xterm-ghostty")) == "9"
    assert for_screen("\x1b]9;x\x1b\\") == "\x1bP\x1b]9;x\x07\x1b\\"


def test_titles_and_long_answers() -> None:
    assert not has_titles({"TERM": "linux"})
    assert window_title(Sight("1", "boat", answer="a")) == "answering · boat · tui-chat"
    assert window_title(Sight("1", "secret", ephemeral=True)) == "tui-chat"
    assert notifying.words("secret", ephemeral=True) == "tui-chat: answer ready"
    attention = Attention(10)
    assert not attention.ended(Sight("1", "boat", answer="a", since=100), 101)
    assert attention.ended(Sight("1", "boat"), 111)
    assert not attention.ended(Sight("1", "boat"), 112), "told once"
    attention.ended(Sight("1", "boat", answer="b", since=200), 201)
    assert not attention.ended(Sight("1", "boat"), 205), "not long"
    attention.ended(Sight("1", "boat", answer="c", since=300), 301)
    assert not attention.ended(Sight("2", "other"), 320), "that one goes on elsewhere"


async def test_what_no_clipboard_takes_is_offered_to_a_file(
    chats: Chats, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TMUX", "DISPLAY", "WAYLAND_DISPLAY", "STY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(chats.home.root))
    (chats.home.root / "tui-chat-copy.md").write_text("somebody's own")
    text = "long " * 20_000
    async with chats.open() as chat:
        chat.app.copy_to_clipboard(text)
        await chat.sees("too long for the clipboard")
        await chat.press("enter")
        await chat.sees("There is such a file already")
        await chat.press("end", *"2", "enter")
        await chat.sees("saved 100,000 characters")
    assert (chats.home.root / "tui-chat-copy.md2").read_text() == text
    assert (chats.home.root / "tui-chat-copy.md").read_text() == "somebody's own"
