"""Keys that work everywhere, and in the chat."""

from __future__ import annotations

from tui_chat.ui.command import Command, Place

CHAT: tuple[Command, ...] = (
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
)
