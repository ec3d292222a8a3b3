"""llama.cpp's own HTTP server with the real model, in a process that can really be killed.

``python -m tests.servers.llama_server MODEL PORT`` serves until its standard input ends, and so never
outlives whoever started it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx

from tests.ports import free_port

SLOTS = 2
CONTEXT = 1024
"""Tokens of each slot."""
BATCH = 128
"""Tokens it reads before it looks whether they are still wanted."""
NAME = "smollm2"
_UP_WITHIN_S = 60


class LlamaServerProcess:
    """One server, started at once; `wait` for it."""

    def __init__(self, model: Path, *, threads: int = 1) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", __spec__.name, str(model), str(self.port), str(threads)]
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet)

    def wait(self) -> LlamaServerProcess:
        """Until it has loaded its model."""
        deadline = time.monotonic() + _UP_WITHIN_S
        while not self._healthy():
            assert self.process.poll() is None, f"the server ended with {self.process.returncode}"
            assert time.monotonic() < deadline, "the server did not come up"
            time.sleep(0.02)
        return self

    def _healthy(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    def busy(self) -> int:
        """How many of its slots are writing."""
        slots = httpx.get(f"{self.url}/slots", trust_env=False).json()
        return sum(slot["is_processing"] for slot in slots)

    def kill(self) -> None:
        """With SIGKILL, as the kernel does when memory runs out."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def close(self) -> None:
        self.kill()
        assert self.process.stdin is not None
        self.process.stdin.close()


class Revived:
    """A server that is started when it is first needed, and again after it was killed."""

    def __init__(self, model: Path) -> None:
        self._model = model
        self._process: LlamaServerProcess | None = None

    def process(self) -> LlamaServerProcess:
        if self._process is None or self._process.process.poll() is not None:
            self.close()
            self._process = LlamaServerProcess(self._model)
        return self._process.wait()

    def close(self) -> None:
        if self._process is not None:
            self._process.close()


def _serve(model: str, port: int, threads: int) -> None:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = model
    params.model_alias = {NAME}
    params.n_ctx = SLOTS * CONTEXT
    params.n_parallel = SLOTS
    params.n_batch = params.n_ubatch = BATCH
    params.endpoint_metrics = True
    params.ui = False
    params.offline = True
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.cpuparams.n_threads = threads
    server = xllamacpp.Server(params)
    sys.stdin.read()
    del server
    os._exit(0)


if __name__ == "__main__":
    _serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
