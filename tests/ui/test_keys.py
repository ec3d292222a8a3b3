"""The list of commands is whole, and every key of it can be sent by a plain terminal."""

from __future__ import annotations

from collections import Counter

import pytest

from tui_chat.ui.app import TuiChat
from tui_chat.ui.commands import COMMANDS, Handled, Place
from tui_chat.ui.screens.beside import BesideScreen
from tui_chat.ui.screens.branches import BranchesScreen
from tui_chat.ui.screens.chat import ChatScreen
from tui_chat.ui.screens.comparing import CompareScreen
from tui_chat.ui.screens.context import ContextScreen
from tui_chat.ui.screens.help import help_text
from tui_chat.ui.screens.presets import PresetsScreen
from tui_chat.ui.screens.residents import ResidentsScreen
from tui_chat.ui.screens.searching import SearchScreen
from tui_chat.ui.screens.served import ServedScreen
from tui_chat.ui.screens.servers import ServersScreen
from tui_chat.ui.screens.sessions import SessionsScreen
from tui_chat.ui.screens.statistics import StatisticsScreen
from tui_chat.ui.screens.switcher import SwitcherScreen
from tui_chat.ui.screens.themes import ThemesScreen
from tui_chat.ui.screens.trash import TrashScreen
from tui_chat.ui.widgets.panel import SidePanel

SCREENS = {
    Place.CHAT: ChatScreen,
    Place.TRANSCRIPT: ChatScreen,
    Place.FINDING: ChatScreen,
    Place.SESSIONS: SessionsScreen,
    Place.TRASH: TrashScreen,
    Place.SEARCH: SearchScreen,
    Place.STATISTICS: StatisticsScreen,
    Place.MODELS: SwitcherScreen,
    Place.RESIDENTS: ResidentsScreen,
    Place.SERVERS: ServersScreen,
    Place.SERVED: ServedScreen,
    Place.COMPARE: CompareScreen,
    Place.BRANCHES: BranchesScreen,
    Place.BESIDE: BesideScreen,
    Place.CONTEXT: ContextScreen,
    Place.PRESETS: PresetsScreen,
    Place.THEMES: ThemesScreen,
}
UNSENDABLE = {"ctrl+m", "ctrl+i", "ctrl+h", "ctrl+[", "alt+enter", "ctrl+enter"}


def test_ids_are_unique() -> None:
    assert max(Counter(c.id for c in COMMANDS).values()) == 1


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c.id)
def test_each_command_can_be_reached_and_does_something(command) -> None:
    keys = command.keys.split(",")
    assert not UNSENDABLE & set(keys)
    assert keys != ["shift+enter"]
    if command.handled is Handled.BINDING:
        namespace, _, rest = command.action.partition(".")
        target = {"app": TuiChat, "focused": SidePanel, "screen": SCREENS.get(command.place)}[namespace]
        assert hasattr(target, f"action_{rest.partition('(')[0]}")


@pytest.mark.parametrize("place", Place)
def test_no_key_means_two_things_in_one_place(place: Place) -> None:
    keys = [k for c in COMMANDS if c.place in (place, Place.EVERYWHERE) for k in c.keys.split(",") if k]
    assert [k for k, n in Counter(keys).items() if n > 1] == []


def test_the_help_names_every_command() -> None:
    text = help_text(tuple(Place)).plain
    assert all(c.title in text for c in COMMANDS)
