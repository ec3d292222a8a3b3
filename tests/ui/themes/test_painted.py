"""Every theme on every screen: legible, as it was last time, told apart without colours and in ASCII.

After a wanted change: ``UPDATE_SNAPSHOTS=1 pytest tests/ui/themes``, and read the diff.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator

import pytest

from tests.servers.ollama_stand_in import OllamaStandIn, ollama_in_thread
from tests.servers.small_ollama import Model
from tests.ui.snapshot import FOLDER
from tests.ui.support import SMALL, Chats
from tests.ui.themes.audit import THEMES, Audit, audited, written
from tests.ui.themes.tour import SERVED, STOPS
from tui_chat.ui.command import Place
from tui_chat.ui.glyphs import spelt

KEPT = FOLDER / "themes"


def test_every_place_is_looked_at() -> None:
    seen = {stop.place for stop in (*STOPS, *SERVED)}
    assert seen == set(Place) - {Place.EVERYWHERE, Place.EDITING, Place.LISTS}


@pytest.mark.timeout(600)  # some hundred screens, on a machine that may be slow
async def test_all_screens_in_all_themes(chats: Chats) -> None:
    audit = await audited(chats.home)
    _hold(audit)
    for theme in THEMES:
        _compare(theme.name, audit)


@pytest.fixture
def ollama() -> Iterator[OllamaStandIn]:
    tiny = Model(
        "tiny:1b", licence="Clause 1: be kind.", parameters="temperature 0.7", system="You are tiny."
    )
    with ollama_in_thread(tiny, Model("wise:1b", thinking="Let me see.")) as stand_in:
        yield stand_in


async def test_servers_in_all_themes(chats: Chats, ollama: OllamaStandIn, locked: OllamaStandIn) -> None:
    urls = (("ollama", ollama.url), ("locked", locked.url))
    chats.home.configure("".join(f'[servers.{name}]\nurl = "{url}"\nkind = "ollama"\n' for name, url in urls))
    audit = Audit()
    async with chats.open(SMALL) as chat:
        await audit.walk(chat, SERVED)
    _hold(audit)


def _hold(audit: Audit) -> None:
    assert audit.checked > 100 * len(audit.texts)
    assert not audit.pairs, "\n".join(map(str, audit.pairs))
    for name, text in audit.texts.items():
        left = {character for character in spelt(text, True, True) if not character.isascii()}
        assert not left, f"{name} in ASCII still has {left}"
        assert len(spelt(text, True, False)) == len(spelt(text, True, True))


def _compare(theme: str, audit: Audit) -> None:
    file, seen = KEPT / f"{theme}.txt", written(theme, audit.styles[theme])
    if os.environ.get("UPDATE_SNAPSHOTS"):
        KEPT.mkdir(exist_ok=True)
        file.write_text(seen, encoding="utf-8")
    kept = file.read_text(encoding="utf-8")
    difference = "\n".join(difflib.unified_diff(kept.splitlines(), seen.splitlines(), "kept", "seen", n=0))
    assert seen == kept, difference
