"""A line is judged by what it has done, by several measurements that agree, and gently."""

from __future__ import annotations

from itertools import count

from tui_chat.ui.output.line import IN_A_ROW, SLICE, UNANSWERED_S, Line


class Wire:
    """A line of a set speed, and frames that go over it."""

    def __init__(self, rate: float, way: float = 0.1) -> None:
        self.line = Line()
        self.rate = rate
        self.way = way
        self.now = 100.0

    def frame(self, size: int) -> None:
        """Send a frame, wait for an answer if it asks for one, and then for a while."""
        line = self.line
        asked = 0 if line.greets(self.now) else size if line.asks(self.now, size) else None
        line.wrote(self.now, self.now, size, asked=asked)
        self.now += self.way + (size / self.rate if asked else 0)
        if asked is not None:
            line.answered(self.now)
        self.now += 0.2


def test_a_slow_line_is_found_out_and_so_is_one_that_became_quick() -> None:
    wire = Wire(30_000)
    for _ in range(IN_A_ROW + 1):
        assert not wire.line.slow
        wire.frame(4000)
    assert wire.line.slow
    assert 25_000 < wire.line.rate < 35_000
    assert wire.line.slice == SLICE
    wire.rate = 1e6
    for _ in range(IN_A_ROW):
        assert wire.line.slow
        wire.frame(4000)
    assert not wire.line.slow


def test_one_late_answer_makes_no_line_slow() -> None:
    wire = Wire(1e6)
    for late in [False, True, True, True] * 10:
        wire.rate = 1e4 if late else 1e6
        wire.frame(4000)
        assert not wire.line.slow


def test_small_frames_say_nothing_and_a_far_terminal_is_not_a_slow_one() -> None:
    wire = Wire(1e6, way=2.0)
    for size in (50, 5000) * 10:
        wire.frame(size)
    assert not wire.line.slow


def test_on_a_slow_line_each_piece_waits_for_the_one_before() -> None:
    line = Line(forced=True)
    line.wrote(10.0, 10.0, 2400, asked=None)
    assert 0.05 < line.wait(10.0) <= 2400 / line.rate
    assert line.wait(10.0 + 2400 / line.rate) <= 0
    assert Line(forced=False).wait(0.0) == 0.0


def test_a_terminal_that_never_answers_is_asked_once() -> None:
    line, clock = Line(), count(1)
    assert line.greets(0.0)
    line.wrote(0.0, 0.0, 5000, asked=0)
    asked = [line.greets(t) or line.asks(t, 5000) for t in (next(clock) * UNANSWERED_S for _ in range(9))]
    assert not any(asked)
    assert not line.answers


def test_a_terminal_that_never_answers_is_judged_by_how_long_it_blocks() -> None:
    line = Line()
    for number in range(IN_A_ROW):
        assert not line.slow
        line.wrote(float(number), number + 0.2, 5000, asked=None)
    assert line.slow
    line.wrote(50.0, 50.0, 5000, asked=None)
    assert not line.slow


def test_another_terminal_is_asked_anew() -> None:
    wire = Wire(1e6)
    wire.frame(5000)
    assert wire.line.answers
    wire.line.begin_anew()
    assert not wire.line.answers
    assert wire.line.greets(wire.now)
