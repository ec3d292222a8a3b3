"""`tui-chat` without a command: open the chat."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from tui_chat.config.looks import Ability

if TYPE_CHECKING:
    from tui_chat.config.settings import LoadedSettings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments that choose what the chat opens on."""
    opening = parser.add_mutually_exclusive_group()
    opening.add_argument("-c", "--continue", dest="last", action="store_true", help="open the last chat")
    opening.add_argument(
        "-r",
        "--resume",
        nargs="?",
        const="",
        metavar="NAME",
        help="open a chat by title or id; choose one if no NAME",
    )
    opening.add_argument("--ephemeral", action="store_true", help="open a chat that is kept nowhere")
    parser.add_argument("--preset", metavar="NAME", help="tell the model what this preset says")
    parser.add_argument("--sessions", type=Path, metavar="DIR", help="use the chats in DIR")
    parser.add_argument("--low-bandwidth", action="store_true", help="paint seldom, as for a slow line")
    parser.add_argument(
        "--color",
        choices=[str(each) for each in Ability],
        help="use so many colours, whatever the terminal says (auto: find out)",
    )
    parser.add_argument(
        "--plain", action="store_true", help="line by line, without drawing, as for a screen reader"
    )
    parser.add_argument("--model", metavar="NAME", help="answer with this model: id, part of one, or a path")


def _frugal(loaded: LoadedSettings) -> LoadedSettings:
    from msgspec.structs import replace

    from tui_chat.config.settings import Bandwidth

    ui = replace(loaded.settings.ui, low_bandwidth=Bandwidth.ON)
    return replace(loaded, settings=replace(loaded.settings, ui=ui))


def run(args: argparse.Namespace) -> int:
    """Open the chat in this terminal."""
    from tui_chat.config.paths import config_file, resolve_paths
    from tui_chat.config.settings import load_settings
    from tui_chat.ui.opening import Opening
    from tui_chat.ui.run import run as run_app

    loaded = load_settings(config_file())
    if args.low_bandwidth:
        loaded = _frugal(loaded)
    paths = resolve_paths(loaded.settings.paths)
    opening = Opening(args.last, args.resume, args.model, args.preset, args.ephemeral)
    if args.plain:
        from tui_chat.cli.plain.run import run as run_plain

        return run_plain(paths, loaded, args.sessions, opening)
    return run_app(paths, loaded, args.sessions, opening, Ability(args.color) if args.color else None)
