"""A model from the hub into the models folder: resumed where it stopped, proven by its checksum.

huggingface_hub says what there is, where, and who we are; the bytes are ours to fetch, because its own
download throws away what it has when it is interrupted (2.4 does), and proves only the length.
"""

from __future__ import annotations

import glob
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.library.download import Remote, UnreachableError, download
from tui_chat.library.errors import DownloadCancelledError, DownloadError, disk_trouble
from tui_chat.library.hub.choices import Choice
from tui_chat.library.hub.repository import HubFile, Repository, refused
from tui_chat.library.parts import check_space, hash_of, is_whole, only_one, size_of, sync_folder
from tui_chat.library.progress import FetchCancelledError, FetchError, Progress
from tui_chat.library.remote import fetch_header
from tui_chat.library.sources.huggingface import hub_cache
from tui_chat.wire.words import size

FETCHING = "Fetching"

Listener = Callable[[int, int, str], None]


def cached_path(repository: Repository, choice: Choice) -> Path | None:
    """The model's first file in the Hugging Face cache, if all of it is there in this version."""
    from huggingface_hub import try_to_load_from_cache

    found = [
        try_to_load_from_cache(repository.name, file.path, hub_cache(), repository.commit)
        for file in choice.files
    ]
    paths = [Path(path) for path in found if isinstance(path, str)]
    whole = len(paths) == len(found) and [size_of(p) for p in paths] == [f.size for f in choice.files]
    return paths[0] if whole else None


@contextmanager
def fetch_first_header(repository: Repository, choice: Choice) -> Iterator[Path]:
    """Give a file with the header of the model's first file, before the model is here (see `fetch_header`).

    Raises:
        DownloadError: The hub did not give it.
        GgufError: It is no GGUF file that can be used.
    """
    file = choice.files[0]
    try:
        with fetch_header(repository.remote(file), PurePosixPath(file.path).name) as path:
            yield path
    except (FetchError, OSError) as error:
        raise DownloadError(_trouble(error, repository, choice, Path(tempfile.gettempdir()))) from error


def fetch_choice(
    repository: Repository,
    choice: Choice,
    folder: Path,
    on_progress: Listener,
    cancel: threading.Event | None = None,
) -> Path:
    """Put the files of `choice` below ``folder/OWNER/REPO`` and return the first one's path.

    Files that are there already are proven and left alone. Blocks; `on_progress` is called in this
    thread with (bytes done, bytes in all, stage). Setting `cancel` from another thread ends it with the
    next bytes, at the latest after 10 s of silence.

    Raises:
        DownloadError: It could not be had; what was fetched is kept for the next try.
    """
    targets = _targets(repository, choice, folder)
    cancel = cancel or threading.Event()
    try:
        _check_space(folder, targets)
        before = 0
        for file, target in targets:
            progress = Progress(_shifted(on_progress, before, choice.size), cancel)
            _fetch_file(repository.remote(file), file, target, progress)
            before += file.size
    except FetchCancelledError as error:
        raise DownloadCancelledError(
            _problem("The download was stopped.", repository, choice, folder)
        ) from error
    except (FetchError, OSError) as error:
        raise DownloadError(_trouble(error, repository, choice, folder)) from error
    return targets[0][1]


def _shifted(listener: Listener, before: int, total: int) -> Listener:
    """Tell one file's fetching as a part of the whole; its checking as what it is."""

    def tell(done: int, size: int, stage: str) -> None:
        if stage == FETCHING:
            listener(before + done, total, stage)
        else:
            listener(done, size, stage)

    return tell


def _check_space(folder: Path, targets: list[tuple[HubFile, Path]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    missing = [file.size - size_of(part_of(file, to)) for file, to in targets if size_of(to) != file.size]
    check_space(folder, sum(max(0, size) for size in missing))


def part_of(file: HubFile, target: Path) -> Path:
    """Where a file is until it is whole; another version of it has another part."""
    return target.with_name(f"{target.name}.{file.sha256[:12] or file.size}.part")


def _fetch_file(remote: Remote, file: HubFile, target: Path, progress: Progress) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if is_whole(target, file.size, file.sha256, progress) if file.sha256 else size_of(target) == file.size:
        return
    part = part_of(file, target)
    with only_one(part, target.name) as out:
        _complete(remote, file, out, progress)
        os.fsync(out.fileno())
        part.replace(target)
    sync_folder(target.parent)
    for stale in target.parent.glob(f"{glob.escape(target.name)}.*.part"):
        stale.unlink(missing_ok=True)


def _complete(remote: Remote, file: HubFile, out: BinaryIO, progress: Progress) -> None:
    """Fetch what is missing and prove the whole; what an earlier try left counts only if that is right."""
    resumed = out.seek(0, os.SEEK_END) > 0
    while True:
        if out.seek(0, os.SEEK_END) > file.size:
            out.truncate(0)
        progress.tell(out.seek(0, os.SEEK_END), file.size, FETCHING)
        download(remote, out, progress, FETCHING)
        out.flush()
        if not file.sha256 or hash_of(out, file.size, progress) == file.sha256:
            return
        out.truncate(0)
        if not resumed:
            raise FetchError(
                f"What {remote.server} sent for {file.path} is not what it promises: "
                "the checksum differs. It was thrown away."
            )
        resumed = False


def _trouble(error: FetchError | OSError, repository: Repository, choice: Choice, folder: Path) -> Problem:
    if isinstance(error, OSError):
        return _problem(disk_trouble(folder, error), repository, choice, folder)
    if isinstance(error, UnreachableError) and error.status is not None:
        return refused(repository.name, error.status).problem
    return _problem(str(error), repository, choice, folder)


def _problem(what: str, repository: Repository, choice: Choice, folder: Path) -> Problem:
    targets = _targets(repository, choice, folder)
    have = sum(size_of(part_of(file, to)) + size_of(to) for file, to in targets)
    return Problem(
        code=ProblemCode.DOWNLOAD_FAILED,
        what=what,
        kept=f"{size(have)} are kept; the next try goes on from there." if have else "",
        remedy=f"Try again with: tui-chat models get hf:{repository.name}/{choice.files[0].path}",
    )


def _targets(repository: Repository, choice: Choice, folder: Path) -> list[tuple[HubFile, Path]]:
    return [(file, folder / repository.name / file.path) for file in choice.all_files]
