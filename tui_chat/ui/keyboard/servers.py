"""Keys of the list of servers, and of the models of one."""

from __future__ import annotations

from tui_chat.ui.command import Command, Place


def _on(id: str, keys: str, action: str, title: str, hint: str = "") -> Command:
    return Command(f"servers.{id}", keys, f"screen.{action}", title, Place.SERVERS, hint)


def _of(id: str, keys: str, action: str, title: str, hint: str = "", *, priority: bool = True) -> Command:
    return Command(f"served.{id}", keys, f"screen.{action}", title, Place.SERVED, hint, priority=priority)


SERVERS: tuple[Command, ...] = (
    _on("models", "enter", "choose", "Show the models of the server", "its models"),
    _on("look", "r", "look", "Look anew for servers on this machine, and ask all of them", "look anew"),
    _on("close", "escape,q", "leave", "Back to where one was", "back"),
    _of("choose", "enter", "choose", "Switch this chat to the model, or go on getting it", "switch",
        priority=False),
    _of("card", "ctrl+o", "card", "Show all that the server tells of it", "details"),
    _of("get", "ctrl+g", "get", "Have the server get a model", "get one"),
    _of("stop", "ctrl+x", "stop", "Stop getting it, or unload it; what came is kept", "unload"),
    _of("warm", "ctrl+l", "warm", "Have it loaded, without switching", "load"),
    _of("copy", "ctrl+y", "copy", "Give it a second name", "copy"),
    _of("make", "ctrl+b", "make", "Have the server make a model of a GGUF file here", "from a file"),
    _of("delete", "ctrl+d", "delete", "Delete it from the server's disk", "delete"),
    _of("close", "escape", "leave", "Back to the servers", "back", priority=False),
)  # fmt: skip
