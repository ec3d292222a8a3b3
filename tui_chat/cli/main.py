"""Picks the command, parses its arguments, and turns whatever ends it into a line and a status."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from dataclasses import dataclass
from typing import Protocol, cast

FAILURE = 1
USAGE = 2
INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it."""
PIPE_CLOSED = 141
"""Exit status when the reader of our output went away (`| head`), as shells have it."""


class CommandModule(Protocol):
    """What every module of a command offers."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command's arguments."""

    def run(self, args: argparse.Namespace) -> int:
        """Do it; return the exit status."""


@dataclass(frozen=True, slots=True)
class Command:
    """A word after `tui-chat`; its module is imported when it is used."""

    module: str
    about: str
    examples: tuple[str, ...] = ()


COMMANDS = {
    "ask": Command(
        "tui_chat.cli.ask",
        "Ask one question and print the answer as it comes. Exit status 0 only when it is complete.",
        (
            'tui-chat ask "Why is the sky blue?"',
            "git diff | tui-chat ask 'Review this' --json --temperature 0",
        ),
    ),
    "models": Command(
        "tui_chat.cli.models",
        "List the models on this machine, or get one.",
        (
            "tui-chat models --json",
            "tui-chat models get starter",
            "tui-chat models get hf:OWNER/REPO --list    what there is, and what suits this machine",
            "tui-chat models get hf:OWNER/REPO:Q4_K_M",
        ),
    ),
    "servers": Command(
        "tui_chat.cli.servers.command",
        "List the servers that run models beside us. What Ollama has can be changed, too.",
        (
            "tui-chat servers                      those of the settings, and those that run on this machine",
            "tui-chat servers look                 look for them anew",
            "tui-chat servers show ollama llama3.2:3b",
            "tui-chat servers pull ollama llama3.2:3b",
            "tui-chat servers create ollama wise wise-Q4_K_M.gguf",
            "tui-chat servers delete ollama llama3.2:3b",
        ),
    ),
    "presets": Command(
        "tui_chat.cli.presets",
        "List the presets: how a model is to answer, under a name.",
        (
            "tui-chat presets show coder",
            "tui-chat presets path            the folder for presets of your own",
            "tui-chat --preset coder",
        ),
    ),
    "keys": Command(
        "tui_chat.cli.keys",
        "List what can be done in the chat, with ids and keys as [keys] in the settings has them.",
        ("tui-chat keys", "tui-chat keys --set vim"),
    ),
    "config": Command(
        "tui_chat.cli.config.command",
        "Show, check and change the settings.",
        (
            "tui-chat config show               what is in force, and where each value is from",
            "tui-chat config set ui.theme tui-chat-light",
            "tui-chat config reset ui.theme",
            "tui-chat config edit               in your editor, with a check afterwards",
        ),
    ),
    "plan": Command(
        "tui_chat.cli.plan",
        "Tell what a model would take in memory, where, and how it would be loaded.",
        (
            "tui-chat plan smol",
            "tui-chat plan model.gguf --ctx 32768 --kv q8_0 --devices gpu:24GiB,ram:64GiB --json",
        ),
    ),
    "cache": Command(
        "tui_chat.cli.cache",
        "Show or clear the parked conversations. A model goes on with one without reading it anew.",
        ("tui-chat cache list", "tui-chat cache clear --model smollm2"),
    ),
    "sessions": Command(
        "tui_chat.cli.sessions.command",
        "Find, read, sort, export and import conversations.",
        (
            'tui-chat sessions search "lamp oil" model:qwen tag:sea',
            "tui-chat sessions export paris --tree -o paris.html",
            "tui-chat sessions import conversations.json",
            "tui-chat sessions tag paris travel food",
            "tui-chat sessions delete paris",
        ),
    ),
    "status": Command(
        "tui_chat.cli.status",
        "Read the instruments once: processors, memory, GPUs with their heat, and who uses what.",
        ("tui-chat status", "tui-chat status --json"),
    ),
    "top": Command(
        "tui_chat.cli.top",
        "Watch the instruments of a running engine: processors, memory, GPUs and models.",
        ("tui-chat top",),
    ),
    "stats": Command(
        "tui_chat.cli.stats",
        "Show how fast the models were, and what that took of the machine.",
        (
            "tui-chat stats --since 7d",
            "tui-chat stats --model qwen --plot",
            "tui-chat stats --csv > answers.csv",
        ),
    ),
    "doctor": Command(
        "tui_chat.cli.doctor.command",
        "Check terminal, clipboard, keys, GPUs, engine, folders, settings, models and chats.",
        ("tui-chat doctor", "tui-chat doctor --json"),
    ),
    "engine": Command(
        "tui_chat.cli.engine",
        "Look after the engine: the process that runs the models for all terminals.",
        ("tui-chat engine status", "tui-chat engine logs -n 100"),
    ),
}

