"""A hub on this machine: Hugging Face's API shape over real HTTP, with a CDN behind it and all its troubles.

The CDN is the same server under another host name, so that a client that sends its token along is seen.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Self
from urllib.parse import parse_qs, quote, unquote, urlsplit

COMMIT = "c0ffee" + "0" * 34


@dataclass
class HubServer:
    """Serves one repository.

    Attributes:
        files: Content by path.
        parameters: As the hub counts them.
        blobs: Whether the list of files tells sizes and hashes.
        token: If set, the one that opens the repository; it is gated then.
        api_answer: What the API answers instead: a status, or a body that is no JSON.
        complaint: What it says to that in ``X-Error-Message``.
        cdn_answers: Statuses for the next requests of files, one each.
        cuts: Bytes after which the next transfers break, one each.
        pause_at: Bytes after which a transfer waits for `go_on`.
        resumes: Whether ranges are honoured.
        promised: What the hub says of a file's hash, where that is not the truth.
        ranges, asked: The ``Range`` and the path of each request for a file, as it came.
        strangers: Files that somebody asked the CDN for with a token.
        sent: Bytes of files that went out.
    """

    files: dict[str, bytes]
    name: str = "acme/wise-GGUF"
    parameters: int = 0
    blobs: bool = True
    token: str = ""
    api_answer: HTTPStatus | bytes | None = None
    complaint: str = ""
    cdn_answers: list[HTTPStatus] = field(default_factory=list)
    cuts: list[int] = field(default_factory=list)
    pause_at: int | None = None
    paused: Event = field(default_factory=Event)
    go_on: Event = field(default_factory=Event)
    resumes: bool = True
    promised: dict[str, str] = field(default_factory=dict)
    ranges: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)
    sent: int = 0

    def __enter__(self) -> Self:
        hub = self

        class Handler(_Handler):
            served = hub

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
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def cdn(self) -> str:
        return f"http://localhost:{self._server.server_port}/cdn"

    @property
    def environ(self) -> dict[str, str]:
        """What leads huggingface_hub, and so us, to this hub and past any proxy."""
        return {"HF_ENDPOINT": self.endpoint, "NO_PROXY": "127.0.0.1,localhost"}

    def hash(self, path: str) -> str:
        return self.promised.get(path) or hashlib.sha256(self.files[path]).hexdigest()


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """A client that hangs up is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    served: HubServer
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        path, hub = unquote(address.path), self.served
        if path.startswith("/cdn/"):
            self._send_file(path.removeprefix("/cdn/"))
            return
        if hub.token and self.headers.get("Authorization") != f"Bearer {hub.token}":
            told = {"X-Error-Code": "GatedRepo", "X-Error-Message": f"Access to {hub.name} is restricted."}
            self._send(HTTPStatus.UNAUTHORIZED, b'{"error": "gated"}', told)
        elif path in (f"/api/models/{hub.name}", f"/api/models/{hub.name}/revision/{COMMIT}"):
            self._send_list("true" in parse_qs(address.query.lower()).get("blobs", []))
        elif path.startswith(f"/{hub.name}/resolve/{COMMIT}/"):
            self._redirect(path.removeprefix(f"/{hub.name}/resolve/{COMMIT}/"))
        else:
            told = {"X-Error-Code": "RepoNotFound", "X-Error-Message": "Repository not found"}
            self._send(HTTPStatus.NOT_FOUND, b'{"error": "Repository not found"}', told)

    def _send_list(self, blobs: bool) -> None:
        hub = self.served
        self.served.agents.add(self.headers.get("User-Agent", "").partition("/")[0])
        if isinstance(hub.api_answer, HTTPStatus):
            told = {"X-Error-Message": hub.complaint} if hub.complaint else {}
            self._send(hub.api_answer, b'{"error": "no"}', told)
            return
        siblings = [
            {"rfilename": path}
            if not (blobs and hub.blobs)
            else {
                "rfilename": path,
                "size": len(content),
                "blobId": "0" * 40,
                "lfs": {"sha256": hub.hash(path), "size": len(content), "pointerSize": 135},
            }
            for path, content in hub.files.items()
        ]
        info = {"id": hub.name, "modelId": hub.name, "sha": COMMIT, "siblings": siblings, "tags": ["gguf"]}
        if hub.parameters:
            info["gguf"] = {"total": hub.parameters, "architecture": "llama"}
        self._send(HTTPStatus.OK, hub.api_answer or json.dumps(info).encode())

    def _redirect(self, path: str) -> None:
        hub = self.served
        if path not in hub.files:
            self._send(HTTPStatus.NOT_FOUND, b"", {"X-Error-Code": "EntryNotFound"})
            return
        told = {
            "Location": f"{hub.cdn}/{quote(path)}?Signature=secret-of-the-cdn",
            "X-Repo-Commit": COMMIT,
            "X-Linked-Size": str(len(hub.files[path])),
            "X-Linked-Etag": f'"{hub.hash(path)}"',
            "ETag": f'"{hub.hash(path)}"',
        }
        self._send(HTTPStatus.FOUND, b"", told)

    def _send_file(self, path: str) -> None:
        hub = self.served
        if self.headers.get("Authorization"):
            hub.strangers.append(path)
        asked = self.headers.get("Range", "")
        hub.ranges.append(asked)
        hub.asked.append(path)
        if hub.cdn_answers:
            self._send(hub.cdn_answers.pop(0), b"<html>no</html>")
            return
        content = hub.files[path]
        start, end = 0, len(content)
        if asked and hub.resumes:
            first, _, last = asked.removeprefix("bytes=").partition("-")
            start, end = int(first), min(int(last) + 1 if last else end, end)
        partial = asked and hub.resumes
        self.send_response(HTTPStatus.PARTIAL_CONTENT if partial else HTTPStatus.OK)
        if partial:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(content)}")
        self.send_header("Content-Length", str(end - start))
        self.end_headers()
        self._pour(content, start, end)

    def _pour(self, content: bytes, start: int, end: int) -> None:
        hub = self.served
        whole = not hub.ranges[-1] or hub.ranges[-1].endswith("-")
        cut = start + hub.cuts.pop(0) if hub.cuts and whole else end
        stop = min(cut, hub.pause_at) if hub.pause_at is not None and whole else cut
        for begin, until in ((start, max(start, stop)), (max(start, stop), cut)):
            if begin != start and begin < until:
                hub.paused.set()
                hub.go_on.wait()
            for at in range(begin, until, 1 << 16):
                hub.sent += self.wfile.write(content[at : min(at + (1 << 16), until)])
        if cut < end:
            self.close_connection = True

    def _send(self, status: HTTPStatus, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""
