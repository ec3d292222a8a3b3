"""Servers are known by their processes too, and processes that hold memory of a GPU are told."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.servers.listeners import Listener, listening, models
from tests.servers.processes import TORCH, running, script
from tui_chat.backends.detect.commands import declared, kind_of, short
from tui_chat.backends.detect.found import Found
from tui_chat.backends.detect.look import detect
from tui_chat.config.servers import DetectSettings
from tui_chat.wire.servers import ServerKind, ServerState
from tui_chat.wire.telemetry import GpuProcess, GpuSample, Maker

OLLAMA = {"/api/version": (200, {"version": "0.33.0"}), "/": (200, "Ollama is running")}
LLAMA = {"/v1/models": (200, models("llamacpp", "a")), "/props": (200, {"default_generation_settings": {}})}
SECRET = {"/v1/models": (401, {"detail": "Unauthorized"})}
DEFAULTS = DetectSettings()


def gpu(number: int, *processes: tuple[int, int]) -> GpuSample:
    """A GPU on which some processes hold so many bytes."""
    held = tuple(GpuProcess(pid, used) for pid, used in processes)
    return GpuSample(id=str(number), index=number, maker=Maker.NVIDIA, name="A GPU", processes=held)


def of(found: Iterable[Found], *pids: int) -> list[Found]:
    """What was found of some processes."""
    return [each for each in found if each.pid in pids]


async def test_an_ollama_is_found_by_its_process_with_what_its_runners_hold(tmp_path: Path) -> None:
    script(tmp_path / "serve")
    runner = {"argv": ["llama-server", "serve"], "folder": str(tmp_path), "answers": LLAMA}
    with running(["ollama", "serve"], tmp_path, ANSWERS=OLLAMA, CHILD=runner) as ollama:
        child = ollama.child["pid"]
        gpus = (gpu(0, (child, 3 << 30), (1, 5 << 30)), gpu(1, (child, 1 << 30), (ollama.pid, 1 << 20)))
        found = await detect(DetectSettings(ports=(ollama.child["port"],)), (), gpus, ())
    assert of(found, ollama.pid, child) == [
        Found(
            name=f"ollama-{ollama.port}",
            kind=ServerKind.OLLAMA,
            url=ollama.url,
            state=ServerState.UP,
            version="0.33.0",
            pid=ollama.pid,
            memory_bytes=(4 << 30) + (1 << 20),
            command="ollama serve",
        )
    ]


async def test_a_process_says_which_server_wants_a_key(tmp_path: Path) -> None:
    vllm = script(tmp_path / "bin" / "vllm")
    textgen = script(tmp_path / "text-generation-webui" / "server.py")
    script(tmp_path / "sglang" / "launch_server.py")
    argvs = {
        ServerKind.VLLM: [sys.executable, str(vllm), "serve", "acme/wise", "--api-key", "secret"],
        ServerKind.TEXTGEN: ["python3", "server.py", "--api"],
        ServerKind.SGLANG: ["python3", "-m", "sglang.launch_server", "--model-path", "acme/wise"],
    }
    folders = {ServerKind.TEXTGEN: textgen.parent}
    for kind, argv in argvs.items():
        with running(argv, folders.get(kind, tmp_path), ANSWERS=SECRET) as server:
            (found,) = of(await detect(DEFAULTS, (), None, ()), server.pid)
        assert (found.kind, found.state, found.url) == (kind, ServerState.REFUSING, server.url)
        assert "secret" not in repr(found)


async def test_a_server_that_does_not_answer_is_seen(tmp_path: Path) -> None:
    script(tmp_path / "serve")
    with running(["llama-server", "serve", "--port", "9"], tmp_path, ANSWERS={}) as server:
        (found,) = of(await detect(DEFAULTS, (), (gpu(0, (server.pid, 7)),), ()), server.pid)
    assert found == Found(
        name=f"llama-server (pid {server.pid})",
        kind=ServerKind.LLAMA_SERVER,
        pid=server.pid,
        memory_bytes=7,
        command="llama-server",
    )


async def test_names_stay_when_others_come(tmp_path: Path) -> None:
    script(tmp_path / "serve")
    with running(["llama-server", "serve"], tmp_path, ANSWERS=LLAMA) as first:
        (before,) = of(await detect(DEFAULTS, (), None, ()), first.pid)
        with running(["llama-server", "serve"], tmp_path, ANSWERS=LLAMA) as second:
            after = of(await detect(DEFAULTS, (), None, ()), first.pid, second.pid)
    assert {each.name for each in after} == {f"llama-server-{each.port}" for each in (first, second)}
    assert before in after


async def test_a_known_server_brings_its_kind_and_memory(tmp_path: Path) -> None:
    script(tmp_path / "serve")
    with running(["ollama", "serve"], tmp_path, ANSWERS=OLLAMA) as ollama:
        gpus = (gpu(0, (ollama.pid, 42)),)
        (found,) = of(await detect(DEFAULTS, (f"localhost:{ollama.port}",), gpus, ()), ollama.pid)
    assert (found.known, found.kind, found.memory_bytes) == (True, ServerKind.OLLAMA, 42)


async def test_pytorch_on_a_gpu_is_seen_and_nothing_else_there(tmp_path: Path) -> None:
    library = tmp_path / "libtorch_cpu.so"
    library.write_bytes(b"not really")
    plain = tmp_path / "libother.so"
    plain.write_bytes(b"nor this")
    script(tmp_path / "train.py", TORCH)
    argv = ["python3.11", "train.py"]
    with (
        running([*argv, str(library), "--token=secret"], tmp_path) as torch,
        running([*argv, str(library)], tmp_path) as idle,
        running([*argv, str(library)], tmp_path) as ours,
        running([*argv, str(plain)], tmp_path) as other,
    ):
        held = ((torch.pid, 5 << 30), (ours.pid, 1), (other.pid, 1), (1 << 22, 1))
        gpus = (gpu(0, *held), gpu(1, (torch.pid, 1 << 30)))
        found = await detect(DEFAULTS, (), gpus, (ours.pid,))
    assert of(found, torch.pid, idle.pid, ours.pid, other.pid, 1 << 22) == [
        Found(
            name=f"python train.py (pid {torch.pid})",
            kind=ServerKind.PYTORCH,
            pid=torch.pid,
            memory_bytes=6 << 30,
            command="python train.py",
        )
    ]


async def test_a_server_made_with_pytorch_is_told_once(tmp_path: Path) -> None:
    listener = Listener({"/v1/models": models("me", "mine")})
    async with listening(listener) as (port,):
        gpus = (gpu(0, (os.getpid(), 9)),)
        (found,) = of(await detect(DetectSettings(ports=(port,)), (), gpus, ()), os.getpid())
    assert (found.kind, found.url, found.memory_bytes) == (ServerKind.OPENAI, listener.url, 9)


STARTED = {
    "/usr/local/bin/ollama serve": (ServerKind.OLLAMA, "ollama serve", 11434),
    "ollama start": (ServerKind.OLLAMA, "ollama start", 11434),
    "ollama run llama3.2": (None, "ollama", 0),
    "/opt/llama.cpp/llama-server -m a.gguf --port 8081": (ServerKind.LLAMA_SERVER, "llama-server", 8081),
    "llama-server --port=99999": (ServerKind.LLAMA_SERVER, "llama-server", 8080),
    "llama-cli -m a.gguf": (None, "llama-cli", 0),
    "llama-swap --config c.yaml --listen :9292": (ServerKind.LLAMA_SWAP, "llama-swap", 9292),
    "/v/bin/python3 /v/bin/vllm serve acme/wise --port 8010": (ServerKind.VLLM, "vllm serve", 8010),
    "/v/bin/python3 /v/bin/vllm bench": (None, "vllm", 0),
    "python -X dev -u -m vllm.entrypoints.openai.api_server --port 8002": (
        ServerKind.VLLM,
        "python -m vllm.entrypoints.openai.api_server",
        8002,
    ),
    "python3.12 -m sglang.launch_server --model-path a": (
        ServerKind.SGLANG,
        "python -m sglang.launch_server",
        30000,
    ),
    "/opt/LM-Studio/lm-studio --no-sandbox": (ServerKind.LM_STUDIO, "lm-studio", 1234),
    "/opt/LM-Studio/lm-studio --type=gpu-process": (None, "lm-studio", 0),
    "lms ps": (None, "lms", 0),
    "python /home/me/text-generation-webui/server.py --listen --api --api-port 5001": (
        ServerKind.TEXTGEN,
        "python server.py",
        5001,
    ),
    "python /home/me/shop/server.py": (None, "python server.py", 0),
    "python -c print(1)": (None, "python", 0),
    "bash": (None, "bash", 0),
}


@pytest.mark.parametrize("line", STARTED)
def test_a_command_line_tells_the_server_and_where_it_listens(line: str) -> None:
    kind, told, port = STARTED[line]
    argv = line.split()
    assert kind_of(argv, lambda: "/home/me") is kind
    assert short(argv) == told
    if kind:
        assert declared(kind, argv).port == port


@pytest.mark.parametrize("argv", [[], [""], ["python"], ["python", "-m"], ["\x1b[31m/x"], ["x" * 500]])
def test_odd_command_lines_are_no_trouble(argv: list[str]) -> None:
    assert kind_of(argv, lambda: "") is None
    assert short(argv).isprintable()
    assert len(short(argv)) < 50
