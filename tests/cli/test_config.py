"""The settings from the command line, through the real program and a real file."""

from __future__ import annotations

import json
import os
import pty
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.homes import Home


def _write(home: Home, text: str) -> Path:
    home.config.parent.mkdir(parents=True, exist_ok=True)
    home.config.write_text(text)
    return home.config


def _editor(home: Home, script: str) -> str:
    """A command of several words that edits a file as `script` says, and notes how it was called."""
    file = home.root / "my editor"
    file.write_text(f'#!/bin/sh\necho "$@" > "{home.root}/called"\n{script}\n')
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return f"'{file}' -w"


def test_values_are_shown_with_where_they_are_from(empty_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    file = _write(
        empty_home, '[ui]\ntheme = "nord"\n[servers.box]\nurl = "http://me:pw@x"\nheaders = { A = "sk-1" }\n'
    )
    monkeypatch.setenv("TUI_CHAT_UI_MOUSE", "false")
    assert empty_home.run("config", "path").stdout.strip() == str(file)
    shown = empty_home.run("config", "show").stdout
    lines = {line.split()[0]: line.split(maxsplit=1)[1] for line in shown.splitlines()}
    assert lines["ui.theme"].split() == ['"nord"', f"{file}:2"]
    assert lines["ui.mouse"].split() == ["false", "TUI_CHAT_UI_MOUSE"]
    assert lines["models.context"].split() == ["8192", "default"]
    assert lines["servers.box.headers"].split() == ["(hidden)", f"{file}:5"]
    rows = json.loads(empty_home.run("config", "show", "servers", "--json").stdout)
    told = {row["key"]: row["value"] for row in rows}
    assert told["servers.box.url"] == "http://…@x"
    assert "sk-1" not in shown + str(rows)
    slip = empty_home.run("config", "show", "ui.them")
    assert (slip.returncode, slip.stdout) == (1, "")
    assert "Did you mean ui.theme?" in slip.stderr


def test_slips_are_told_by_check_and_by_every_command_and_nothing_is_touched(
    empty_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUI_CHAT_MODEL_CONTEXT", "4096")
    text = "[ui]\nmose = true\n\n[sampling]\ntemperature = 9\n"
    file = _write(empty_home, text)
    checked = empty_home.run("config", "check")
    assert checked.returncode == 1
    assert checked.stdout.splitlines() == [
        f"{file}:2: ui.mose is no setting (did you mean ui.mouse?); it is ignored.",
        f"{file}:5: sampling.temperature is 9, and has to be a number from 0 to 5;"
        " the default, 0.7, is in force.",
        "TUI_CHAT_MODEL_CONTEXT names no setting (did you mean TUI_CHAT_MODELS_CONTEXT?); it is ignored.",
    ]
    listed = empty_home.run("sessions", "list")
    assert listed.returncode == 0
    assert "line 2: ui.mose is no setting" in listed.stderr
    assert file.read_text() == text
    monkeypatch.delenv("TUI_CHAT_MODEL_CONTEXT")
    _write(
        empty_home,
        '[ui]\ntheme = "nrod"\n[chat]\npreset = "codr"\n[keys.bind]\nquit = "ctrl+m"\nmodels = "f3"\n',
    )
    named = empty_home.run("config", "check")
    assert named.returncode == 1
    for line, part in (
        (2, "there is no theme “nrod”"),
        (4, "There is no preset called 'codr'. Did you mean coder?"),
        (5, "keys.bind: quit = “ctrl+m”: terminals send the same for ctrl+m and enter"),
        (5, "sessions has no key any more: models took F3"),
    ):
        assert f"{file}:{line}: {part}" in named.stdout
    assert "no theme “nord2”" in empty_home.run("config", "set", "ui.theme", "nord2").stderr
    _write(empty_home, "[ui]\nmouse = false\n")
    fine = empty_home.run("config", "check")
    assert (fine.returncode, fine.stdout) == (0, f"{file} is in order.\n")


def test_one_setting_is_changed_and_reset(empty_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    file = _write(empty_home, "# mine\n[ui]\n  mouse = true # yes\n")
    done = empty_home.run("config", "set", "ui.mouse", "false")
    assert (done.returncode, done.stdout) == (0, "ui.mouse = false, when tui-chat is started again\n")
    assert file.read_text() == "# mine\n[ui]\n  mouse = false # yes\n"
    monkeypatch.setenv("TUI_CHAT_UI_MOUSE", "true")
    assert (
        "TUI_CHAT_UI_MOUSE is set, and overrules it"
        in empty_home.run("config", "set", "ui.mouse", "false").stderr
    )
    monkeypatch.delenv("TUI_CHAT_UI_MOUSE")
    assert "url is missing" in empty_home.run("config", "set", "servers.box.kind", "vllm").stderr
    for arguments, told in (
        (("set", "ui.mouse", "maybe"), "ui.mouse has to be true or false"),
        (("set", "ui.moose", "true"), "Did you mean ui.mouse?"),
        (("set", "models.keep_alive_for.qwen", "long"), "a number"),
        (("reset", "ui.moose"), "Did you mean ui.mouse?"),
    ):
        refused = empty_home.run("config", *arguments)
        assert (refused.returncode, refused.stdout) == (1, ""), arguments
        assert told in refused.stderr
    assert "taken out" in empty_home.run("config", "reset", "servers.box").stdout
    was = empty_home.run("config", "reset", "ui.mouse").stdout
    assert "It was false; now it is true" in was
    assert file.read_text() == "# mine\n[ui]\n  # yes\n\n"
    assert "is not in" in empty_home.run("config", "reset", "ui.mouse").stdout
    empty_home.run("config", "set", "models.keep_alive_for.qwen3", "-1")
    told = empty_home.run("config", "reset", "--all").stdout
    assert "config.toml.bak" in told
    assert "qwen3 = -1" in file.with_name("config.toml.bak").read_text()
    assert empty_home.run("config", "check").returncode == 0
    file.write_text("[ui\n")
    assert empty_home.run("config", "reset", "ui.mouse").returncode == 1
    refused = empty_home.run("config", "set", "ui.mouse", "false")
    assert refused.returncode == 1
    assert "line 1" in refused.stderr
    assert file.read_text() == "[ui\n"


def test_the_editor_is_the_person_s_own_and_what_it_wrote_is_checked(
    empty_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", _editor(empty_home, 'printf "[ui]\\nmose = 1\\n" >> "$2"'))
    done = empty_home.run("config", "edit", stdin=subprocess.DEVNULL)
    file = empty_home.config
    assert (empty_home.root / "called").read_text().split() == ["-w", str(file)]
    assert done.returncode == 1
    assert "is new" in done.stdout
    assert "cannot declare" in done.stdout, "the template has a table of that name already"
    assert file.read_text().startswith("# Settings of tui-chat.")
    monkeypatch.setenv("VISUAL", _editor(empty_home, 'printf "[ui]\\nmouse = false\\n" > "$2"'))
    fine = empty_home.run("config", "edit", stdin=subprocess.DEVNULL)
    assert (fine.returncode, fine.stdout) == (0, f"{file} is in order.\n")
    monkeypatch.setenv("VISUAL", "no-such-editor -w")
    lost = empty_home.run("config", "edit", stdin=subprocess.DEVNULL)
    assert lost.returncode == 1
    assert "$VISUAL names is not there: no-such-editor -w" in lost.stderr
    monkeypatch.delenv("VISUAL")
    monkeypatch.delenv("EDITOR")
    bare = {**os.environ, "PATH": str(empty_home.root)}
    none = empty_home.run("config", "edit", stdin=subprocess.DEVNULL, env=bare)
    assert none.returncode == 1
    assert "No editor was found" in none.stderr


def test_in_a_terminal_a_broken_file_can_be_opened_again(
    empty_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first time it writes nonsense, the second time sense."""
    once = empty_home.root / "once"
    script = f'if [ -e "{once}" ]; then echo > "$2"; else echo "[" > "$2"; fi\ntouch "{once}"'
    monkeypatch.setenv("VISUAL", _editor(empty_home, script))
    outer, inner = pty.openpty()
    try:
        os.write(outer, b"y\n")
        done = subprocess.run(
            [sys.executable, "-m", "tui_chat", "config", "edit"],
            stdin=inner, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    finally:
        os.close(outer)
        os.close(inner)
    assert done.returncode == 0
    assert "config.toml:1: the file cannot be used" in done.stdout
    assert "Open it again?" in done.stderr
    assert "is in order" in done.stdout
