"""Nodes whose commands have the keys in force."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual._context import NoActiveAppError
from textual.binding import Binding, BindingsMap

from tui_chat.ui.command import Command, Place
from tui_chat.ui.commands import commands
from tui_chat.ui.keymap import Keymap
from tui_chat.ui.sentences import styled_keys, with_keys

if TYPE_CHECKING:
    from textual.content import Content
    from textual.dom import DOMNode as _Node
else:
    _Node = object


class Keyed(_Node):
    """A screen or widget that reacts to the keys of the commands of `own_places`.

    Textual binds keys when a class is made, and can change them only one by one; these are as the app's
    `keymap` has them, from the beginning and whenever it changes. To be named before the class of Textual's
    that it is mixed into; it is none itself, or Textual would look for styles here and not there.
    """

    own_places: ClassVar[tuple[Place, ...]] = ()
    keys_in_force = Keymap()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        try:
            keymap = getattr(self.app, "keymap", Keymap())
        except NoActiveAppError:
            keymap = Keymap()
        self.use_keys(keymap)

    def use_keys(self, keymap: Keymap) -> None:
        """React to the keys of `keymap` from now on, and to Textual's where they do nothing of ours."""
        self.keys_in_force = keymap
        own = bindings(keymap.commands(*self.own_places))
        ours = {command.action.partition(".")[2] for command in commands(*self.own_places)}
        inherited = (type(self)._merged_bindings or BindingsMap()).key_to_bindings
        kept = {key: [b for b in bound if b.action not in ours] for key, bound in inherited.items()}
        self._bindings = BindingsMap.from_keys({**{k: b for k, b in kept.items() if b}, **own})

    def with_keys(self, text: str) -> str:
        """Write a sentence of ours with the keys of the commands that it names (see `sentences`)."""
        return with_keys(text, self.keys_in_force)

    def styled_keys(self, text: str, style: str = "$accent") -> Content:
        """Write it with its keys in a style."""
        return styled_keys(text, self.keys_in_force, style)

    async def ran(self, event: events.Key, *, inherited: bool = False) -> bool:
        """Run our own binding of a key at once, and take the key; False if there is none.

        Those that Textual's own classes bind are run with `inherited` only.

        Those with priority have had their chance.

        Textual would run it only after the event has bubbled up to the app, and so after letters or a
        paste that follow in the same burst, as they do over a slow line: "a", backspace, "b" gave "a".
        """
        for binding in self._bindings.key_to_bindings.get(event.key, ()):
            wanted = (inherited or binding.id is not None) and not binding.priority
            if wanted and await self.app.run_action(binding.action, self):
                event.stop()
                event.prevent_default()
                return True
        return False

    async def ran_here_or_around(self, event: events.Key, *, inherited: bool = False) -> bool:
        """Run our own binding of a key, or the screen's, before what Textual would do here."""
        if await self.ran(event) or (isinstance(self.screen, Keyed) and await self.screen.ran(event)):
            return True
        return inherited and await self.ran(event, inherited=True)


def bindings(commands: Iterable[Command]) -> dict[str, list[Binding]]:
    """Return the bindings of commands; keys pressed one after the other are `Chords`'."""
    bound: dict[str, list[Binding]] = {}
    for command in commands:
        for key in command.keys.split(","):
            if key and " " not in key:
                # What the focused widget does, this one does, also if it has lost the focus meanwhile.
                action = command.action.removeprefix("focused.")
                binding = Binding(
                    key, action, command.title, show=False, id=command.id, priority=command.priority
                )
                bound.setdefault(key, []).append(binding)
    return bound
