"""What a repository on the hub has, as huggingface_hub reads it."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.library.download import Remote
from tui_chat.library.errors import DownloadError

if TYPE_CHECKING:
    from huggingface_hub.errors import HfHubHTTPError
    from huggingface_hub.hf_api import HfApi, ModelInfo

TIMEOUT_S = 15.0
_PUBLIC = "https://huggingface.co"
_LOG_IN = "log in with `hf auth login`, or set HF_TOKEN to a token of yours"


@dataclass(frozen=True, slots=True, order=True)
class HubFile:
    """A file in a repository. `size` is in bytes; `sha256` is empty where the hub gives none."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository as it is now.

    Attributes:
        commit: What it was when it was read; files are taken from there and from nowhere later.
        files: Its GGUF files.
        parameters: As the hub counted them in one of the files, 0 if it did not.
    """

    name: str
    commit: str
    files: tuple[HubFile, ...]
    parameters: int = 0

    def remote(self, file: HubFile) -> Remote:
        """Where a file is, with what it takes to be given it."""
        from huggingface_hub import hf_hub_url
        from huggingface_hub.utils import build_hf_headers

        url = hf_hub_url(self.name, file.path, revision=self.commit, endpoint=endpoint())
        return Remote(url, file.size, server_name(), build_hf_headers(library_name="tui-chat"))


def endpoint() -> str:
    """The hub in force: ``HF_ENDPOINT``, or the public one."""
    return (os.environ.get("HF_ENDPOINT") or _PUBLIC).rstrip("/")


def server_name() -> str:
    """What a person calls the hub."""
    return urlsplit(endpoint()).netloc or endpoint()


def read_repository(name: str) -> Repository:
    """Ask the hub what is in the repository `name`.

    Raises:
        DownloadError: It is not there, not for us, or the hub cannot be reached.
    """
    with hub_trouble(name):
        from huggingface_hub import HfApi

        logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
        api = HfApi(endpoint=endpoint(), library_name="tui-chat")
        info = api.model_info(name, files_metadata=True, timeout=TIMEOUT_S)
        if info.sha is None:
            raise ValueError("it does not say which commit it is")
        files = tuple(_files(api, name, info))
    return Repository(name, info.sha, files, _parameters(info))


def _files(api: HfApi, name: str, info: ModelInfo) -> Iterator[HubFile]:
    for sibling in info.siblings or ():
        if not sibling.rfilename.lower().endswith(".gguf") or not _stays_inside(sibling.rfilename):
            continue
        size, sha256 = sibling.size, sibling.lfs.sha256 if sibling.lfs else ""
        if size is None or not sha256:
            size, sha256 = _looked_up(api, name, info.sha, sibling.rfilename)
        yield HubFile(sibling.rfilename, size, sha256)


def _looked_up(api: HfApi, name: str, commit: str | None, path: str) -> tuple[int, str]:
    """Ask for one file what a list without sizes left out; a large file's ETag is its SHA-256."""
    from huggingface_hub import hf_hub_url

    url = hf_hub_url(name, path, revision=commit, endpoint=endpoint())
    found = api.get_hf_file_metadata(url=url, timeout=TIMEOUT_S)
    if found.size is None:
        raise ValueError(f"it does not say how large {path} is")
    etag = found.etag or ""
    is_hash = len(etag) == 64 and all(letter in "0123456789abcdef" for letter in etag)
    return found.size, etag if is_hash else ""


def _stays_inside(path: str) -> bool:
    """Whether a path that the hub gives is one below the folder that it will be put into."""
    pure = PurePosixPath(path)
    return not pure.is_absolute() and ".." not in pure.parts and "\\" not in path and path.isprintable()


def _parameters(info: ModelInfo) -> int:
    total = (info.gguf or {}).get("total", 0)
    return total if isinstance(total, int) and total > 0 else 0


@contextmanager
def hub_trouble(name: str) -> Iterator[None]:
    """Turn whatever huggingface_hub raises into a `DownloadError` about the repository `name`."""
    from httpx2 import HTTPError, TimeoutException  # what huggingface_hub speaks HTTP with, and raises
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    try:
        yield
    except OfflineModeIsEnabled as error:
        what = "HF_HUB_OFFLINE is set, so that no hub may be asked."
        raise _error(what, "Unset it, or copy the file into the models folder.") from error
    except HfHubHTTPError as error:
        raise _refused(name, error) from error
    except TimeoutException as error:
        what = f"{server_name()} gave no answer for {TIMEOUT_S:g} s."
        raise _error(what, "Try again later, or set HF_ENDPOINT to a mirror.") from error
    except (HTTPError, OSError) as error:
        what = f"{server_name()} cannot be reached ({error})."
        raise _error(what, "Look after your network, or set HF_ENDPOINT to a mirror.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        what = f"{server_name()} answered with something that is no list of files ({error})."
        raise _error(what, "Try again later; if HF_ENDPOINT is set, make sure that it is a hub.") from error


def refused(name: str, status: int) -> DownloadError:
    """Say what an HTTP status means that stands in the way of a file of the repository `name`."""
    if status in (401, 403, 404):
        what = f"{server_name()} does not let you have {name} (it answered {status})."
        return _error(what, f"Ask its owner for access, and {_LOG_IN}.")
    if status == 429:
        return _error(f"{server_name()} has had too many requests from here.", "Wait a few minutes.")
    return _error(f"{server_name()} answered {status}.", "Try again later.")


def _refused(name: str, error: HfHubHTTPError) -> DownloadError:
    """Say why the hub does not show the repository `name`: a missing one, and a private one, get a 401."""
    from huggingface_hub.errors import GatedRepoError

    status = error.response.status_code
    if isinstance(error, GatedRepoError):
        what = f"{name} is gated: its owner wants its terms accepted."
        return _error(what, f"Accept them on {endpoint()}/{name}, and {_LOG_IN}.")
    if "Invalid" in error.response.headers.get("X-Error-Message", ""):
        return _error(f"{server_name()} does not know your token.", f"Get a new one: {_LOG_IN}.")
    if status in (401, 404):
        what = f"{server_name()} has no repository {name}, or shows it to members only."
        return _error(what, f"Check the name; if it is private, {_LOG_IN}.")
    return refused(name, status)


def _error(what: str, remedy: str) -> DownloadError:
    return DownloadError(Problem(code=ProblemCode.DOWNLOAD_FAILED, what=what, remedy=remedy))
