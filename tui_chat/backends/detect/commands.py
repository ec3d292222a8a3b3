"""Which server a process is, by how it was started."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import PurePath

from tui_chat.backends.detect.addresses import HOST, Address
from tui_chat.backends.detect.found import PORTS
from tui_chat.wire.servers import ServerKind

_PYTHON = re.compile(r"(python|pypy)[\d.]*")
_TAKES_A_VALUE = ("-X", "-W", "--check-hash-based-pycs")
_LONGEST = 48
_STARTS: dict[str, tuple[ServerKind, tuple[str, ...]]] = {
    "ollama": (ServerKind.OLLAMA, ("serve", "start", "runner")),
    "llama-server": (ServerKind.LLAMA_SERVER, ()),
    "llama": (ServerKind.LLAMA_SERVER, ("serve", "server")),
    "llama-swap": (ServerKind.LLAMA_SWAP, ()),
    "vllm": (ServerKind.VLLM, ("serve",)),
    "sglang": (ServerKind.SGLANG, ("serve",)),
    "lms": (ServerKind.LM_STUDIO, ("server", "daemon")),
    "llmster": (ServerKind.LM_STUDIO, ()),
    "lm-studio": (ServerKind.LM_STUDIO, ()),
    "lm studio": (ServerKind.LM_STUDIO, ()),
}
"""Programs, and what has to be their first argument to be a server, if that matters."""
_MODULES = {"vllm.entrypoints": ServerKind.VLLM, "sglang.launch_server": ServerKind.SGLANG}
_TEXTGEN = re.compile(r"text-?generation-?webui|textgen", re.IGNORECASE)
_PORT = re.compile(r"(?:.*:)?(\d{1,5})")
_PORT_FLAGS = ("--port", "-port", "--listen", "-listen")


def kind_of(argv: Sequence[str], folder: Callable[[], str]) -> ServerKind | None:
    """Tell which server was started with `argv`; None for anything else.

    Args:
        argv: The command line, or the name of the process alone where no more can be seen.
        folder: Tells the folder that the process works in.
    """
    words, rest = _program(argv)
    if words[:2] == ("python", "-m"):
        return next((kind for module, kind in _MODULES.items() if words[2].startswith(module)), None)
    if words == ("python", "server.py"):
        where = " ".join((*argv[1:2], folder()))
        return ServerKind.TEXTGEN if _TEXTGEN.search(where) else None
    kind, verbs = _STARTS.get(words[-1].removesuffix(".exe").lower(), (None, ()))
    if kind is None or (verbs and (not rest or rest[0] not in verbs)):
        return None
    # The parts of a program made with Electron are called like the whole.
    part = kind is ServerKind.LM_STUDIO and any(each.startswith("--type=") for each in rest)
    return None if part else kind


def short(argv: Sequence[str]) -> str:
    """How a process was started, for a person: the program and its script, and no argument of theirs."""
    words, rest = _program(argv)
    _, verbs = _STARTS.get(words[-1], (None, ()))
    text = " ".join((*words, *(rest[:1] if rest and rest[0] in verbs else ())))
    shown = "".join(each if each.isprintable() else "?" for each in text)
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"


def declared(kind: ServerKind, argv: Sequence[str]) -> Address:
    """Where a server listens by its command line, as far as that says it; else its kind's own port."""
    flags = ("--api-port",) if kind is ServerKind.TEXTGEN else _PORT_FLAGS
    for flag, value in zip(argv, [*argv[1:], ""], strict=True):
        name, joined, after = flag.partition("=")
        found = _PORT.fullmatch(after if joined else value) if name in flags else None
        if found and 0 < int(found[1]) < 1 << 16:
            return Address(HOST, int(found[1]))
    return Address(HOST, PORTS[kind])


def _program(argv: Sequence[str]) -> tuple[tuple[str, ...], Sequence[str]]:
    """What runs, by its bare names, and the arguments after it.

    A script that Python runs is named after ``python``, unless it is a program that was installed as such.
    """
    name = PurePath(argv[0]).name if argv else ""
    if not _PYTHON.fullmatch(name):
        return (name,), argv[1:]
    place = 1
    while place < len(argv) and argv[place].startswith("-") and argv[place] not in ("-m", "-c", "-"):
        place += 2 if argv[place] in _TAKES_A_VALUE else 1
    rest = argv[place:]
    if rest[:1] == ["-m"] and len(rest) > 1:
        return ("python", "-m", rest[1]), rest[2:]
    if not rest or rest[0] in ("-m", "-c", "-"):
        return ("python",), ()
    script = PurePath(rest[0]).name
    return (script,) if script in _STARTS else ("python", script), rest[1:]
