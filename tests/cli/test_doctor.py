"""`tui-chat doctor` on homes with real faults: it finds each, says what to do, and changes nothing."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.homes import Home
from tui_chat.backends.llamacpp.build import gpu_kinds
from tui_chat.cli.doctor.colours import check as check_colours
from tui_chat.cli.doctor.finding import Finding, Verdict, note, ok, written, wrong
from tui_chat.cli.doctor.gpus import Library, ask_library, of_drivers, of_library
from tui_chat.cli.doctor.terminal import Seen
from tui_chat.cli.doctor.terminal import check as check_terminal
from tui_chat.config.looks import Ability, Glyphs
from tui_chat.wire.plan import DeviceKind
from tui_chat.wire.telemetry import Driver, DriverState, GpuSample, Maker

TMUX_CONF = "set -g set-clipboard on"


def told(home: Home, **options: object) -> tuple[int, dict[str, list[Finding]]]:
    """The exit status, and what was found, by subject."""
    done = home.run("doctor", "--json", stdin=subprocess.DEVNULL, **options)
    assert done.stderr == ""
    answer = json.loads(done.stdout)
    found: dict[str, list[Finding]] = {}
    for each in answer["findings"]:
        finding = Finding(each["subject"], Verdict(each["verdict"]), each["what"], each["remedy"])
        found.setdefault(finding.subject, []).append(finding)
    assert answer["wrong"] == sum(f.verdict is Verdict.WRONG for each in found.values() for f in each)
    return done.returncode, found


def files_below(root: Path) -> dict[str, tuple[int, int]]:
    return {str(p): (p.lstat().st_mtime_ns, p.lstat().st_mode) for p in sorted(root.rglob("*"))}


def test_a_home_in_order(home: Home) -> None:
    before = files_below(home.root)
    status, found = told(home)
    assert status == 0
    assert "1 model to chat with" in found["models"][0].what
    assert [each.verdict for each in found["engine"]] == [Verdict.OK]
    assert "can be loaded" in found["llama.cpp"][0].what
    assert "no terminal" in found["terminal"][0].what
    assert files_below(home.root) == before, "it changes nothing"
    assert home.processes() == [], "it starts nothing that stays"


def test_every_fault_is_found_and_named(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.configure('[ui]\nmose = true\n[keys.bind]\n"no.such" = "f5"\n', 'default = "llama-9000"')
    themes = home.config.parent / "themes"
    themes.mkdir()
    (themes / "mine.toml").write_text('[meta]\ntitle = "Mine"\nno such line\n')
    (home.paths.models / "torn.gguf").write_bytes(b"GGUF")
    (home.paths.models / "big.gguf.abc.part").write_bytes(b"x" * 2048)
    sessions = home.paths.sessions
    (sessions / "quarantine").mkdir(parents=True, mode=0o755)
    sessions.chmod(0o755)
    (sessions / "quarantine" / "old.json").write_text("{")
    (sessions / "bad.json").write_text('{"schema": 1, "mess')
    (sessions / "bad.lock").write_text(
        json.dumps({"pid": 999999999, "since": "2026-01-01T00:00:00Z", "host": os.uname().nodename})
    )
    home.paths.runtime.mkdir(mode=0o700, parents=True)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(home.paths.socket))
    home.paths.logs.parent.mkdir(parents=True, exist_ok=True)
    home.paths.logs.write_text("a file where a folder should be")
    monkeypatch.setenv("LC_ALL", "C")
    status, found = told(home)
    home.paths.socket.unlink()
    assert status == 1

    def one(subject: str, verdict: Verdict, *words: str) -> None:
        hits = [
            f for f in found[subject] if f.verdict is verdict and all(w in f.what + f.remedy for w in words)
        ]
        assert len(hits) == 1, (subject, words, found[subject])

    one("settings", Verdict.WRONG, "ui.mose", "config.toml:", "tui-chat config edit")
    one("colours", Verdict.WRONG, "mine.toml:3")
    one("keys", Verdict.WRONG, "no.such", "tui-chat keys")
    one("models", Verdict.WRONG, "torn.gguf is cut short")
    one("models", Verdict.WRONG, "llama-9000", "config set models.default")
    one("models", Verdict.NOTE, "big.gguf.abc.part", "2 KiB")
    one("sessions", Verdict.WRONG, "bad.json")
    one("sessions", Verdict.NOTE, "1 damaged file was put aside", "quarantine")
    one("sessions", Verdict.NOTE, "left 1 lock: bad")
    one("folders", Verdict.NOTE, "look into the folder for sessions", "chmod 700")
    one("folders", Verdict.WRONG, "logs", "is no folder", "config set paths.logs")
    one("engine", Verdict.NOTE, "its socket", "Nothing needs to be done")
    one("terminal", Verdict.NOTE, "LC_ALL is C", "C.UTF-8")
    assert (sessions / "bad.json").exists(), "it mends nothing"


def test_no_model_and_a_broken_file_of_settings(empty_home: Home) -> None:
    empty_home.config.parent.mkdir(parents=True)
    empty_home.config.write_text("[ui\n")
    done = empty_home.run("doctor", stdin=subprocess.DEVNULL)
    assert done.returncode == 1
    assert "tui-chat models get starter" in done.stdout
    assert f"{empty_home.config}:1" in done.stdout
    assert "2 things are wrong" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100
    assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.skipif(os.geteuid() == 0 and shutil.which("setpriv") is None, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written(empty_home: Home) -> None:
    empty_home.paths.sessions.mkdir(parents=True)
    empty_home.paths.sessions.chmod(0o555)
    command = [sys.executable, "-m", "tui_chat", "doctor"]
    if os.geteuid() == 0:
        command = ["setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override", *command]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    flat = re.sub(r"\s+", " ", done.stdout)
    assert f"{empty_home.paths.sessions}, cannot be written to" in flat, done.stderr
    assert "tui-chat config set paths.sessions DIR" in flat


def test_the_engine_that_runs_is_asked_and_stays(home: Home) -> None:
    assert home.run("engine", "start").returncode == 0
    _, found = told(home)
    assert [each.verdict for each in found["engine"]] == [Verdict.OK]
    engine = home.engine()
    assert engine is not None
    assert f"pid {engine.pid}" in found["engine"][0].what


def test_what_is_said_of_terminals() -> None:
    usual = {"TERM": "xterm-256color", "LANG": "de_DE.utf8"}

    def verdicts(environ: dict[str, str], seen: Seen | None) -> list[tuple[Verdict, str]]:
        return [(f.verdict, f.what + f.remedy) for f in check_terminal(environ, seen)]

    assert {v for v, _ in verdicts(usual, Seen((80, 24), answers=("what it is",)))} == {Verdict.OK}
    for term in ("dumb", ""):
        worst, what = verdicts(usual | {"TERM": term}, Seen((80, 24)))[0]
        assert worst is Verdict.WRONG
        assert "tui-chat --plain" in what
    assert any("40 columns" in what for _, what in verdicts(usual, Seen((40, 12))))
    assert any("ncurses-term" in what for _, what in verdicts(usual, Seen((80, 24), known=False)))
    assert any("answers no questions" in what for _, what in verdicts(usual, Seen((80, 24), answers=())))
    over = usual | {"SSH_CONNECTION": "a", "TMUX": "b"}
    assert any("inside tmux and SSH" in what for _, what in verdicts(over, Seen((80, 24))))


def test_what_is_said_of_colours() -> None:
    def said(colors: Ability = Ability.AUTO, **environ: str) -> str:
        return " ".join(
            f"{f.verdict}: {f.what} {f.remedy}" for f in check_colours(environ, colors, Glyphs.AUTO)
        )

    assert said(TERM="xterm-256color", COLORTERM="truecolor").strip() == "ok: 16 million."
    assert said(TERM="xterm-256color").startswith("ok: 256")
    assert "export COLORTERM" in said(TERM="xterm-256color", SSH_TTY="/dev/pts/1")
    assert said(TERM="xterm", NO_COLOR="").startswith("note: None, because NO_COLOR")
    assert said(Ability.FEW, TERM="xterm").startswith("ok: 16, as the settings say")
    assert "plain letters" in said(TERM="xterm", LC_ALL="C")


def test_what_is_said_of_gpus() -> None:
    card = GpuSample(
        id="x", index=0, maker=Maker.NVIDIA, name="H200", total_bytes=1 << 34, used_bytes=1 << 33
    )
    ready = Driver(Maker.NVIDIA, DriverState.READY, "570.1")
    (found,) = of_drivers([ready], [card])
    assert found.what == "GPU 0: H200, 16.0 GiB, 8.0 GiB free, driver 570.1."
    (found,) = of_drivers([Driver(Maker.NVIDIA, DriverState.REFUSED, what="It is too old.")], [])
    assert (found.verdict, "It is too old." in found.what) == (Verdict.WRONG, True)
    cuda = frozenset({DeviceKind.CUDA})
    for library, verdict, words in (
        (Library("llama", frozenset()), Verdict.WRONG, "CMAKE_ARGS=-DGGML_CUDA=on"),
        (Library("llama", cuda, sees=False), Verdict.WRONG, "CUDA_VISIBLE_DEVICES"),
        (Library("llama", cuda, sees=True), Verdict.OK, "uses the GPU"),
        (Library("llama", cuda, fault="no libcuda"), Verdict.WRONG, "no libcuda"),
    ):
        (found,) = of_library(library, [card])
        assert found.verdict is verdict
        assert words in found.what + found.remedy


def test_llama_cpp_is_really_asked() -> None:
    library = ask_library()
    assert library.fault == ""
    assert library.kinds == gpu_kinds()
    assert "llama-cpp-python" in library.name


def test_findings_are_laid_out_by_subject() -> None:
    text = written([ok("a", "Good."), wrong("b", "Bad.", "Do this."), note("b", "Odd.")])
    assert text.splitlines() == [
        "a          ok     Good.",
        "b          wrong  Bad.",
        "                    Do this.",
        "           note   Odd.",
        "",
        "1 thing is wrong, 1 worth knowing.",
    ]
