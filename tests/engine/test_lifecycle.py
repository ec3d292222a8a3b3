"""One engine per user and machine: found, replaced when dead or old, private, and gone when idle."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys

import pytest

from tests.homes import Home
from tests.worker.support import PATIENCE_S, eventually
from tui_chat import __version__
from tui_chat.chat.ids import new_id
from tui_chat.chat.model import ProblemCode, Role, Sampling
from tui_chat.client.engine import EngineClient
from tui_chat.client.errors import EngineError
from tui_chat.client.launch import ensure_engine, start_engine
from tui_chat.store.files import is_alive
from tui_chat.wire.api import GenerateRequest, Turn
from tui_chat.wire.events import Delta

OLD = """
import sys, tui_chat, tui_chat.wire.api as api
tui_chat.__version__, api.PROTOCOL = "0.0.1", {protocol}
from tui_chat.engine.__main__ import main
sys.argv = ["engine", "--detach"]
sys.exit(main())
"""

NEGLECTFUL = """
import ctypes, subprocess, sys
PR_SET_CHILD_SUBREAPER = 36
assert ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1) == 0
for verb in ("start", "stop"):
    subprocess.run([sys.executable, "-m", "tui_chat", "engine", verb], check=True)
"""


async def info_of(home: Home) -> tuple[int, str]:
    client = EngineClient(home.paths.socket)
    info = await ensure_engine(client)
    await client.close()
    return info.pid, info.version


async def test_many_starts_at_once_find_one_engine(home: Home) -> None:
    found = await asyncio.gather(*(info_of(home) for _ in range(6)))
    assert len(set(found)) == 1
    assert len([p for p in home.processes() if "tui_chat.engine" in p.cmdline()]) == 1


async def test_what_a_dead_engine_left_is_replaced(home: Home) -> None:
    first, _ = await info_of(home)
    os.kill(first, 9)
    await eventually(lambda: not is_alive(first))
    assert home.paths.socket.exists(), "a killed engine cannot tidy up"
    second, _ = await info_of(home)
    assert second != first


@pytest.mark.parametrize("environment", [False, True], ids=["file", "environment"])
async def test_the_engine_leaves_by_itself_and_tidies_up(
    home: Home, monkeypatch: pytest.MonkeyPatch, environment: bool
) -> None:
    """As its settings say, whether the file or the environment of who starts it does."""
    home.configure(f"[engine]\nidle_exit_s = {600 if environment else 0.3}\n")
    if environment:
        monkeypatch.setenv("TUI_CHAT_ENGINE_IDLE_EXIT_S", "0.3")
    await start_engine()  # and ask it nothing: it may have left before that
    assert await asyncio.to_thread(home.wait_for_end, PATIENCE_S)
    assert (home.paths.logs / "engine.log").exists()
    assert list(home.paths.runtime.iterdir()) == []


async def test_an_idle_engine_of_another_version_is_replaced(home: Home) -> None:
    subprocess.run([sys.executable, "-c", OLD.format(protocol=1)], check=True)
    client = EngineClient(home.paths.socket)
    old = await client.info()
    assert old.version == "0.0.1"
    new = await ensure_engine(client)
    await client.close()
    assert (new.version, new.pid != old.pid) == (__version__, True)


async def test_a_busy_engine_of_another_protocol_is_left_alone_and_said(home: Home) -> None:
    subprocess.run([sys.executable, "-c", OLD.format(protocol=99)], check=True)
    client = EngineClient(home.paths.socket)
    request = GenerateRequest(
        id=new_id(),
        model="SmolLM2",
        turns=(Turn(Role.USER, "Write a very long story."),),
        sampling=Sampling(max_tokens=2000),
    )
    await client.generate(request)
    async for numbered in client.follow(request.id):
        if isinstance(numbered.event, Delta):
            break
    with pytest.raises(EngineError) as caught:
        await ensure_engine(client)
    assert caught.value.problem.code is ProblemCode.ENGINE_MISMATCH
    assert (await client.info()).version == "0.0.1"
    await client.close()


async def test_other_users_are_hung_up_on(home: Home) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can become another user")
    await info_of(home)
    for folder in (home.root, home.root / "run", home.paths.runtime):
        folder.chmod(0o711)
    home.paths.socket.chmod(0o666)
    script = (
        "import os, socket, sys; os.setuid(65534)\n"
        "s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])\n"
        "try:\n s.sendall(b'GET /v1/engine HTTP/1.1\\r\\nHost: e\\r\\n\\r\\n'); print(len(s.recv(100)))\n"
        "except OSError: print(0)"
    )
    command = [sys.executable, "-I", "-c", script, str(home.paths.socket)]
    refused = subprocess.run(command, capture_output=True, text=True)
    assert refused.stdout.strip() == "0", refused
    with socket.socket(socket.AF_UNIX) as own:
        own.connect(str(home.paths.socket))
        own.sendall(b"GET /v1/engine HTTP/1.1\r\nHost: e\r\n\r\n")
        assert own.recv(100).startswith(b"HTTP/1.1 200")


async def test_the_socket_is_private(home: Home) -> None:
    await info_of(home)
    assert home.paths.runtime.stat().st_mode & 0o777 == 0o700
    assert home.paths.socket.stat().st_mode & 0o077 == 0


async def test_a_runtime_folder_of_somebody_else_is_refused(home: Home) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can give a folder away")
    home.paths.runtime.mkdir(parents=True)
    os.chown(home.paths.runtime, 65534, 65534)
    with pytest.raises(EngineError) as caught:
        await info_of(home)
    assert "folder" in caught.value.problem.what
    home.paths.runtime.rmdir()


def test_status_start_stop_logs(home: Home) -> None:
    assert home.run("engine", "status").returncode == 1
    assert "pid" in home.run("engine", "start").stdout
    status = home.run("engine", "status")
    assert status.returncode == 0
    assert "no model in memory" in status.stdout
    assert "engine" in home.run("engine", "logs").stdout
    assert "stopped" in home.run("engine", "stop").stdout
    assert "not running" in home.run("engine", "stop").stdout


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process stand in for process 1")
def test_an_engine_that_has_left_is_gone_although_nobody_buries_it(home: Home) -> None:
    """As in a container whose first process does not wait for those it inherits."""
    done = subprocess.run([sys.executable, "-c", NEGLECTFUL], text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert "has stopped" in done.stdout
