"""How panels are arranged: their order, which of them are folded, how wide they are; kept in a small file."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec

from tui_chat.chat.model import ProblemCode
from tui_chat.store.errors import StoreError, disk_problem
from tui_chat.store.files import make_folder, read_regular, sweep_temporaries, write_atomic

log = logging.getLogger(__name__)

USUAL, NARROWEST, WIDEST = 30, 24, 80
"""Cells of a column of panels."""


class Arrangement(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a person made of the panels; they are known by their names.

    Attributes:
        order: From the top, as far as it was changed; names that nobody knows (any more) do no harm.
        folded: Those of which only one line is shown.
        width: Of their column, in cells.
    """

    order: tuple[str, ...] = ()
    folded: tuple[str, ...] = ()
    width: Annotated[int, msgspec.Meta(ge=NARROWEST, le=WIDEST)] = USUAL

    def ordered(self, names: Sequence[str]) -> list[str]:
        """Put `names` in order; one that is new comes after the one that it usually comes after."""
        found = [name for name in dict.fromkeys(self.order) if name in names]
        for at, name in enumerate(names):
            if name not in found:
                found.insert(found.index(names[at - 1]) + 1 if at else 0, name)
        return found

    def moved(self, name: str, past: str, names: Sequence[str]) -> Arrangement:
        """Put the panel `name` to the other side of the panel `past`."""
        order = self.ordered(names)
        to = order.index(past)
        order.remove(name)
        order.insert(to, name)
        return msgspec.structs.replace(self, order=tuple(order))

    def turned(self, name: str) -> Arrangement:
        """Fold the panel `name`, or unfold it."""
        others = tuple(each for each in self.folded if each != name)
        return msgspec.structs.replace(self, folded=others if name in self.folded else (*others, name))

    def widened(self, cells: int, most: int) -> Arrangement:
        """Give the column so many `cells` more, or take them; never more than `most`."""
        width = max(NARROWEST, min(WIDEST, most, self.width + cells))
        return msgspec.structs.replace(self, width=width)


class ArrangementFile:
    """Remembers an arrangement over restarts. Of two terminals the last one to change something wins."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def read(self) -> Arrangement:
        """Return what was kept; the usual if there is nothing, or nothing that can be read."""
        try:
            return msgspec.json.decode(read_regular(self._file)[0], type=Arrangement)
        except FileNotFoundError:
            pass
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            log.warning("%s cannot be read; panels are arranged as usual: %s", self._file, error)
        return Arrangement()

    def write(self, arrangement: Arrangement) -> None:
        """Keep `arrangement`.

        Raises:
            StoreError: The disk refused; what was kept before still is.
        """
        try:
            make_folder(self._file.parent)
            sweep_temporaries(self._file.parent)
            write_atomic(self._file, msgspec.json.encode(arrangement) + b"\n")
        except OSError as error:
            kept = "The panels stay as they are until this terminal is left."
            raise StoreError(
                disk_problem(ProblemCode.SAVE_FAILED, "remembering the panels", self._file, error, kept=kept)
            ) from error
