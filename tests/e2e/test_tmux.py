"""In tmux: every kind of terminal and size, the shell's job control, and other clients that come and go."""

from __future__ import annotations

import os
import signal

import psutil
import pytest

from tests.e2e.tmux import TUI_CHAT, Tmux
from tests.homes import Home, answers_of, journals_of, sessions_of
from tests.lines import Remote
from tests.worker.support import wait_until

SETTLED = r"\d+ tok/s [·|] \d"
WALKS = [
    ("xterm-256color", 80, 24),
    ("tmux-256color", 120, 40),
    ("screen", 200, 60),
    ("linux", 80, 24),
    ("vt100", 120, 40),
]
STORY = "Write a long story about a lighthouse keeper."


def test_a_short_walk_in_every_kind_of_terminal(short_answers: Home) -> None:
    for number, (term, columns, rows) in enumerate(WALKS, 1):
        with Tmux(columns=columns, rows=rows, term=term) as chat:
            screen = chat.wait("answers here")
            assert len(screen.splitlines()) == rows
            chat.type("Name a colour.")
            chat.keys("Enter")
            chat.wait(SETTLED)
            chat.keys("F2")
            chat.wait("SmolLM2.*Q4_1[^\n]*\n[^$]*enter switch")
            chat.keys("Escape")
            chat.wait_gone("enter switch")
            chat.keys("F1")
            chat.wait("Stop the answer")
            chat.keys("F1")
            chat.wait(r"Name a colour\.")
            chat.keys("C-q")
            chat.wait_exit()
            assert chat.pane("alternate_on") == "0"
            assert len(sessions_of(short_answers)) == number


def test_the_shell_stops_it_and_brings_it_back_while_the_answer_goes_on(long_answers: Home) -> None:
    shell = ("env", "-u", "ENV", "PS1=$ ", "sh", "-i")
    with Tmux(program=shell, term="xterm-256color") as chat:
        chat.wait(r"\$")
        chat.type(TUI_CHAT)
        chat.keys("Enter")
        chat.wait("answers here")
        chat.type(STORY)
        chat.keys("Enter")
        chat.wait(r"answering, \d+ tokens")
        (program,) = (p for p in psutil.Process(chat.pid).children() if "tui-chat" in " ".join(p.cmdline()))

        def stopped(_: str) -> bool:
            return program.status() == psutil.STATUS_STOPPED

        def at_the_shell(_: str) -> bool:
            return stopped("") and chat.pane("alternate_on") == chat.pane("mouse_any_flag") == "0"

        os.kill(program.pid, signal.SIGTSTP)
        chat.wait_until(at_the_shell, "the program to be stopped")
        chat.type("echo at the shell")
        chat.keys("Enter")
        chat.wait("\nat the shell")
        wait_until(lambda: not _in_flight(long_answers))
        chat.resize(100, 30)
        chat.type("fg")
        chat.keys("Enter")
        screen = chat.wait(SETTLED)
        assert len(screen.splitlines()) == 30
        chat.wait("F1 help")

        chat.keys("C-z")  # what was written was sent, so there is nothing to undo
        chat.wait_until(at_the_shell, "the program to be stopped again")
        chat.type("fg")
        chat.keys("Enter")
        chat.wait("F1 help")
        chat.type("typed after")
        chat.wait("› typed after")
        chat.keys("C-z")
        chat.wait_gone("typed after")
        assert not stopped("")
        chat.keys("C-p")
        chat.wait("what you want to do")
        chat.type("Go to the shell")
        chat.wait("fg comes back")
        chat.keys("Enter")
        chat.wait_until(at_the_shell, "the program to be stopped by its name")
        chat.type("fg")
        chat.keys("Enter")
        chat.wait("F1 help")
        chat.keys("C-q")
        chat.wait(r"\$\s*$")
        chat.type("exit")
        chat.keys("Enter")
        chat.wait_exit()


def _in_flight(home: Home) -> bool:
    journals = journals_of(home)
    return not any(b'"settled"' in journal for journal in journals) and bool(journals)


def test_without_a_shell_it_cannot_be_stopped_for_good(empty_home: Home) -> None:
    with Remote([TUI_CHAT], {**os.environ, "TMUX": ""}) as remote:
        remote.wait_for("There is no model")
        os.kill(remote.pid, signal.SIGTSTP)
        os.kill(remote.pid, signal.SIGCONT)  # out of the blue: everything is set up once, not twice
        remote.press("hello")
        remote.wait_for("o")
        remote.press("\x11")
        assert remote.wait_exit() == 0


def test_clients_of_other_sizes_and_kinds_come_and_go(short_answers: Home) -> None:
    with Tmux(columns=120, rows=40) as chat:
        chat.wait("answers here")
        chat.type("Name a colour.")
        chat.keys("Enter")
        chat.wait(SETTLED)
        answer = answers_of(sessions_of(short_answers)[0])[0].text.split()[0]
        for term, columns, rows in (("xterm-256color", 90, 25), ("linux", 70, 20)):
            attach = ["/usr/bin/env", "tmux", "-L", chat.socket, "attach", "-t", "m"]
            env = {**os.environ, "TERM": term, "TMUX": ""}
            with Remote(attach, env, columns=columns, rows=rows) as client:
                chat.wait_until(
                    lambda s, r=rows: len(s.splitlines()) == r - 1 and "F1 help" in s and answer in s
                )
                client.wait_for("F1")
        chat.keys("C-q")
        chat.wait_exit()


@pytest.mark.parametrize("setting", ["on", "external", "off"])
def test_what_is_said_of_a_copy_is_true(short_answers: Home, setting: str) -> None:
    """A client whose terminal has a clipboard sees the text come out of tmux; one without is told."""
    import base64

    with Tmux(columns=100, rows=30) as chat:
        chat.option("set-clipboard", setting)
        chat.wait("answers here")
        chat.type("Name a colour.")
        chat.keys("Enter")
        chat.wait(SETTLED)
        answer = answers_of(sessions_of(short_answers)[0])[0].text
        attach = ["/usr/bin/env", "tmux", "-L", chat.socket, "attach", "-t", "m"]
        env = {**os.environ, "TERM": "xterm-256color", "TMUX": ""}
        with Remote(attach, env, columns=100, rows=31) as client:
            client.wait_for("F1")
            chat.keys("F8")
            chat.wait("copied[^\n]*through tmux, to the terminal")
            client.wait_for(b"\x1b]52;")
            client.wait_for(base64.b64encode(answer.strip().encode())[:16])
