"""`tui-chat servers` with a real engine: a real llama.cpp server, and a stand-in for Ollama."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from pty import openpty

import pytest

from tests.homes import Home
from tests.servers.ollama_stand_in import Hang, OllamaStandIn, ollama_in_thread
from tests.servers.processes import llama_cpp
from tests.servers.small_ollama import Model

TINY = Model("tiny:1b", trained_context=8192, licence="Apache 2.0\x1b[31m", template="{{ .Prompt }}")
MANIFEST = (("sha256:" + "a" * 64, 3_000_000), ("sha256:" + "b" * 64, 1_000))


def named(home: Home, *servers: tuple[str, str]) -> None:
    """Name servers in the settings."""
    home.configure("".join(f'[servers.{name}]\nurl = "{url}"\n' for name, url in servers))


def listed(home: Home, *arguments: str) -> dict[str, dict[str, object]]:
    """What `tui-chat servers --json` says, by name."""
    shown = home.run("servers", *arguments, "--json")
    assert shown.returncode == 0, shown.stderr
    return {each["name"]: each for each in json.loads(shown.stdout)}


def test_without_servers_it_says_how_to_have_some(empty_home: Home) -> None:
    empty_home.configure("")
    shown = empty_home.run("servers")
    assert shown.returncode == 0
    assert shown.stdout.startswith("No server runs on this machine, and the settings name none.")
    assert listed(empty_home) == {}


def test_a_server_is_looked_for_and_listed_with_its_models(home: Home, tmp_path: Path) -> None:
    with llama_cpp(home.paths.models.resolve() / "SmolLM2-135M-Instruct.Q4_1.gguf", tmp_path) as server:
        home.configure(f"[detect]\nports = [{server.port}]\n")
        name = f"llama-server-{server.port}"
        found = listed(home, "look")[name]
        assert (found["kind"], found["control"], found["state"]) == ("llama-server", "medium", "up")
        assert (found["pid"], found["here"]) == (server.pid, True)
        (line,) = (line for line in home.run("servers").stdout.splitlines() if line.startswith(name))
        assert f"127.0.0.1:{server.port}" in line
        assert "medium" in line
        models = json.loads(home.run("models", "--json").stdout)
        assert [each["server"] for each in models if each["id"].startswith(f"{name}/")] == [name]
        assert f"{name}/" in home.run("models").stdout
    assert listed(home, "look")[name]["state"] == "down"
    below = home.run("servers").stdout
    assert "cannot be reached" in below


def test_one_that_cannot_be_reached_is_listed_with_the_reason(empty_home: Home) -> None:
    named(empty_home, ("away", "http://127.0.0.1:9"))
    shown = empty_home.run("servers").stdout.splitlines()
    assert shown[1].split()[0] == "away"
    assert "down" in shown[1]
    assert shown[2].startswith("  away cannot be reached.")


def test_a_model_is_shown_without_what_could_drive_a_terminal(empty_home: Home) -> None:
    with ollama_in_thread(TINY) as ollama:
        named(empty_home, ("ollama", ollama.url))
        shown = empty_home.run("servers", "show", "ollama", "tiny:1b")
        told = json.loads(empty_home.run("servers", "show", "ollama", "tiny:1b", "--json").stdout)
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith("tiny:1b\n")
    assert "trained context  8,192 tokens" in shown.stdout
    assert "\nLicence:\n  Apache 2.0␛[31m\n" in shown.stdout
    assert told["model"]["name"] == "tiny:1b"


def test_a_model_is_pulled_copied_and_deleted(empty_home: Home) -> None:
    wise = Model("wise:1b", layers=MANIFEST)
    with ollama_in_thread(TINY) as ollama:
        ollama.world.registry["wise:1b"] = wise
        named(empty_home, ("ollama", ollama.url))
        pulled = empty_home.run("servers", "pull", "ollama", "wise:1b")
        assert (pulled.returncode, pulled.stdout) == (0, "ollama/wise:1b\n"), pulled.stderr
        assert "Traceback" not in pulled.stderr
        copied = empty_home.run("servers", "copy", "ollama", "wise:1b", "mine")
        assert copied.stdout == "ollama/mine\n", copied.stderr
        unsure = empty_home.run("servers", "delete", "ollama", "wise:1b", stdin=subprocess.DEVNULL)
        assert unsure.returncode == 2
        assert "add --yes" in unsure.stderr
        assert empty_home.run("servers", "delete", "ollama", "wise:1b", "--yes").returncode == 0
        assert {each["name"] for each in listed(empty_home)["ollama"]["models"]} == {"tiny:1b", "mine:latest"}


@pytest.mark.parametrize(("answer", "there"), [(b"y\n", False), (b"\n", True)])
def test_deleting_is_asked_about(empty_home: Home, answer: bytes, there: bool) -> None:
    with ollama_in_thread(TINY) as ollama:
        named(empty_home, ("ollama", ollama.url))
        us, terminal = openpty()
        os.write(us, answer)
        done = empty_home.run("servers", "delete", "ollama", "tiny:1b", stdin=terminal)
        os.close(us)
        os.close(terminal)
        assert done.stderr.startswith("Delete tiny:1b (86 MiB) from the disk of ollama?")
        assert ("tiny:1b" in ollama.world.models) is there


def test_ctrl_c_stops_a_pull_and_the_same_command_goes_on(empty_home: Home) -> None:
    with ollama_in_thread() as ollama:
        ollama.world.registry["wise:1b"] = Model("wise:1b", layers=MANIFEST)
        _hold(ollama)
        named(empty_home, ("ollama", ollama.url))
        with empty_home.begin("servers", "pull", "ollama", "wise:1b") as process:
            assert process.stderr
            assert "pulling" in process.stderr.readline()
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=30)
        assert process.returncode == 130
        assert "the same command goes on from there" in said
        assert "Traceback" not in said
        again = empty_home.run("servers", "pull", "ollama", "wise:1b")
        assert again.returncode == 0, again.stderr
        assert "wise:1b" in ollama.world.models


def _hold(ollama: OllamaStandIn) -> None:
    """Have the next pull stop in the middle, until the client hangs up."""
    digest, total = MANIFEST[0]
    layer = {"status": f"pulling {digest[7:19]}", "digest": digest, "total": total, "completed": 1000}
    ollama.play("/api/pull", {"status": "pulling manifest"}, layer, Hang())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("pull", "ollama", "nowhere:1b"), "There is no model called nowhere:1b"),
        (("pull", "nobody", "tiny:1b"), "There is no server called"),
        (("show", "ollama", "nowhere:1b"), "nowhere:1b"),
        (("delete", "ollama", "nowhere:1b", "--yes"), "nowhere:1b"),
        (("create", "ollama", "mine", "/nowhere.gguf"), "There is no file /nowhere.gguf."),
    ],
)
def test_what_cannot_be_done_is_said(empty_home: Home, arguments: tuple[str, ...], said: str) -> None:
    with ollama_in_thread(TINY) as ollama:
        named(empty_home, ("ollama", ollama.url))
        done = empty_home.run("servers", *arguments)
    assert done.returncode == 1
    assert said in done.stderr
    assert done.stderr.splitlines()[-1].startswith("tui-chat: ")
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_server_that_fetches_nothing_says_so(empty_home: Home, starter_model: Path, tmp_path: Path) -> None:
    with llama_cpp(starter_model, tmp_path) as server:
        named(empty_home, ("plain", server.url))
        done = empty_home.run("servers", "pull", "plain", "tiny:1b")
    assert (done.returncode, done.stderr) == (1, "tui-chat: plain cannot fetch models.\n")


def test_a_model_is_made_of_a_file(home: Home, starter_model: Path) -> None:
    with ollama_in_thread() as ollama:
        named(home, ("ollama", ollama.url))
        made = home.run("servers", "create", "ollama", "mine", str(starter_model))
        assert (made.returncode, made.stdout) == (0, "ollama/mine\n"), made.stderr
        assert any(name.startswith("mine") for name in ollama.world.models)
