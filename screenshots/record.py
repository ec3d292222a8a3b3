"""Record a short session for the README: the real program in a real terminal, with the real model.

Run by `make screenshots`; writes `session.cast` beside this script, which `asciinema play` shows, and the
same as `session.gif`.
"""

from __future__ import annotations

import json
from itertools import cycle
from pathlib import Path
from time import monotonic

from screenshots.moving import draw_moving
from tests.benchmarks.places import TUI_CHAT, bench_home
from tests.lines import Remote

COLUMNS, ROWS = 100, 30
CONFIG = "[sampling]\ntemperature = 0.0\nrepeat_penalty = 1.1\nmax_tokens = 300\n[detect]\nenabled = false\n"
KEY_S = 0.07
LOOK_S = 2.5
"""How long somebody looks at what has come."""
ESC = "\x1b"
F2, F4, F5 = "\x1bOQ", "\x1bOS", "\x1b[15~"


class Recorded(Remote):
    """A terminal that remembers when each piece was painted."""

    def __init__(self, env: dict[str, str]) -> None:
        super().__init__([TUI_CHAT], env, columns=COLUMNS, rows=ROWS)
        self._began = monotonic()
        self.pieces: list[tuple[float, bytes]] = []

    def pump(self, timeout: float) -> None:
        """Move what is due, and note what has come."""
        before = len(self.all)
        super().pump(timeout)
        if len(self.all) > before:
            self.pieces.append((monotonic() - self._began, bytes(self.all[before:])))

    def type(self, text: str) -> None:
        """Type as a person does."""
        for letter, pace in zip(text, cycle((0.6, 1.1, 0.8, 1.7, 0.5)), strict=False):
            self.press(letter)
            self.pump_for(KEY_S * pace)

    def look(self, *keys: str) -> None:
        """Press keys, looking at what each brings."""
        for key in keys:
            self.press(key)
            self.pump_for(LOOK_S)


def main() -> None:
    """Ask, look at the price of models, at the context, and at the branches of a second answer."""
    with bench_home(CONFIG) as bench, Recorded(bench.env) as terminal:
        terminal.wait_for("answers here")
        terminal.pump_for(1.0)
        terminal.type("What does a lighthouse keeper do?")
        asked = len(terminal.all)
        terminal.press("\r")
        terminal.wait_for("first token", asked)
        terminal.pump_for(LOOK_S)
        terminal.look(F2, ESC, F5, ESC)
        terminal.press(f"{ESC}[Z")
        terminal.pump_for(1.0)
        asked = len(terminal.all)
        terminal.press("r")
        terminal.pump_for(2 * LOOK_S)
        terminal.look("\t", F4, ESC)
        terminal.press("\x11")
        terminal.wait_exit()
    cast = Path(__file__).with_name("session.cast")
    _write(cast, terminal.pieces)
    draw_moving(cast.with_suffix(".gif"), terminal.pieces, COLUMNS, ROWS)


def _write(file: Path, pieces: list[tuple[float, bytes]]) -> None:
    """Write an asciicast, version 2: a header, then a line for each piece, which may end mid-character."""
    lines = [json.dumps({"version": 2, "width": COLUMNS, "height": ROWS, "title": "tui-chat"})]
    rest = b""
    for at, piece in pieces:
        data = rest + piece
        whole = len(data)
        while whole and whole > len(data) - 4 and not _is_whole(data[:whole]):
            whole -= 1
        text, rest = data[:whole].decode(errors="replace"), data[whole:]
        lines.append(json.dumps([round(at, 3), "o", text], ensure_ascii=False))
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _is_whole(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


if __name__ == "__main__":
    main()
