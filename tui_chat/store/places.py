"""Which file is which in a sessions folder. Names are checked before they become paths."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.store.errors import StoreError
from tui_chat.store.files import is_name

_JOURNAL = ".journal"


class Places:
    """The paths of one session: its file, lock and journals, and where damaged files go."""

    def __init__(self, folder: Path, id: str) -> None:
        if not is_name(id):
            raise StoreError(
                Problem(
                    code=ProblemCode.BAD_REQUEST,
                    what=f"{id!r} is no session name: those are a-z, 0-9 and -, 64 characters at most.",
                    remedy="Choose a session from the list.",
                )
            )
        self.folder = folder
        self.id = id
        self.file = folder / f"{id}.json"
        self.lock = folder / f"{id}.lock"
        self.quarantine = folder / "quarantine"
        self.trash = folder / "trash"

    def journal(self, answer_id: str) -> Path:
        """Return the journal of one answer.

        Raises:
            ValueError: `answer_id` could not be part of a file name.
        """
        if not is_name(answer_id):
            raise ValueError(f"{answer_id!r} is no message id")
        return self.folder / f"{self.id}.{answer_id}{_JOURNAL}"

    def answer_of(self, journal: Path) -> str:
        """Return the answer's id that is in the name of one of `journals`."""
        return journal.name.removeprefix(f"{self.id}.").removesuffix(_JOURNAL)

    def journals(self) -> Iterator[Path]:
        """Yield the journals that exist, in the order of their answers' ids."""
        yield from sorted(self.folder.glob(f"{self.id}.*{_JOURNAL}"))
