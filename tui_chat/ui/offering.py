"""Which commands there are where the person is, and which of them are possible now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec
from textual.actions import parse

from tui_chat.ui.command import Command, Place, gives_way, reaches
from tui_chat.ui.keymap import without

if TYPE_CHECKING:
    from textual.screen import Screen

    from tui_chat.ui.keymap import Keymap


def here(screen: Screen[Any], keymap: Keymap) -> Iterator[Command]:
    """Yield the commands of the places where the person is, those of the nearest first."""
    places: tuple[Place, ...] = getattr(screen, "places", ())
    nearer: list[str] = []
    for place in places:
        for command in keymap.commands(place):
            if reaches(command, places[0]) and hasattr(*_action(screen, command)[:2]):
                if gives_way(command, places[0]):
                    free = without(command.keys, ",".join(nearer))
                    command = msgspec.structs.replace(command, keys=free)
                nearer.append(command.keys)
                yield command


def reachable(screen: Screen[Any], keymap: Keymap) -> Iterator[Command]:
    """Yield what can be asked for by its name: what is here, and what is elsewhere on the same screen."""
    own: tuple[Place, ...] = getattr(screen, "own_places", ())
    places: tuple[Place, ...] = getattr(screen, "places", ())
    yield from here(screen, keymap)
    for place in own:
        if place not in places:
            yield from (each for each in keymap.commands(place) if hasattr(*_action(screen, each)[:2]))


def is_possible(screen: Screen[Any], command: Command) -> bool:
    """Whether a command that is here would do something now."""
    target, method, parameters = _action(screen, command)
    name = method.removeprefix("action_")
    return hasattr(target, method) and target.check_action(name, parameters) is not False


def _action(screen: Screen[Any], command: Command) -> tuple[Any, str, tuple[Any, ...]]:
    """The object, its method and the arguments that a command's action names."""
    namespace, name, parameters = parse(command.action)
    target = {"app": screen.app, "focused": screen.focused}.get(namespace, screen)
    return target, f"action_{name}", parameters
