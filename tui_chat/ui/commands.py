"""Every command there is, as data: bindings, footer hints, help pages and palette all read this list."""

from __future__ import annotations

import enum
from collections.abc import Iterator

import msgspec


class Place(enum.Enum):
    """Where a command works; the value is its heading in the help."""

    EVERYWHERE = "Everywhere"
    CHAT = "In a chat"
    INPUT = "Writing"
    TRANSCRIPT = "Reading the conversation"
    SESSIONS = "Sessions"
    MODELS = "Models"
    RESIDENTS = "Who holds what memory"


class Handled(enum.Enum):
    """Who reacts to the keys of a command."""

    BINDING = "binding"
    """A Textual binding, made from this list; it can be given other keys by its id."""
    WIDGET = "widget"
    """The focused widget itself; listed so that the help is complete."""


class Command(msgspec.Struct, frozen=True):
    """One thing a person can do.

    Attributes:
        id: Stable name for key maps, such as ``session.new``.
        keys: Textual key names, comma-separated; empty when it is only in the palette.
        action: Textual action it runs.
        title: What it does, in the imperative; palette and help show it.
        hint: One word for the footer; empty keeps it out.
        palette: Whether the palette lists it.
        label: How hints write its keys, where the first of them alone would not do.
        priority: Whether its keys are seen before the focused widget's own.
    """

    id: str
    keys: str
    action: str
    title: str
    place: Place
    hint: str = ""
    palette: bool = False
    priority: bool = False
    handled: Handled = Handled.BINDING
    label: str = ""


def _own(id: str, keys: str, title: str, place: Place, hint: str = "") -> Command:
    return Command(id, keys, "", title, place, hint, handled=Handled.WIDGET)