CHAT = Command(
    "tui_chat.cli.chat",
    "Chat with the language models on this machine.",
    (
        "tui-chat                          open a new chat",
        "tui-chat --continue               go on with the last one",
        "tui-chat --resume paris           open the chat whose title says so",
        "tui-chat --plain                  line by line, for screen readers and plain terminals",
        'tui-chat ask "Why is the sky blue?"',
        "tui-chat models get starter       fetch a small first model",
    ),
)


def run(arguments: list[str]) -> int:
    """Run `tui-chat` with `arguments` and return its exit status. Raises SystemExit for usage and help."""
    try:
        return _dispatch(arguments)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Python flushes stdout once more when it leaves; that must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except Exception as error:  # noqa: BLE001 - the last resort: a line for the person, the rest to the log
        from tui_chat.cli.failure import explain

        sys.stderr.write(f"tui-chat: {explain(error)}\n")
        return FAILURE


def _dispatch(arguments: list[str]) -> int:
    name = arguments[0] if arguments and not arguments[0].startswith("-") else ""
    if not name:
        return _chat(arguments)
    if name not in COMMANDS:
        return _unknown(name)
    command = COMMANDS[name]
    module = _module(command)
    parser = _parser(f"tui-chat {name}", command, "examples")
    module.add_arguments(parser)
    return module.run(parser.parse_args(arguments[1:]))


def _chat(arguments: list[str]) -> int:
    module = _module(CHAT)
    parser = _parser("tui-chat", CHAT, "examples", usage="%(prog)s [OPTIONS]\n       %(prog)s COMMAND …")
    parser.add_argument("-V", "--version", action="store_true", help="print the version and leave")
    module.add_arguments(parser)
    args = parser.parse_args(arguments)
    if args.version:
        from tui_chat import __version__

        print(f"tui-chat {__version__}")
        return 0
    if not args.plain and not _screen_works():
        return USAGE
    return module.run(args)


def _parser(prog: str, command: Command, heading: str, usage: str | None = None) -> argparse.ArgumentParser:
    parts = [f"{heading}:\n" + "".join(f"  {line}\n" for line in command.examples)]
    if command is CHAT:
        words = "".join(
            f"  {word:<10}{each.about.partition('.')[0].lower()}\n" for word, each in COMMANDS.items()
        )
        parts.insert(0, f"commands:\n{words}\n`tui-chat COMMAND --help` says more.\n")
    return argparse.ArgumentParser(
        prog=prog,
        usage=usage,
        description=command.about,
        epilog="\n".join(parts),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def _module(command: Command) -> CommandModule:
    return cast(CommandModule, importlib.import_module(command.module))


def _unknown(name: str) -> int:
    from difflib import get_close_matches

    close = get_close_matches(name, COMMANDS, n=1)
    hint = f"Did you mean `tui-chat {close[0]}`?" if close else f'To ask that: tui-chat ask "{name}"'
    sys.stderr.write(f"tui-chat: there is no command “{name}”. {hint} See tui-chat --help.\n")
    return USAGE


def _screen_works() -> bool:
    """Whether this is a terminal that can show the chat; says why not."""
    why = ""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        why = "The chat needs a terminal, and its input or output is not one."
    elif os.environ.get("TERM", "") in ("", "dumb"):
        why = "This terminal cannot move its cursor (TERM is “dumb” or not set), which the chat needs."
    if why:
        sys.stderr.write(f'tui-chat: {why} Line by line: tui-chat --plain. One question: tui-chat ask "…"\n')
    return not why
