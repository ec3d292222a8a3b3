"""Keys that work everywhere, and in the chat."""

from __future__ import annotations

from tui_chat.ui.command import Command, Place


def _any(id: str, keys: str, action: str, title: str, hint: str = "", *, first: bool = False) -> Command:
    """One that works everywhere; `first` ones over lists and questions, too."""
    return Command(id, keys, f"app.{action}", title, Place.EVERYWHERE, hint, priority=first)


def _on(id: str, keys: str, action: str, title: str, hint: str = "", *, yields: bool = False) -> Command:
    return Command(id, keys, f"screen.{action}", title, Place.CHAT, hint, priority=True, yields=yields)


CHAT: tuple[Command, ...] = (
    _any("help", "f1", "help", "Show what the keys do here", "help", first=True),
    _any("models", "f2", "models", "Choose a model", "models", first=True),
    _any("sessions", "f3", "sessions", "Open another session", "sessions"),
    _any("palette", "ctrl+p", "palette", "Show all commands", "commands", first=True),
    _any("branches", "f4", "branches", "Show the map of branches", "branches", first=True),
    _any("context", "f5", "context", "Show what the context is spent on, and what happens when it is full",
         "context", first=True),
    _any("residents", "f7", "residents", "Show who holds what memory", first=True),
    _any("servers", "f11", "servers", "Show the model servers: Ollama, vLLM and others", first=True),
    _any("presets", "f10", "presets", "Choose a preset: how the model is to answer from here on", first=True),
    _any("settings", "ctrl+o o", "settings", "Show and change the settings"),
    _any("session.new", "ctrl+n", "new_chat", "Start a new chat"),
    _any("session.ephemeral", "ctrl+o n", "new_ephemeral", "Start a chat that is kept nowhere"),
    _any("screenshot", "ctrl+o p", "save_screenshot", "Save a picture of the screen"),
    Command("quit", "ctrl+q", "app.quit", "Quit", Place.EVERYWHERE, over=True),
    Command("copy.selection", "ctrl+c", "app.interrupt", "Copy the selection; twice with none: quit",
            Place.EVERYWHERE, yields=True),
    _on("answer.stop", "escape", "stop", "Stop the answer", "stop", yields=True),
    _on("answer.copy", "f8", "copy_answer", "Copy the last answer"),
    _on("answer.retry", "f9", "retry", "Try the failed answer again, or go on although it is hot"),
    _on("queue.take_back", "up", "take_back", "Take the queued message back into the empty input",
        "edit queued", yields=True),
    _on("session.rename", "f6", "rename", "Rename this session"),
    _on("system.edit", "ctrl+o s", "edit_system", "Edit the system prompt of this chat"),
    Command("panels", "f12", "app.arrange", "Arrange the panels beside the conversation", Place.CHAT,
            priority=True),
    _on("drawing", "ctrl+o d", "drawing", "Change how answers are drawn"),
    _on("search", "ctrl+r", "search", "Find a message in all sessions"),
    _on("find", "ctrl+underscore,ctrl+slash", "find", "Find words in this conversation"),
    _on("statistics", "ctrl+o i", "statistics", "Show what this session has cost"),
    _on("export.branch", "ctrl+o x", "export_branch", "Export this branch…"),
    _on("export.tree", "ctrl+o X", "export_tree", "Export the whole conversation…"),
    _on("import", "ctrl+o m", "import", "Import conversations from a file…"),
    _on("session.fork", "ctrl+f", "fork", "Fork a session that is open elsewhere", "fork", yields=True),
    _on("session.take_over", "ctrl+t", "take_over",
        "Take over a session that is open elsewhere; the other terminal is closed", "take over", yields=True),
    _on("model.starter", "ctrl+g", "get_starter", "Get the starter model (94 MiB)", "get the starter model",
        yields=True),
    _on("read", "shift+tab,ctrl+up", "read", "Into the conversation, message by message", yields=True),
    _on("read.up", "pageup", "page(-1)", "Scroll the conversation up"),
    _on("read.down", "pagedown", "page(1)", "Scroll the conversation down"),
)  # fmt: skip
