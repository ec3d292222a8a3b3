"""A screen over the chat that news may reach after it has gone."""

from __future__ import annotations

from typing import TypeVar

from textual.screen import ModalScreen

R = TypeVar("R")


class PassingScreen(ModalScreen[R]):
    """Knows whether it is still there."""

    @property
    def there(self) -> bool:
        """Whether there is still something to show news on: they may come while this screen or all go."""
        return self.app.is_running and self.is_mounted and self in self.app.screen_stack
