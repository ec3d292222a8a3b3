"""What happens when things die: each of these is done to the real thing, and not a word is lost."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.e2e.tmux import Tmux
from tests.homes import Home, answers_of, journals_of, sessions_of
from tests.worker.support import wait_until
from tui_chat.chat.model import FinishReason
from tui_chat.store.drafts import NEW_CHAT, Drafts

STORY = "Write a long story about a lighthouse keeper."
SETTLED = r"\d+ tok/s · \d"
NATIVE = ("llama_", "ggml", "Traceback", "GGML_ASSERT")


def ask_and_wait_for_text(chat: Tmux, home: Home) -> None:
    """Send the story and wait until some of it is in the journal."""
    ask(chat)
    chat.wait_until(lambda _: journalled(home), "text in the journal")


def ask(chat: Tmux) -> None:
    chat.wait("Ask anything")
    chat.type(STORY)
    chat.keys("Enter")


def ask_and_kill(chat: Tmux, home: Home, find: Callable[[], psutil.Process | None]) -> None:
    """Send the story, and kill a process as soon as some of it is in the journal.

    It is looked for while the model is loaded: that takes a while, and an answer would go on meanwhile.
    """
    ask(chat)
    chat.wait_until(lambda _: home.worker(), "the model's process")
    process = find()
    assert process is not None
    chat.wait_until(lambda _: journalled(home), "text in the journal")
    process.kill()


def journalled(home: Home) -> bool:
    return any(b'"delta"' in journal for journal in journals_of(home))


def answered(home: Home) -> bool:
    """Whether the engine has finished the answer, and whoever asked has put it into its session or not."""
    journals = journals_of(home)
    return any(b'"settled"' in journal for journal in journals) or not journals


def settle(chat: Tmux, home: Home) -> None:
    """Wait until the last answer on disk has an end."""

    def ended(_: str) -> bool:
        answers = [answer for session in sessions_of(home)[:1] for answer in answers_of(session)]
        return bool(answers) and not answers[-1].in_flight

    chat.wait_until(ended, "the answer to settle")


def works_again(chat: Tmux, home: Home) -> None:
    """Send another message and get an answer."""
    before = len(answers_of(sessions_of(home)[0]))
    chat.type("Say hello.")
    chat.keys("Enter")
    chat.wait_until(lambda _: len(answers_of(sessions_of(home)[0])) > before, "another answer to begin")
    settle(chat, home)
    last = answers_of(sessions_of(home)[0])[-1]
    assert last.answer is not None
    assert last.answer.finish in (FinishReason.STOP, FinishReason.LENGTH)


def assert_clean(chat: Tmux) -> None:
    screen = chat.screen()
    assert not [word for word in NATIVE if word in screen], screen


def test_a_killed_worker_keeps_the_partial_answer(long_answers: Home) -> None:
    with Tmux() as chat:
        ask_and_kill(chat, long_answers, long_answers.worker)
        chat.wait("SIGKILL")
        settle(chat, long_answers)
        (answer,) = answers_of(sessions_of(long_answers)[0])
        assert answer.answer is not None
        assert answer.answer.finish is FinishReason.WORKER_DIED
        assert answer.text
        assert_clean(chat)
        works_again(chat, long_answers)


def test_a_killed_engine_keeps_the_partial_answer(long_answers: Home) -> None:
    with Tmux() as chat:
        ask_and_kill(chat, long_answers, long_answers.engine)
        settle(chat, long_answers)
        (answer,) = answers_of(sessions_of(long_answers)[0])
        assert answer.answer is not None
        assert answer.answer.finish is FinishReason.ENGINE_DIED
        assert answer.text
        chat.wait("engine")
        assert_clean(chat)
        works_again(chat, long_answers)


@pytest.mark.parametrize("how", ["SIGKILL", "hang up"])
def test_a_lost_terminal_loses_no_answer(long_answers: Home, how: str) -> None:
    with Tmux() as chat:
        ask_and_wait_for_text(chat, long_answers)
        if how == "SIGKILL":
            os.kill(chat.pid, signal.SIGKILL)
            chat.wait_exit()
        else:
            chat.hang_up()
    wait_until(lambda: answered(long_answers))
    with Tmux("--continue") as chat:
        chat.wait(SETTLED)
        (answer,) = answers_of(sessions_of(long_answers)[0])
        assert answer.answer is not None
        assert answer.answer.finish in (FinishReason.STOP, FinishReason.LENGTH)
        assert answer.text.split()[-1] in chat.screen()
    assert list(long_answers.paths.sessions.glob("*.journal")) == []


def test_a_reopened_terminal_picks_the_stream_up_without_loss_or_repetition(long_answers: Home) -> None:
    """The same greedy answer, once undisturbed and once with the terminal killed in the middle."""
    with Tmux() as chat:
        ask_and_wait_for_text(chat, long_answers)
        settle(chat, long_answers)
        undisturbed = answers_of(sessions_of(long_answers)[0])[0].text
        chat.keys("C-n")
        chat.wait("answers here")
        chat.type(STORY)
        chat.keys("Enter")
        chat.wait_until(lambda _: journalled(long_answers), "text in the journal")
        os.kill(chat.pid, signal.SIGKILL)
        chat.wait_exit()
    with Tmux("--continue") as chat:
        settle(chat, long_answers)
        again = answers_of(sessions_of(long_answers)[0])[0]
    assert again.text == undisturbed


def test_a_broken_session_file_is_put_aside_and_said(short_answers: Home) -> None:
    with Tmux() as chat:
        chat.wait("Ask anything")
        chat.type("Name three colours.")
        chat.keys("Enter")
        chat.wait(SETTLED)
        chat.keys("C-q")
        chat.wait_exit()
    (file,) = short_answers.paths.sessions.glob("*.json")
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with Tmux("--resume", file.stem) as chat:
        chat.wait("quarantine")
        assert_clean(chat)
    kept = list((short_answers.paths.sessions / "quarantine").iterdir())
    assert [k.read_bytes() for k in kept] == [whole[: len(whole) // 2]]


def test_a_second_terminal_follows_and_takes_over(long_answers: Home) -> None:
    with Tmux() as writer:
        ask_and_wait_for_text(writer, long_answers)
        with Tmux("--continue") as reader:
            reader.wait("read-only")
            reader.wait("lighthouse keeper")
            settle(writer, long_answers)
            answer = answers_of(sessions_of(long_answers)[0])[0]
            last = answer.text.split()[-1].strip("*#.,")
            reader.wait_until(lambda s: last in s, "the end of the answer")
            writer.keys("C-q")
            writer.wait_exit()
            reader.wait_gone("read-only")
            works_again(reader, long_answers)


def test_a_vanished_model_and_a_broken_one_are_said(short_answers: Home) -> None:
    (model,) = short_answers.paths.models.iterdir()
    with Tmux() as chat:
        chat.wait("answers here")
        stop = short_answers.run("engine", "stop", "--force")
        assert stop.returncode == 0, stop.stderr
        target = model.resolve()
        model.unlink()
        chat.type("Say hello.")
        chat.keys("Enter")
        settle(chat, short_answers)
        chat.wait(r"There is no model called")
        assert_clean(chat)
        model.write_bytes(target.read_bytes()[:1_000_000])
        chat.type("Say hello again.")
        chat.keys("Enter")
        chat.wait_until(lambda _: len(answers_of(sessions_of(short_answers)[0])) == 2, "a second answer")
        settle(chat, short_answers)
        chat.wait("cut short")
        assert_clean(chat)
        model.unlink()
        model.symlink_to(target)
        works_again(chat, short_answers)
    assert [m.text for m in sessions_of(short_answers)[0].messages if m.answer is None] == [
        "Say hello.",
        "Say hello again.",
        "Say hello.",
    ]


def test_too_long_a_conversation_is_refused_with_what_to_do(short_answers: Home) -> None:
    """Before anything is read, and also after the terminal has gone: the text is there to be shortened."""
    text = "lighthouse " * 9000
    with Tmux() as chat:
        chat.wait("answers here")
        chat.paste(text)
        chat.wait("pasted 1 line .* tokens")
        chat.keys("Enter")
        chat.wait("Shorten the message")
        chat.wait("pasted 1 line .* tokens")
        assert_clean(chat)
        chat.keys("C-q")
        chat.wait_exit()
    assert sessions_of(short_answers) == []
    (kept,) = Drafts(short_answers.paths.state / "drafts").read_attachments(NEW_CHAT)
    assert kept.text == text


def test_a_full_disk_refuses_the_message_and_keeps_it(short_answers: Home) -> None:
    disk = short_answers.root / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], capture_output=True, text=True
    )
    if mounted.returncode != 0:
        pytest.skip("a small file system can only be mounted by root")
    try:
        _with_full_disk(disk)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def _with_full_disk(disk: Path) -> None:
    with Tmux("--sessions", str(disk)) as chat:
        chat.wait("answers here")
        (disk / "filler").write_bytes(b"x" * 60_000)
        with (disk / "rest").open("wb", buffering=0) as rest:
            try:
                while True:
                    rest.write(b"x" * 512)
            except OSError:
                pass
        chat.type("These words must not be lost.")
        chat.keys("Enter")
        chat.wait("no space is left")
        chat.wait(r"›\s*These words must not be lost")
        (disk / "filler").unlink()
        chat.keys("Enter")
        chat.wait(SETTLED)
        chat.keys("C-q")
        chat.wait_exit()
