"""A day with the program: ask, stop, queue, copy, leave, come back."""

from __future__ import annotations

import pytest

from tests.e2e.tmux import Tmux
from tests.homes import Home, answers_of, journals_of, sessions_of
from tui_chat.chat.model import FinishReason, Role

STORY = "Write a long story about a lighthouse keeper."
SETTLED = r"\d+ tok/s · \d"


def test_a_message_is_answered_and_both_are_on_disk(short_answers: Home) -> None:
    with Tmux() as chat:
        chat.wait("Ask anything")
        chat.type("Name three colours.")
        chat.keys("Enter")
        screen = chat.wait(SETTLED)
        assert "Name three colours." in screen
        (session,) = sessions_of(short_answers)
        assert [m.role for m in session.messages] == [Role.USER, Role.ASSISTANT]
        assert session.title == "Name three colours"
        words = answers_of(session)[0].text.split()
        assert words[0] in screen
        chat.keys("C-q")
        chat.wait_exit()
        assert chat.pane("alternate_on") == "0"


def test_leaving_and_coming_back_shows_the_same_chat(short_answers: Home) -> None:
    with Tmux() as chat:
        chat.wait("Ask anything")
        chat.type("Name three colours.")
        chat.keys("Enter")
        chat.wait(SETTLED)
        chat.type("and this is not sent yet")
        chat.wait("not sent yet")
        chat.keys("C-q")
        chat.wait_exit()
    with Tmux("--continue") as chat:
        screen = chat.wait("not sent yet")
        chat.wait(SETTLED)
        assert "Name three colours." in screen
        chat.keys("Enter")
        chat.wait_until(lambda _: len(answers_of(sessions_of(short_answers)[0])) == 2)
    assert len(sessions_of(short_answers)) == 1


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_esc_stops_the_answer_and_keeps_what_it_said(endless_answers: Home, size: tuple[int, int]) -> None:
    with Tmux(columns=size[0], rows=size[1]) as chat:
        chat.wait("Ask anything")
        chat.type(STORY)
        chat.keys("Enter")
        chat.wait_until(lambda _: _journalled(endless_answers), "text in the journal")
        chat.keys("Escape")
        chat.wait("You stopped this answer")
        (answer,) = answers_of(sessions_of(endless_answers)[0])
        assert answer.answer is not None
        assert answer.answer.finish is FinishReason.CANCELLED
        assert answer.text
        assert answer.text.split()[0] in chat.screen()


def test_a_message_sent_meanwhile_is_queued_and_then_sent(endless_answers: Home) -> None:
    with Tmux() as chat:
        chat.wait("Ask anything")
        chat.type(STORY)
        chat.keys("Enter")
        chat.wait_until(lambda _: _journalled(endless_answers), "text in the journal")
        chat.type("And what is your name?")
        chat.keys("Enter")
        chat.wait("queued · sends when this answer ends")
        assert [m.text for m in sessions_of(endless_answers)[0].queued] == ["And what is your name?"]
        chat.keys("Escape")
        chat.wait_gone("queued")
        chat.wait_until(lambda _: len(answers_of(sessions_of(endless_answers)[0])) == 2, "a second answer")
        path = sessions_of(endless_answers)[0].messages
        assert [m.role for m in path] == [Role.USER, Role.ASSISTANT, Role.USER, Role.ASSISTANT]
        assert [m.parent for m in path[1:]] == [m.id for m in path[:-1]]


def test_lines_pastes_and_history(short_answers: Home) -> None:
    with Tmux() as chat:
        chat.wait("Ask anything")
        chat.type("first line")
        chat.keys("C-j")
        chat.type("second line")
        chat.wait(r"first line\s*\n\s+second line")
        chat.paste("\x1b[1mpasted one\npasted two\n")
        chat.wait("pasted two")
        assert sessions_of(short_answers) == []
        chat.keys("Enter")
        chat.wait(SETTLED)
        text = sessions_of(short_answers)[0].messages[0].text
        assert text.startswith("first line\nsecond line␛[1mpasted one\npasted two")
        chat.keys("Up")
        chat.wait(r"›\s*first line")


def test_keys_that_arrive_in_one_burst_go_where_each_belongs(short_answers: Home) -> None:
    """A slow line delivers many keys at once; each must see what the ones before it did."""
    with Tmux() as chat:
        chat.wait("answers here")
        chat.type("Name a colour.")
        chat.keys("Enter")
        chat.wait(SETTLED)
        for leave in ("i", "Tab"):
            chat.keys("BTab", "k", "j", leave, *"write", "BTab", "BTab", leave, *"back")
            chat.wait(r"› writeback\n")
            chat.keys("C-u")
            chat.wait("Ask anything")


def test_copying_by_key_reaches_the_clipboard(short_answers: Home) -> None:
    with Tmux() as chat:
        chat.wait("Ask anything")
        chat.type("Name three colours.")
        chat.keys("Enter")
        chat.wait(SETTLED)
        chat.keys("F8")
        answer = answers_of(sessions_of(short_answers)[0])[0].text
        chat.wait_until(lambda _: chat.clipboard().strip() == answer.strip(), "the answer on the clipboard")


def test_growing_and_shrinking_the_window_keeps_everything(short_answers: Home) -> None:
    with Tmux() as chat:
        chat.wait("Ask anything")
        chat.type("Name three colours.")
        chat.keys("Enter")
        chat.wait(SETTLED)
        for columns, rows in ((40, 12), (200, 60), (80, 24)):
            chat.resize(columns, rows)
            chat.wait_until(lambda s, r=rows: len(s.splitlines()) == r and "Ask anything" in s)
            chat.wait("Name three colours|tok/s")


def _journalled(home: Home) -> bool:
    return any(b'"delta"' in journal for journal in journals_of(home))
