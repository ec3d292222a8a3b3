"""A screen over the chat: it has commands of its own, and news may reach it after it has gone."""

from __future__ import annotations

from typing import TypeVar

from textual.screen import ModalScreen
from textual.widgets import Static

from tui_chat.ui.command import Place, around, gives_way
from tui_chat.ui.keymap import Keymap
from tui_chat.ui.keys import Keyed, bindings

R = TypeVar("R")


class PassingScreen(Keyed, ModalScreen[R]):
    """Knows where the person is, and whether it is still there."""

    @property
    def places(self) -> tuple[Place, ...]:
        """Where the person is, for help and palette: what is nearest first."""
        first = self.own_places[0]
        return (*self.own_places, *around(first))

    def use_keys(self, keymap: Keymap) -> None:
        """React to other keys from now on; those of what is there over lists, too, where they are free."""
        super().use_keys(keymap)
        over = (each for each in keymap.commands(Place.EVERYWHERE) if gives_way(each, self.own_places[0]))
        for key, bound in bindings(over).items():
            self._bindings.key_to_bindings.setdefault(key, bound)

    def key_line(self, keys: str) -> Static:
        """Make the last line of a dialog, which names its keys."""
        return Static(self.with_keys(keys), classes="dialog-keys", markup=False)

    @property
    def there(self) -> bool:
        """Whether there is still something to show news on: they may come while this screen or all go."""
        return self.app.is_running and self.is_mounted and self in self.app.screen_stack