COMMANDS: tuple[Command, ...] = (
    Command(
        "help",
        "f1",
        "app.help",
        "Show what the keys do here",
        Place.EVERYWHERE,
        "help",
        palette=True,
        priority=True,
    ),
    Command(
        "models",
        "f2",
        "app.models",
        "Choose a model",
        Place.EVERYWHERE,
        "models",
        palette=True,
        priority=True,
    ),
    Command(
        "sessions", "f3", "app.sessions", "Open another session", Place.EVERYWHERE, "sessions", palette=True
    ),
    Command(
        "residents",
        "f7",
        "app.residents",
        "Show who holds what memory",
        Place.EVERYWHERE,
        palette=True,
        priority=True,
    ),
    Command("session.new", "ctrl+n", "app.new_chat", "Start a new chat", Place.EVERYWHERE, palette=True),
    Command("palette", "ctrl+p", "app.command_palette", "Show all commands", Place.EVERYWHERE, "commands"),
    Command("quit", "ctrl+q", "app.quit", "Quit", Place.EVERYWHERE, palette=True),
    Command(
        "copy.selection",
        "ctrl+c",
        "app.interrupt",
        "Copy the selection; twice with none: quit",
        Place.EVERYWHERE,
    ),
    Command("answer.stop", "escape", "screen.stop", "Stop the answer", Place.CHAT, "stop", priority=True),
    Command("answer.copy", "f8", "screen.copy_answer", "Copy the last answer", Place.CHAT, palette=True),
    Command("answer.retry", "f9", "screen.retry", "Try the failed answer again", Place.CHAT, palette=True),
    Command(
        "queue.take_back",
        "up",
        "screen.take_back",
        "Take the queued message back into the empty input",
        Place.CHAT,
        "edit queued",
        priority=True,
    ),
    Command(
        "session.rename",
        "f6",
        "screen.rename",
        "Rename this session",
        Place.CHAT,
        palette=True,
        priority=True,
    ),
    Command(
        "session.fork",
        "ctrl+f",
        "screen.fork",
        "Fork a session that is open elsewhere",
        Place.CHAT,
        "fork",
        palette=True,
        priority=True,
    ),
    Command(
        "session.take_over",
        "ctrl+t",
        "screen.take_over",
        "Take over a session that is open elsewhere; the other terminal is closed",
        Place.CHAT,
        "take over",
        palette=True,
        priority=True,
    ),
    Command(
        "model.starter",
        "ctrl+g",
        "screen.get_starter",
        "Get the starter model (94 MiB)",
        Place.CHAT,
        "get the starter model",
        palette=True,
    ),
    Command(
        "read",
        "shift+tab,ctrl+up",
        "screen.read",
        "Into the conversation, message by message",
        Place.CHAT,
        priority=True,
    ),
    Command("read.up", "pageup", "screen.page(-1)", "Scroll the conversation up", Place.CHAT, priority=True),
    Command(
        "read.down", "pagedown", "screen.page(1)", "Scroll the conversation down", Place.CHAT, priority=True
    ),
    _own("input.send", "enter", "Send", Place.INPUT, "send"),
    _own(
        "input.newline",
        "ctrl+j,shift+enter",
        "New line",
        Place.INPUT,
        "newline",
    ),
    _own("input.earlier", "up", "Earlier message, from the first line", Place.INPUT),
    _own("input.later", "down", "Later message, from the last line", Place.INPUT),
    _own("input.undo", "ctrl+z", "Undo", Place.INPUT),
    _own("input.redo", "ctrl+y", "Redo", Place.INPUT),
    Command("read.previous", "k", "screen.step(-1)", "Message before", Place.TRANSCRIPT, "up", priority=True),
    Command("read.next", "j", "screen.step(1)", "Message after", Place.TRANSCRIPT, "down", priority=True),
    Command(
        "read.leave", "tab,i", "screen.write", "Back to the input", Place.TRANSCRIPT, "write", priority=True
    ),
    Command(
        "message.copy",
        "c",
        "screen.copy_message",
        "Copy the message",
        Place.TRANSCRIPT,
        "copy",
        priority=True,
    ),
    Command(
        "message.code",
        "b",
        "screen.copy_code",
        "Copy a code block",
        Place.TRANSCRIPT,
        "copy code",
        priority=True,
    ),
    Command(
        "message.thinking",
        "t",
        "screen.toggle_thinking",
        "Unfold or fold the thinking",
        Place.TRANSCRIPT,
        "thinking",
        priority=True,
    ),
    Command("message.retry", "r", "screen.retry", "Try the failed answer again", Place.TRANSCRIPT, "retry"),
    Command(
        "read.tail",
        "end,G",
        "screen.tail",
        "Back to the newest text",
        Place.TRANSCRIPT,
        "newest",
        priority=True,
    ),
    Command("read.help", "question_mark", "app.help", "Show what the keys do here", Place.TRANSCRIPT),
    Command("sessions.open", "enter", "screen.choose", "Open the session", Place.SESSIONS, "open"),
    Command(
        "sessions.rename",
        "ctrl+r",
        "screen.rename",
        "Rename the session",
        Place.SESSIONS,
        "rename",
        priority=True,
    ),
    Command(
        "sessions.archive",
        "ctrl+x",
        "screen.archive",
        "Archive the session",
        Place.SESSIONS,
        "archive",
        priority=True,
    ),
    Command(
        "sessions.undo",
        "ctrl+z",
        "screen.undo",
        "Bring back what was archived last",
        Place.SESSIONS,
        "undo",
        priority=True,
    ),
    Command("sessions.close", "escape", "screen.leave", "Back to the chat", Place.SESSIONS, "back"),
    Command(
        "models.choose", "enter", "screen.choose", "Switch this chat to the model", Place.MODELS, "switch"
    ),
    Command(
        "models.less", "left", "screen.context(-1)", "Load it with less context", Place.MODELS, priority=True
    ),
    Command(
        "models.more",
        "right",
        "screen.context(1)",
        "Load it with more context",
        Place.MODELS,
        "context",
        priority=True,
        label="←→",
    ),
    Command(
        "models.kv_less",
        "left_square_bracket,shift+left",
        "screen.kv_type(-1)",
        "Load it with a thriftier KV cache",
        Place.MODELS,
        priority=True,
    ),
    Command(
        "models.kv_more",
        "right_square_bracket,shift+right",
        "screen.kv_type(1)",
        "Load it with a more exact KV cache",
        Place.MODELS,
        "KV",
        priority=True,
        label="[ ]",
    ),
    Command(
        "models.warm",
        "ctrl+l",
        "screen.warm",
        "Load it as planned, without switching",
        Place.MODELS,
        "warm up",
        priority=True,
    ),
    Command(
        "models.unload",
        "ctrl+x",
        "screen.unload",
        "Unload it, or stop loading it",
        Place.MODELS,
        "unload",
        priority=True,
    ),
    Command(
        "models.pin",
        "ctrl+t",
        "screen.pin",
        "Pin it in memory, or let it go again",
        Place.MODELS,
        "pin",
        priority=True,
    ),
    Command(
        "models.details",
        "ctrl+o",
        "screen.details",
        "Show all that is known of it and its plan",
        Place.MODELS,
        "details",
        priority=True,
    ),
    Command(
        "models.starter",
        "ctrl+g",
        "screen.get_starter",
        "Get the starter model (94 MiB)",
        Place.MODELS,
        "get the starter model",
    ),
    Command("models.close", "escape", "screen.leave", "Back to the chat", Place.MODELS, "back"),
    Command(
        "residents.unload",
        "u,ctrl+x",
        "screen.unload",
        "Unload it, or stop loading it",
        Place.RESIDENTS,
        "unload",
    ),
    Command(
        "residents.pin",
        "p,ctrl+t",
        "screen.pin",
        "Pin it in memory, or let it go again",
        Place.RESIDENTS,
        "pin",
    ),
    Command("residents.close", "escape,q", "screen.leave", "Back to where one was", Place.RESIDENTS, "back"),
)
"""In the order in which help and footer show them."""


def commands(*places: Place) -> Iterator[Command]:
    """Yield the commands of `places`, in that order of places."""
    for place in places:
        yield from (c for c in COMMANDS if c.place is place)
