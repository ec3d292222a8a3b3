"""Asks before what cannot be undone."""

from __future__ import annotations

import sys

_USAGE = 2


def declined(what: str, consequence: str = "", *, asked: bool) -> int:
    """Ask whether `what` is to be deleted, unless that was `asked` for; return 0 for yes, else exit status.

    Nobody is asked where standard input is no terminal: scripts say what they mean.
    """
    if asked:
        return 0
    if not sys.stdin.isatty():
        sys.stderr.write(f"tui-chat: {what} is not deleted without being asked for: add --yes.\n")
        return _USAGE
    sys.stderr.write(" ".join(part for part in (f"Delete {what}?", consequence, "[y/N] ") if part))
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() in ("y", "yes"):
        return 0
    sys.stderr.write("Nothing was deleted.\n")
    return 1
