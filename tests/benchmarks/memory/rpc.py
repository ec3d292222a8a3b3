"""Two devices on any machine: ggml's RPC backend, which a release of llama-cpp-python leaves out.

It is compiled from the source distribution of the installed version, against the installed libraries.
Server processes then offer this machine's CPU, and llama.cpp takes each for a GPU of its own.
Run as ``python -m … LIBRARY ENDPOINT`` it is such a server.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.metadata
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.benchmarks.harness import BUILD
from tests.benchmarks.memory.files import QUIET

PACKAGE = "llama-cpp-python"
SOURCES = ("ggml-rpc.cpp", "transport.cpp")
_CPU = 0
"""``GGML_BACKEND_DEVICE_TYPE_CPU``"""
_PATIENCE_S = 20.0
_FETCH_S = 300.0


class NoLabError(Exception):
    """There cannot be two devices here; the message says why."""


def build() -> Path:
    """Compile the backend into ``build/rpc``, once per version.

    Raises:
        NoLabError: There is no compiler, or the source could not be had.
    """
    version = importlib.metadata.version(PACKAGE)
    library = BUILD / "rpc" / f"libggml-rpc-{version}.so"
    if library.is_file():
        return library
    compiler = shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        raise NoLabError("there is no C++ compiler")
    library.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=library.parent) as folder:
        ggml = _unpack(_source(version, library.parent), Path(folder))
        made = Path(folder, "made.so")
        defines = ("GGML_BACKEND_DL", "GGML_BACKEND_SHARED", "GGML_BACKEND_BUILD", "GGML_SHARED")
        command = [compiler, "-O1", "-std=c++17", "-shared", "-fPIC", *(f"-D{name}" for name in defines)]
        command += [f"-I{ggml / 'include'}", f"-I{ggml / 'src'}", "-o", str(made)]
        command += [str(ggml / "src" / "ggml-rpc" / name) for name in SOURCES]
        command += [str(_libraries() / "libggml-base.so.0"), f"-Wl,-rpath,{_libraries()}"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise NoLabError(f"the RPC backend does not compile: {_last(done.stderr)}")
        made.replace(library)
    return library


def _source(version: str, folder: Path) -> Path:
    """The source distribution, from the user's package index as pip is set up for it."""
    archive = folder / f"{PACKAGE.replace('-', '_')}-{version}.tar.gz"
    if not archive.is_file():
        command = [
            sys.executable,
            "-m",
            "pip",
            "--disable-pip-version-check",
            "download",
            "--quiet",
            "--no-deps",
        ]
        command += ["--no-binary", PACKAGE, f"{PACKAGE}=={version}", "--dest", str(folder)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_FETCH_S)
        except subprocess.TimeoutExpired as error:
            raise NoLabError("the package index does not answer") from error
        if done.returncode or not archive.is_file():
            raise NoLabError(f"there is no source of {PACKAGE} {version}: {_last(done.stderr)}")
    return archive


def _unpack(archive: Path, folder: Path) -> Path:
    with tarfile.open(archive) as source:
        wanted = [member for member in source if "/vendor/llama.cpp/ggml/" in member.name]
        source.extractall(folder, wanted, filter="data")
    return next(folder.glob("*/vendor/llama.cpp/ggml"))


def _libraries() -> Path:
    return Path(str(importlib.metadata.distribution(PACKAGE).locate_file("llama_cpp/lib")))


def _last(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "no reason given"


@contextlib.contextmanager
def serving(library: Path, count: int) -> Iterator[tuple[str, ...]]:
    """Start `count` servers of one device each; yields their endpoints."""
    with contextlib.ExitStack() as servers:
        yield tuple(servers.enter_context(_serving(library)) for _ in range(count))


@contextlib.contextmanager
def _serving(library: Path) -> Iterator[str]:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    endpoint = f"127.0.0.1:{port}"
    command = [sys.executable, "-m", __spec__.name, str(library), endpoint]
    server = subprocess.Popen(command, env=QUIET, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(server, port)
        yield endpoint
    finally:
        server.kill()
        server.wait()


def _wait(server: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise NoLabError("the RPC server does not listen")


def attach(library: Path, endpoints: Sequence[str]) -> None:
    """Give llama.cpp in this process the devices at `endpoints`, in their order."""
    registry, remote = ctypes.CDLL(str(_libraries() / "libggml.so.0")), ctypes.CDLL(str(library))
    remote.ggml_backend_rpc_add_server.restype = ctypes.c_void_p
    remote.ggml_backend_rpc_add_server.argtypes = [ctypes.c_char_p]
    registry.ggml_backend_register.argtypes = [ctypes.c_void_p]
    for endpoint in endpoints:
        registry.ggml_backend_register(remote.ggml_backend_rpc_add_server(endpoint.encode()))


def serve(library: Path, endpoint: str) -> None:
    """Serve this machine's CPU; does not return."""
    from tui_chat.backends.llamacpp.worker.native import lib

    lib.llama_backend_init()
    registry, remote = ctypes.CDLL(str(_libraries() / "libggml.so.0")), ctypes.CDLL(str(library))
    registry.ggml_backend_dev_by_type.restype = ctypes.c_void_p
    devices = (ctypes.c_void_p * 1)(registry.ggml_backend_dev_by_type(_CPU))
    start = remote.ggml_backend_rpc_start_server
    start.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_void_p]
    start(endpoint.encode(), None, 1, 1, devices)


if __name__ == "__main__":
    serve(Path(sys.argv[1]), sys.argv[2])
