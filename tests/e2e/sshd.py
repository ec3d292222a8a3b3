"""A real SSH server on the loopback, for one user and one test, with keys of its own."""

from __future__ import annotations

import contextlib
import getpass
import os
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.tmux import PATIENCE_S, TUI_CHAT
from tests.ports import free_port

CARRIED = ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR")
"""What a login would set; here it leads into the test's home."""

CONFIG = """
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/user_key.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
"""


@dataclass(frozen=True)
class Line:
    """How to get to the server."""

    folder: Path
    port: int

    def tui_chat(self, *arguments: str) -> list[str]:
        """The command that runs `tui-chat` at the other end, in a terminal there.

        ssh is the child of a shell, because tmux would wake up its own child whenever that is stopped.
        """
        settings = [f"{name}={os.environ[name]}" for name in CARRIED]
        there = shlex.join(["env", *settings, TUI_CHAT, *arguments])
        options = ("StrictHostKeyChecking=no", f"UserKnownHostsFile={self.folder}/known", "LogLevel=ERROR")
        words = [word for option in options for word in ("-o", option)]
        key = str(self.folder / "user_key")
        whom = f"{getpass.getuser()}@127.0.0.1"
        ssh = ["ssh", "-F", "none", "-tt", "-i", key, "-p", str(self.port), *words, whom, there]
        return ["sh", "-c", f"{shlex.join(ssh)}; exit $?"]


@contextlib.contextmanager
def ssh_server(folder: Path) -> Iterator[Line]:
    """Run a server with its files in `folder` until the end of the block."""
    program = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program, "sshd is missing; .ci/run installs it"
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # it insists on this; a booted system makes it
    for name in ("host_key", "user_key"):
        make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(make, check=True)
    port = free_port()
    config = folder / "sshd_config"
    config.write_text(CONFIG.format(port=port, folder=folder))
    log = folder / "sshd.log"
    with subprocess.Popen([program, "-D", "-f", str(config), "-E", str(log)]) as server:
        try:
            _wait_until_it_listens(server, port, log)
            yield Line(folder, port)
        finally:
            server.terminate()


def _wait_until_it_listens(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.02)
