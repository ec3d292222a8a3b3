"""`tui-chat models get hf:…` as a person meets it: what is shown, what is fetched, what is said when not."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.homes import Home
from tests.library.gguf_maker import make_gguf
from tests.library.hub_server import COMMIT, HubServer
from tests.library.places import cache_in_hub

NAME = "hf:acme/wise-GGUF"
BIG = "wise-Q8_0.gguf"
EYES = "mmproj-F16.gguf"


@pytest.fixture
def hub(empty_home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubServer]:
    files = {
        f"wise-{quant}.gguf": make_gguf(tmp_path / f"{quant}.gguf", weights=weights).read_bytes()
        for quant, weights in (("Q8_0", 2_000_000), ("Q4_K_M", 1_000_000), ("Q2_K", 500_000))
    }
    files[EYES] = make_gguf(tmp_path / "p.gguf", architecture="clip").read_bytes()
    with HubServer(files) as server:
        for name, value in server.environ.items():
            monkeypatch.setenv(name, value)
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
            monkeypatch.delenv(name, raising=False)
        yield server


def on_a_terminal(*arguments: str) -> tuple[int, str]:
    """Run `tui-chat` with its stderr on a terminal; give its status and what the terminal got."""
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "tui_chat", *arguments]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=follower) as process:
        os.close(follower)
        shown = b""
        while True:
            try:
                piece = os.read(leader, 65536)
            except OSError:  # the last one has closed the other end
                break
            if not piece:
                break
            shown += piece
    os.close(leader)
    return process.returncode, shown.decode()


def test_recommended_quant_is_fetched_and_listed(empty_home: Home, hub: HubServer) -> None:
    got = empty_home.run("models", "get", NAME)
    assert got.returncode == 0, got.stderr
    path = Path(got.stdout.strip())
    assert path == empty_home.paths.models / "acme" / "wise-GGUF" / BIG
    assert path.read_bytes() == hub.files[BIG]
    assert "Chosen: Q8_0, the largest up to Q8_0 that fits" in got.stderr
    assert "acme/wise-GGUF Q8_0, 8 MiB" in got.stderr
    assert f"sees pictures with {EYES}." in got.stderr
    assert (path.parent / EYES).read_bytes() == hub.files[EYES]
    (listed,) = json.loads(empty_home.run("models", "--json").stdout)
    assert (listed["id"], listed["source"], listed["state"]) == ("wise-Q8_0", "own", "on_disk")
    assert listed["projector"] == str(path.parent / EYES)


def test_who_leaves_projectors_out_fetches_none(empty_home: Home, hub: HubServer) -> None:
    empty_home.configure("", "pictures = false")
    got = empty_home.run("models", "get", NAME)
    assert [file.name for file in Path(got.stdout.strip()).parent.iterdir()] == [BIG]


def test_named_quant_and_named_file(empty_home: Home, hub: HubServer, tmp_path: Path) -> None:
    got = empty_home.run("models", "get", f"{NAME}:q4_k_m", "--to", str(tmp_path / "there"), "--json")
    told = json.loads(got.stdout)
    assert Path(told["path"]) == tmp_path / "there" / "acme" / "wise-GGUF" / "wise-Q4_K_M.gguf"
    assert told["quant"] == "Q4_K_M"
    got = empty_home.run("models", "get", f"{NAME}/mmproj-F16.gguf")
    assert Path(got.stdout.strip()).name == "mmproj-F16.gguf"
    assert empty_home.run("models", "get", f"{NAME}:IQ1_S").stderr == (
        "tui-chat: acme/wise-GGUF has no IQ1_S. It has: Q8_0, Q4_K_M, Q2_K.\n"
    )


def test_list_shows_and_fetches_nothing(empty_home: Home, hub: HubServer) -> None:
    lines = empty_home.run("models", "get", NAME, "--list").stdout.splitlines()
    assert lines[0].split()[:2] == ["QUANT", "SIZE"]
    assert [line.split()[0] for line in lines[1:]] == ["Q8_0", "Q4_K_M", "Q2_K"]
    assert "fits, recommended" in lines[1]
    listed = json.loads(empty_home.run("models", "get", NAME, "--list", "--json").stdout)
    assert [each["recommended"] for each in listed] == [True, False, False]
    assert listed[0]["size_bytes"] == len(hub.files[BIG]) + len(hub.files[EYES])
    assert listed[0]["files"] == [BIG, EYES]
    assert listed[0]["needed_bytes"] > listed[0]["size_bytes"]
    assert BIG not in hub.asked
    assert not (empty_home.paths.models / "acme").exists()


def test_real_model_is_forecast_from_its_first_bytes(
    empty_home: Home, hub: HubServer, starter_model: Path
) -> None:
    hub.files = {"SmolLM2-135M-Instruct.Q4_1.gguf": starter_model.read_bytes()}
    (listed,) = json.loads(empty_home.run("models", "get", NAME, "--list", "--json").stdout)
    assert hub.ranges == [f"bytes=0-{(2 << 20) - 1}"]
    cache_mib = 180  # 30 layers, 3 heads of 64 for keys and as many for values, 2 bytes, 8,192 tokens
    beside_mib = (listed["needed_bytes"] - listed["size_bytes"]) / 2**20
    assert cache_mib < beside_mib < cache_mib + 150
    got = empty_home.run("models", "get", NAME)
    assert "94 MiB, 0.135 billion parameters, llama, trained on 8,192 tokens." in got.stderr
    assert "with 8k of context" in got.stderr
    assert Path(got.stdout.strip()).stat().st_size == starter_model.stat().st_size


def test_terminal_sees_the_table_the_choice_and_the_progress(empty_home: Home, hub: HubServer) -> None:
    status, shown = on_a_terminal("models", "get", NAME)
    assert status == 0
    for word in ("QUANT", "Q2_K", "recommended", "Chosen: Q8_0", "Fetching", "MiB"):
        assert word in shown
    assert (empty_home.paths.models / "acme" / "wise-GGUF" / BIG).is_file()


def test_ctrl_c_keeps_what_came_and_the_same_command_goes_on(empty_home: Home, hub: HubServer) -> None:
    hub.pause_at = 4_000_000
    with empty_home.begin("models", "get", NAME) as process:
        folder = empty_home.paths.models / "acme" / "wise-GGUF"
        assert hub.paused.wait(timeout=30)
        while not any(part.stat().st_size for part in folder.glob("*")):
            time.sleep(0.01)  # sent is not yet written
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "the same command goes on from there" in said
    assert "Traceback" not in said
    (part,) = folder.iterdir()
    have = part.stat().st_size
    assert 0 < have <= 4_000_000
    hub.pause_at = None
    hub.go_on.set()
    hub.ranges.clear()
    got = empty_home.run("models", "get", NAME)
    assert got.returncode == 0, got.stderr
    assert f"bytes={have}-" in hub.ranges
    assert (folder / BIG).read_bytes() == hub.files[BIG]
    assert not part.exists()


def test_hugging_face_cache_saves_the_download(empty_home: Home, hub: HubServer, tmp_path: Path) -> None:
    cache = Path(os.environ["XDG_CACHE_HOME"]) / "huggingface" / "hub"
    link = cache_in_hub(cache, hub.name, COMMIT, tmp_path / "Q8_0.gguf", BIG, main=True)
    got = empty_home.run("models", "get", NAME)
    assert got.stdout.strip() == str(link)
    assert "Nothing was downloaded" in got.stderr
    assert BIG not in hub.asked


def test_file_that_is_no_model_is_refused_before_it_is_fetched(empty_home: Home, hub: HubServer) -> None:
    hub.files = {BIG: b"<html>" * 2_000_000}
    refused = empty_home.run("models", "get", NAME)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "not a GGUF file" in refused.stderr
    assert hub.sent < len(hub.files[BIG]) // 2
    assert not (empty_home.paths.models / "acme").exists()


def test_failures_are_one_line_and_tell_no_secret(
    empty_home: Home, hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_verysecret")
    outcomes = [empty_home.run("models", "get", "hf:acme/other")]
    hub.token = "hf_another"
    outcomes.append(empty_home.run("models", "get", NAME))
    hub.token = ""
    hub.promised[BIG] = "0" * 64
    outcomes.append(empty_home.run("models", "get", f"{NAME}:Q8_0"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    outcomes.append(empty_home.run("models", "get", NAME))
    for outcome, said in zip(
        outcomes, ("has no repository", "gated", "checksum differs", "HF_HUB_OFFLINE"), strict=True
    ):
        assert (outcome.returncode, outcome.stdout) == (1, "")
        assert said in outcome.stderr
        assert "Traceback" not in outcome.stderr
        assert "secret" not in outcome.stderr
        assert outcome.stderr.splitlines()[-1].startswith("tui-chat: ")
    logs = [file.read_text() for file in empty_home.paths.logs.glob("*")]
    assert not any("secret" in text for text in logs)


def test_slips_in_addresses_are_usage_errors(empty_home: Home) -> None:
    for name in ("hf:acme", "acme/wise", "hf:acme/wise/readme.md"):
        slip = empty_home.run("models", "get", name)
        assert slip.returncode == 2
        assert "hf:OWNER/REPO" in slip.stderr
