"""The README's claims, held against the program: commands, flags, targets, folders, settings, keys."""

from __future__ import annotations

import argparse
import importlib
import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tui_chat.cli.main import CHAT, COMMANDS
from tui_chat.config.paths import config_file, resolve_paths
from tui_chat.config.schema import schema
from tui_chat.config.settings import Settings
from tui_chat.ui.commands import COMMANDS as KEY_COMMANDS

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return README.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def rows(title: str) -> list[list[str]]:
    """The cells of the tables of a section, without the headings."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if not row[0].startswith("---") and "`" in "".join(row)]


def console(program: str) -> Iterator[list[str]]:
    """The arguments of every call of `program` in the console blocks."""
    for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL):
        for line in block.splitlines():
            words = shlex.split(line.removeprefix("$ "), comments=True)
            if program in words:
                yield words[words.index(program) + 1 :]


def test_every_shown_call_is_understood() -> None:
    calls = list(console("tui-chat"))
    assert len(calls) > 10
    for call in calls:
        command = COMMANDS[call[0]] if call and call[0] in COMMANDS else CHAT
        parser = argparse.ArgumentParser(exit_on_error=False)
        importlib.import_module(command.module).add_arguments(parser)
        parser.parse_args(call if command is CHAT else call[1:])


def test_every_picture_is_there_with_words_for_who_cannot_see_it() -> None:
    pictures = re.findall(r"!\[(.*?)\]\((.*?)\)", README)
    assert len(pictures) > 4
    for words, file in pictures:
        assert len(words) > 20
        assert (ROOT / file).stat().st_size > 10_000


def test_every_shown_target_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = {call[0] for call in console("make")} | set(re.findall(r"`make ([a-z]+)", README))
    assert {"chat", "test", "setup"} <= targets
    assert [target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []


def test_listed_settings_exist_with_their_defaults() -> None:
    listed = {cells[0].strip("`"): cells[1].strip("`") for cells in rows("Settings")}
    defaults = {each.key: "" if each.default is None else json.dumps(each.default) for each in schema()}
    assert len(listed) > 8
    assert listed == {key: defaults[key] for key in listed}
    shown = re.findall(r"`(TUI_CHAT_[A-Z_]+)=", README)
    assert set(shown) <= {each.variable for each in schema()}


def test_shown_settings_are_valid() -> None:
    for block in re.findall(r"```toml\n(.*?)```", README, re.DOTALL):
        msgspec.convert(tomllib.loads(block), Settings)


def test_things_live_where_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/you")
    for name in ("CONFIG_HOME", "DATA_HOME", "STATE_HOME", "CACHE_HOME"):
        monkeypatch.delenv(f"XDG_{name}", raising=False)
    monkeypatch.delenv("TUI_CHAT_CONFIG", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/mine")
    listed = {cells[0]: re.findall(r"`([^`]+)`", cells[1])[0] for cells in rows("Where things live")}
    paths = resolve_paths(Settings().paths)
    real = {name: getattr(paths, name) for name in ("models", "sessions", "state", "logs", "cache")}
    real["settings"] = config_file()
    assert {name: Path(listed[name].replace("~", "/home/you")) for name in real} == real
    assert listed["engine's socket"].replace("$XDG_RUNTIME_DIR", "/run/mine") == str(paths.socket.parent)


def test_every_listed_key_does_something() -> None:
    known = {key for command in KEY_COMMANDS for key in command.keys.split(",")}
    listed = {key for cells in rows("Keys") for key in re.findall(r"`([^`]+)`", " ".join(cells))}
    assert {"enter", "escape", "ctrl+j"} <= listed
    assert listed - known == set()


def test_links_lead_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    assert [link for link in links if not (ROOT / link).exists()] == []
