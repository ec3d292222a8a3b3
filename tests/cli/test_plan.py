"""`tui-chat plan`: the same numbers as llama.cpp's own, for this machine and for described ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.homes import Home
from tests.memory.sizes import make_sized
from tui_chat.backends.llamacpp.prober import Prober
from tui_chat.backends.llamacpp.probing import Probe, Probed
from tui_chat.wire.plan import DeviceKind, DeviceSpec, KvType, LoadOptions

TWO_GPUS = "gpu:24GiB,gpu:24GiB,ram:64GiB"


def plan(home: Home, *arguments: str) -> dict[str, object]:
    done = home.run("plan", *arguments, "--json")
    assert done.stderr == ""
    body = json.loads(done.stdout)
    assert done.returncode == (0 if body["fits"] else 1)
    assert isinstance(body, dict)
    return body


async def test_bytes_are_llama_cpps_own(home: Home, starter_model: Path) -> None:
    fixed = ("--ctx", "5000", "--kv", "q8_0", "--ubatch", "128", "--layers", "20", "--split", "1,2")
    said = plan(home, str(starter_model), *fixed, "--devices", TWO_GPUS)
    assert (said["context"], said["kv_type"], said["ubatch"], said["fits"]) == (5000, "q8_0", 128, True)
    gpus = tuple(
        DeviceSpec(name=f"gpu{n}", kind=DeviceKind.GPU, total_bytes=24 << 30, free_bytes=24 << 30)
        for n in (0, 1)
    )
    options = LoadOptions(context=5000, kv_type=KvType.Q8_0, ubatch=128, gpu_layers=20, split=(1, 2))
    prober = Prober()
    (answer,) = (await prober.ask(Probe(str(starter_model), gpus, (options,)))).answers
    await prober.close()
    assert isinstance(answer, Probed)
    devices = said["devices"]
    assert isinstance(devices, list)
    assert [(d["name"], d["weights_bytes"], d["kv_bytes"], d["compute_bytes"]) for d in devices] == [
        (b.device, b.weights, b.kv, b.compute) for b in answer.buffers
    ]
    assert [(d["layers"], d["free_bytes"] >> 30) for d in devices] == [(7, 24), (12, 24), (11, 64)]


def test_a_plan_is_a_sentence_and_a_table(home: Home, tmp_path: Path) -> None:
    model = make_sized(tmp_path, "llama-8b")
    shown = home.run("plan", str(model), "--devices", "gpu:24GiB@900,ram:64GiB@60", "--ctx", "32768")
    assert shown.returncode == 0
    first, _, head, gpu, ram = shown.stdout.splitlines()
    assert first.startswith("llama-8b fits. All layers on GPU 0 with 32k of context, about ")
    assert head.split() == ["DEVICE", "LAYERS", "WEIGHTS", "KV", "COMPUTE", "OVERHEAD", "TOTAL", "FREE"]
    assert gpu.startswith("GPU 0")
    assert "4.0 GiB" in gpu
    assert ram.startswith("RAM")


def test_what_does_not_fit_says_so_and_by_how_much(home: Home, tmp_path: Path) -> None:
    model = make_sized(tmp_path, "llama-70b")
    shown = home.run("plan", str(model), "--devices", "ram:16GiB")
    assert shown.returncode == 1
    assert "llama-70b does not fit. Needs " in shown.stdout


def test_what_does_not_fit_says_what_would(home: Home, tmp_path: Path) -> None:
    model = make_sized(tmp_path, "llama-8b")
    arguments = (str(model), "--kv", "f16", "--devices", "ram:14GiB@50")
    shown = home.run("plan", *arguments, "--ctx", "131072")
    _, first, second, blank = shown.stdout.splitlines()[:4]
    assert first.startswith("  or: With 64k of context it fits (about ")
    assert second.startswith("  or: With a q4_0 KV cache it fits (about ")
    assert blank == ""
    said = plan(home, *arguments, "--ctx", "131072")
    assert said["alternatives"] == [line.removeprefix("  or: ") for line in (first, second)]
    taken = plan(home, *arguments, "--ctx", "65536")
    assert (taken["fits"], taken["alternatives"]) == (True, [])


def test_an_unfinished_download_can_be_planned(home: Home, starter_model: Path, tmp_path: Path) -> None:
    part = tmp_path / "part.gguf"
    part.write_bytes(starter_model.read_bytes()[:2_000_000])
    whole, header = (plan(home, str(path), "--devices", "ram:8GiB") for path in (starter_model, part))
    assert whole["devices"] == header["devices"]
    assert header["source"] == "llama.cpp"


def test_a_plan_for_this_machine_knows_what_is_free(home: Home) -> None:
    said = plan(home, "smol")
    assert said["fits"]
    devices = said["devices"]
    assert isinstance(devices, list)
    assert devices[-1]["name"] == "ram"
    assert 0 < devices[-1]["free_bytes"] < 1 << 50
    assert said["tokens_per_second"]


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["no-such-model"], "There is no model called"),
        (["smol", "--devices", "tpu:1GiB"], "gpu:24GiB"),
        (["smol", "--ctx", "0"], "at least 1"),
        (["smol", "--kv", "f8"], "q8_0"),
        (["smol", "--split", "0,0"], "3,1"),
        ([__file__], "not a GGUF file"),
    ],
)
def test_slips_are_explained(home: Home, arguments: list[str], hint: str) -> None:
    slip = home.run("plan", *arguments)
    assert (slip.returncode, slip.stdout) == (2, "")
    assert hint in slip.stderr
    assert "Traceback" not in slip.stderr
