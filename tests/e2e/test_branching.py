"""A tree in a real terminal: edit, regenerate, walk, reset, undo, and all of it there on the next day."""

from __future__ import annotations

from tests.e2e.tmux import Tmux
from tests.homes import Home, answers_of, sessions_of
from tui_chat.chat.model import Session
from tui_chat.chat.tree import ChatTree


def only(home: Home) -> Session:
    (session,) = sessions_of(home)
    return session


def settled(home: Home, answers: int) -> bool:
    found = answers_of(only(home))
    return len(found) == answers and not any(answer.in_flight for answer in found)


def shown(home: Home) -> list[str]:
    return [message.text for message in ChatTree(only(home)).path() if message.said]


def test_edit_regenerate_walk_reset_undo_and_resume(short_answers: Home) -> None:
    home = short_answers
    with Tmux(columns=100, rows=30) as chat:
        chat.wait("Ask anything")
        chat.type("Name three colours.")
        chat.keys("Enter")
        chat.wait_until(lambda _: sessions_of(home) and settled(home, 1), "the first answer")
        chat.keys("BTab", "r")
        chat.wait_until(lambda _: settled(home, 2), "the second answer")
        chat.wait("‹ 2 of 2 ›")
        chat.keys("k", "e")
        chat.wait("editing: enter sends it")
        chat.type(" Briefly.")
        chat.keys("Enter")
        chat.wait_until(lambda _: settled(home, 3), "the answer to the edited question")
        chat.wait("3 branches")

        chat.keys("BTab", "k", "Left")
        chat.wait_until(lambda _: shown(home)[0] == "Name three colours.", "the question as it was")
        chat.keys("j", "Left")
        first = answers_of(only(home))[0].text
        chat.wait_until(lambda _: shown(home)[-1] == first, "the first answer")

        chat.keys("F5")
        chat.wait("nothing is dropped")
        chat.keys("x", "Escape")
        chat.wait("context reset here")
        chat.keys("u")
        chat.wait_gone("context reset here")

        chat.keys("F4")
        chat.wait("← here")
        chat.keys("Home", "d")
        chat.wait("deleted, with all below it")
        chat.wait("1 branch ")
        chat.keys("u")
        chat.wait("3 branches")
        chat.keys("Escape")
        chat.wait_gone("← here")
        before = shown(home)
        chat.keys("C-q")
        chat.wait_exit()
    with Tmux("--continue", columns=100, rows=30) as chat:
        chat.wait("3 branches")
        assert shown(home) == before
        chat.keys("BTab", "U")
        chat.wait_gone("3 branches")
        chat.keys("u")
        chat.wait("3 branches")
    assert len(answers_of(only(home))) == 3
