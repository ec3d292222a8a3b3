"""The keys in force: those of a set, with what the person has changed of them; what cannot be is named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from types import MappingProxyType

import msgspec

from tui_chat.config.keys import KeySet, KeySettings
from tui_chat.ui.command import Command, Place, meet, takes_text
from tui_chat.ui.commands import COMMANDS, commands
from tui_chat.ui.keyboard.emacs import EMACS
from tui_chat.ui.keyboard.vim import VIM
from tui_chat.ui.keynames import KeyNameError, is_plain, is_printable, read_keys, shown

Keys = Mapping[str, str]
"""The keys of commands, by their ids."""

_SETS: Mapping[KeySet, Keys] = {KeySet.DEFAULT: {}, KeySet.VIM: VIM, KeySet.EMACS: EMACS}
_COMMANDS = MappingProxyType({command.id: command for command in COMMANDS})


@dataclass(frozen=True, slots=True)
class Keymap:
    """What keys do.

    Attributes:
        keys: The keys of commands that have others than they come with.
        faults: What the person asked for and does not get, and what follows from what he gets.
    """

    keys: Keys = field(default_factory=dict)
    faults: tuple[str, ...] = ()

    def keyed(self, command: Command) -> Command:
        """Return a command with the keys it has now."""
        keys = self.keys.get(command.id, command.keys)
        return command if keys == command.keys else msgspec.structs.replace(command, keys=keys, label="")

    def commands(self, *places: Place) -> Iterable[Command]:
        """Yield the commands of places with the keys they have now."""
        return map(self.keyed, commands(*places))

    def key(self, id: str) -> str:
        """Write the first key of a command as people do; "" if it has none."""
        return shown(self.keyed(_COMMANDS[id]).keys)

    def title(self, id: str) -> str:
        """Say what a command does."""
        return _COMMANDS[id].title


def keymap_of(settings: KeySettings) -> Keymap:
    """Put together the keys in force. Whatever is wrong with the settings, there are keys to work with."""
    keys = {command.id: command.keys for command in COMMANDS} | dict(_SETS[settings.set])
    mine: dict[str, str] = {}
    faults: list[str] = []
    for name, text in settings.bind.items():
        try:
            mine[name] = _read(name, text, mine)
        except KeyNameError as error:
            faults.append(f"keys.bind: {name} = “{text}”: {error}; it keeps the keys it had")
    bare = [each for name in mine for each in _make_way(keys, name, mine)]
    keys |= mine
    palette = shown(keys["palette"])
    found = f"; {palette} still finds it" if palette else ""
    faults += [f"{taken}{found}" for taken in bare]
    other = {name: each for name, each in keys.items() if each != _COMMANDS[name].keys}
    return Keymap(other, tuple(faults))


def _read(id: str, text: str, mine: Keys) -> str:
    """The keys the person gives a command; raises `KeyNameError`."""
    command = _COMMANDS.get(id)
    if command is None:
        near = get_close_matches(id, _COMMANDS, n=1)
        raise KeyNameError(f"there is no such command{f' (did you mean {near[0]}?)' if near else ''}")
    keys = read_keys(text)
    for key in filter(None, keys.split(",")):
        if takes_text(command.place) and is_printable(key.split()[0]):
            raise KeyNameError(f"{shown(key)} is text there")
        for other, taken in mine.items():
            if _meet(command, _COMMANDS[other]) and _clash(key, taken):
                raise KeyNameError(f"{shown(key)} was just given to {other}")
    return keys


def _make_way(keys: dict[str, str], id: str, mine: Keys) -> list[str]:
    """Take from other commands the keys that the person gave `id`; says which have none left."""
    bare = []
    for other, theirs in keys.items():
        if other in mine or not _meet(_COMMANDS[id], _COMMANDS[other]):
            continue
        keys[other] = left = without(theirs, mine[id])
        if theirs and not left:
            bare.append(f"{other} has no key any more: {id} took {shown(theirs)}")
    return bare


def _meet(one: Command, other: Command) -> bool:
    return one.id != other.id and meet(one, other) and not (one.yields or other.yields)


def without(keys: str, taken: str) -> str:
    """Return those of `keys` that can be told from all that are `taken`."""
    return ",".join(key for key in keys.split(",") if not _clash(key, taken))


def _clash(key: str, keys: str) -> bool:
    """Whether a key is one of `keys`, or the beginning of keys pressed one after the other, or begins so."""
    others = [other for other in keys.split(",") if other]
    return bool(key) and any(f"{key} ".startswith(f"{o} ") or f"{o} ".startswith(f"{key} ") for o in others)


def clashes(keymap: Keymap) -> list[tuple[str, str, str]]:
    """Return each key that means two things at the same time, with the ids of both commands."""
    keyed = [keymap.keyed(command) for command in COMMANDS]
    return [
        (key, one.id, other.id)
        for place, one in enumerate(keyed)
        for other in keyed[place + 1 :]
        if _meet(one, other)
        for key in one.keys.split(",")
        if _clash(key, other.keys)
    ]


def unsendable(keymap: Keymap) -> list[str]:
    """Return the ids of commands none of whose keys a plain terminal can send."""
    keyed = (keymap.keyed(command) for command in COMMANDS)
    return [each.id for each in keyed if not any(is_plain(key) for key in each.keys.split(",") if key)]
