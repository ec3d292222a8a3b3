"""How panels are arranged survives restarts, damage and other versions."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.store.support import names
from tui_chat.store.arrangement import NARROWEST, USUAL, WIDEST, Arrangement, ArrangementFile
from tui_chat.store.errors import StoreError

PANELS = ("speed", "context", "model", "gpus", "machine")
ARRANGED = Arrangement(order=("machine", "speed"), folded=("gpus",), width=44)


def test_it_is_kept_until_the_next_one(tmp_path: Path) -> None:
    file = tmp_path / "state" / "panels" / "chat.json"
    assert ArrangementFile(file).read() == Arrangement()
    ArrangementFile(file).write(Arrangement(width=50))
    ArrangementFile(file).write(ARRANGED)
    assert ArrangementFile(file).read() == ARRANGED
    assert names(file.parent) == {"chat.json"}


@pytest.mark.parametrize(
    "damaged",
    [b"", b'{"order": ["mach', b"\xff\xfe", b'{"width": 3}', b'{"width": 1e9}', b'{"order": "speed"}', b"[]"],
)
def test_what_cannot_be_read_is_as_usual_and_said_in_the_log(
    damaged: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "chat.json"
    file.write_bytes(damaged)
    with caplog.at_level(logging.WARNING, "tui_chat"):
        assert ArrangementFile(file).read() == Arrangement()
    assert "chat.json cannot be read; panels are arranged as usual" in caplog.text
    ArrangementFile(file).write(ARRANGED)
    assert ArrangementFile(file).read() == ARRANGED


def test_where_nothing_can_be_written_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "panels").write_text("a file where the folder should be")
    with pytest.raises(StoreError) as caught:
        ArrangementFile(tmp_path / "panels" / "chat.json").write(ARRANGED)
    assert "until this terminal is left" in caught.value.problem.kept
    assert ArrangementFile(tmp_path / "panels" / "chat.json").read() == Arrangement()


def test_a_panel_of_another_version_does_no_harm() -> None:
    other = Arrangement(order=("machine", "weather", "gpus", "speed", "machine"))
    assert other.ordered(PANELS) == ["machine", "gpus", "speed", "context", "model"]


def test_a_panel_goes_to_the_other_side_of_its_neighbour() -> None:
    """Also where something stands between them that shows nothing now."""
    moved = Arrangement().moved("gpus", "context", PANELS)
    assert moved.ordered(PANELS) == ["speed", "gpus", "context", "model", "machine"]
    assert moved.moved("gpus", "model", PANELS).ordered(PANELS) == [*PANELS]


def test_a_column_stays_within_what_can_be_read() -> None:
    assert Arrangement().widened(2, 60).width == USUAL + 2
    assert Arrangement().widened(1000, 40).width == 40
    assert Arrangement().widened(1000, 1000).width == WIDEST
    assert Arrangement().widened(-1000, 60).width == NARROWEST
    assert Arrangement().widened(2, 10).width == NARROWEST


@given(st.lists(st.sampled_from((*PANELS, "weather"))), st.permutations(PANELS))
def test_whatever_was_kept_every_panel_has_one_place(kept: list[str], usual: list[str]) -> None:
    assert sorted(Arrangement(order=tuple(kept)).ordered(usual)) == sorted(PANELS)
