"""`tui-chat ask` as a script uses it, against the real engine and model."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

from tests.homes import Home
from tests.worker.support import wait_until


def test_the_answer_goes_to_stdout_and_the_status_says_whether_it_is_complete(home: Home) -> None:
    complete = home.run("ask", "Say hello.", "--temperature", "0", "--stop", " ")
    assert complete.returncode == 0, complete.stderr
    assert complete.stdout.strip()
    cut = home.run("ask", "Tell a long story.", "--max-tokens", "5")
    assert cut.returncode == 1
    assert "cut off after 5 tokens" in cut.stderr
    assert "Traceback" not in cut.stderr


def test_json_has_the_promised_fields_and_seeds_repeat(home: Home) -> None:
    arguments = ("ask", "Name a colour.", "--json", "--max-tokens", "12", "--seed", "7", "--model", "smollm2")
    first, second = (json.loads(home.run(*arguments).stdout) for _ in range(2))
    assert first["text"] == second["text"]
    assert first["seed"] == 7
    assert first["model"] == "SmolLM2-135M-Instruct.Q4_1"
    assert first["finish_reason"] in ("stop", "length")
    assert set(first["usage"]) == {
        "prompt_tokens",
        "completion_tokens",
        "reused_tokens",
        "shifted_tokens",
        "estimated",
    }
    assert {"load_ms", "prefill_ms", "ttft_ms", "decode_tps"} <= set(first["timings"])
    assert first["timings"]["load_ms"] > 0
    assert second["usage"]["reused_tokens"] > 0


def test_stdin_is_appended_to_the_question(home: Home) -> None:
    short = json.loads(home.run("ask", "Sum up:", "--json", "--max-tokens", "1", input="").stdout)
    piped = home.run("ask", "Sum up:", "--json", "--max-tokens", "1", input="a lighthouse " * 50)
    assert json.loads(piped.stdout)["usage"]["prompt_tokens"] > short["usage"]["prompt_tokens"] + 50
    command = [sys.executable, "-m", "tui_chat", "ask", b"caf\xe9?", "--max-tokens", "1"]
    odd = subprocess.run(command, input=b"- caf\xe9\n\0\x1b[1m", capture_output=True, timeout=60)
    assert (odd.returncode, odd.stderr.count(b"wrong")) == (1, 0), "only the limit ended it"
    nothing = home.run("ask", input="")
    assert nothing.returncode == 2
    assert "nothing was asked" in nothing.stderr


def test_ctrl_c_stops_the_model_and_keeps_what_was_said(home: Home) -> None:
    command = [sys.executable, "-m", "tui_chat", "ask", "Write a very long story.", "--max-tokens", "1500"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as asking:
        assert asking.stdout is not None
        first = asking.stdout.read(1)
        asking.send_signal(signal.SIGINT)
        rest = asking.stdout.read()
    assert first
    assert asking.returncode == 130
    assert len(rest) < 4000
    wait_until(lambda: json.loads(home.run("engine", "status", "--json").stdout)["generations"] == [])


def test_what_cannot_be_asked_is_said_in_one_line(home: Home) -> None:
    unknown = home.run("ask", "hi", "--model", "no-such-model")
    assert unknown.returncode == 1
    assert "no model called" in unknown.stderr.lower()
    assert unknown.stdout.strip() == ""


def test_without_any_model_it_says_how_to_get_one(empty_home: Home) -> None:
    asked = empty_home.run("ask", "hi", input="")
    assert asked.returncode == 1
    assert "tui-chat models get starter" in asked.stderr
