"""Processes that really are called as servers are, and a real llama.cpp server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

SERVER = '''
"""Answers GETs from ANSWERS with what stands there, and everything else with 404; says its port."""
import http.server, json, os, subprocess, sys

ANSWERS = json.loads(os.environ["ANSWERS"])
CHILD = json.loads(os.environ.pop("CHILD", "null"))


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        status, body = ANSWERS.get(self.path, (404, "nothing here"))
        self.send_response(status)
        self.end_headers()
        self.wfile.write((body if isinstance(body, str) else json.dumps(body)).encode())

    def log_message(self, *args):
        pass


said = {}
if CHILD:
    environment = {**os.environ, "ANSWERS": json.dumps(CHILD["answers"])}
    child = subprocess.Popen(CHILD["argv"], executable=os.environ["PYTHON"], cwd=CHILD["folder"],
        env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    said["child"] = json.loads(child.stdout.readline())
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(json.dumps({"pid": os.getpid(), "port": server.server_port, **said}), flush=True)
server.serve_forever()
'''
LLAMA = """
import json, os, sys
import xllamacpp

parameters = xllamacpp.CommonParams()
parameters.model.path = sys.argv[1]
parameters.n_ctx, parameters.n_parallel, parameters.ui, parameters.offline = 512, 1, False, True
parameters.hostnames, parameters.port, parameters.cpuparams.n_threads = ["127.0.0.1"], 0, 1
parameters.api_keys = sys.argv[2:]
server = xllamacpp.Server(parameters)
port = int(server.listening_address.rpartition(":")[2])
print(json.dumps({"pid": os.getpid(), "port": port}), flush=True)
sys.stdin.read()
"""
TORCH = """
import json, mmap, os, sys

with open(sys.argv[1], "rb") as file:
    mapped = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
print(json.dumps({"pid": os.getpid(), "port": 0}), flush=True)
sys.stdin.read()
"""


@dataclass(frozen=True)
class Running:
    """A process, where it listens, and what it started."""

    pid: int
    port: int
    child: Mapping[str, int]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def running(argv: Sequence[str], folder: Path, **environment: object) -> Iterator[Running]:
    """Run Python as if it were called `argv`; give it when it has said that it is ready."""
    variables = {name: json.dumps(value) for name, value in environment.items()}
    process = subprocess.Popen(
        argv,
        executable=sys.executable,
        cwd=folder,
        env={**os.environ, **variables, "PYTHON": sys.executable},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin
    assert process.stdout
    try:
        said = json.loads(process.stdout.readline())
        yield Running(said["pid"], said["port"], said.get("child", {}))
    finally:
        for each in (*psutil.Process(process.pid).children(recursive=True), process):
            each.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def script(path: Path, text: str = SERVER) -> Path:
    """Write a script, with the folders that it is in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@contextmanager
def llama_cpp(model: Path, folder: Path, *keys: str) -> Iterator[Running]:
    """Run llama.cpp's own server, as a library of Python's, that lets in those with one of `keys`."""
    path = script(folder / "serve_llama.py", LLAMA)
    with running([sys.executable, str(path), str(model), *keys], folder) as server:
        yield server
