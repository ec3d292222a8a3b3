"""What about the machine is worth interrupting somebody for: said once, when it begins."""

from __future__ import annotations

from collections.abc import Iterator

from tui_chat.ui import words
from tui_chat.ui.keymap import Keymap
from tui_chat.wire.api import EngineChanged


def alarms(before: EngineChanged | None, now: EngineChanged | None, keymap: Keymap) -> Iterator[str]:
    """Yield what has become hot, too hot or scarce since `before`."""
    if now is None:
        return
    were = {(each.device, each.critical) for each in before.hot} if before else set()
    for hot in now.hot:
        if (hot.device, hot.critical) not in were and (hot.device, True) not in were:
            yield _sentence(words.heat((hot,), keymap, answering=bool(now.generations)))
    scarce = {each.device for each in before.scarce} if before else set()
    for each in now.scarce:
        if each.device not in scarce:
            yield _sentence(words.scarce((each,)))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
