"""The user's own package index, asked through the user's own pip.

pip knows where packages come from here: its configuration files, environment, mirrors, proxies,
certificates and passwords. So pip is asked for the address, and, where that address cannot be
fetched directly, for the file.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tui_chat.library.progress import FetchError, Progress

_QUIET = ("--disable-pip-version-check", "--no-input", "--no-cache-dir")


def locate(package: str, wheel: str, progress: Progress) -> str | None:
    """Return the address that the index gives for `wheel`, or None where there is none to fetch from.

    pip tells the addresses only in its verbose log; that line has been the same since pip 21.2. A
    dry run with a report would be the documented way, but it downloads the whole file first.
    """
    said = _run([*_pip(), "index", "versions", package, "-vv", *_QUIET], progress)
    links = re.findall(rf"Found link (https?://\S+/{re.escape(wheel)})[#\s]", said.stdout)
    return next((link for link in links if "****" not in link), None)


def download(package: str, version: str, wheel: str, folder: Path, progress: Progress) -> Path:
    """Let pip put `wheel` into `folder`: slower to start, not resumable, but it can log in anywhere."""
    command = ["download", f"{package}=={version}", "--no-deps", "--only-binary=:all:", "-d", str(folder)]
    said = _run([*_pip(), *command, *_QUIET, "--progress-bar=off"], progress)
    path = folder / wheel
    if not path.is_file():
        tail = [line for line in said.stdout.splitlines() if line.strip()][-12:]
        why = next((line for line in reversed(tail) if line.startswith("ERROR")), "pip gave no reason")
        what = f"Your package index did not give {package} {version} ({why.removeprefix('ERROR: ')})."
        raise FetchError(what, "\n".join(tail))
    return path


def _pip() -> list[str]:
    """The command that runs pip: our environment's, uv's (whose environments have none), the user's."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    for tool, command in (("uv", ["tool", "run", "pip"]), ("pip3", []), ("pip", [])):
        found = shutil.which(tool)
        if found:
            return [found, *command]
    raise FetchError("Neither pip nor uv is installed, and one of them is needed to find your package index.")


def _run(command: list[str], progress: Progress) -> subprocess.CompletedProcess[str]:
    """Run a tool to its end, with both its outputs as one text; cancelling kills it."""
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    index = os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("UV_INDEX_URL")
    if index:
        environment.setdefault("PIP_INDEX_URL", index)
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=environment,
    ) as process:
        while True:
            try:
                output, _ = process.communicate(timeout=0.2)
                return subprocess.CompletedProcess(command, process.returncode, output)
            except subprocess.TimeoutExpired:
                try:
                    progress.check()
                except FetchError:
                    process.kill()
                    raise
