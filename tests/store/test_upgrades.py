"""Older files are lifted step by step, purely, and written in today's form at the next save."""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tui_chat.chat.model import SCHEMA, Role
from tui_chat.store.errors import StoreError
from tui_chat.store.sessions import SessionStore
from tui_chat.store.upgrades import UPGRADERS, NoUpgradeError, lift

FIXTURES = Path(__file__).parent / "fixtures"
V0 = FIXTURES / "v0.json"


def v0_to_v1(raw: dict[str, Any]) -> dict[str, Any]:
    """Flat logs became trees."""
    messages: list[dict[str, Any]] = []
    for index, entry in enumerate(raw["log"]):
        ((speaker, text),) = entry.items()
        role = "user" if speaker == "you" else "assistant"
        made = {"id": f"m{index}", "role": role, "text": text, "created": raw["date"]}
        if messages:
            made["parent"] = messages[-1]["id"]
        if role == "assistant":
            made["answer"] = {"model": "unknown", "finish": "stop"}
        messages.append(made)
    return {
        "id": raw["id"],
        "title": raw["name"],
        "created": raw["date"],
        "updated": raw["date"],
        "leaf": messages[-1]["id"],
        "messages": messages,
    }


def older(tmp_path: Path, **changes: Any) -> SessionStore:
    (tmp_path / "talk.json").write_text(json.dumps(json.loads(V0.read_text()) | changes))
    return SessionStore(tmp_path, upgraders=(v0_to_v1, *UPGRADERS))


def test_an_older_file_opens_and_is_saved_in_todays_form(tmp_path: Path) -> None:
    store = older(tmp_path)
    before = (tmp_path / "talk.json").read_bytes()
    (summary,) = store.list()
    assert summary.problem is None
    assert (summary.title, summary.messages, summary.preview) == ("Before there were branches", 3, "Hello?")
    with store.open("talk") as opened:
        assert opened.notices == ()
        assert [message.role for message in opened.session.messages] == [Role.USER, Role.ASSISTANT, Role.USER]
        assert opened.session.messages[2].parent == "m1"
        assert (tmp_path / "talk.json").read_bytes() == before, "opening alone writes nothing"
        opened.save(opened.session)
        session = opened.session
    with SessionStore(tmp_path).open("talk") as today:
        assert today.session == session


def test_a_session_of_the_first_release_opens_with_all_it_had(tmp_path: Path) -> None:
    shutil.copy(FIXTURES / "v1.json", tmp_path / "tea.json")
    raw = json.loads((FIXTURES / "v1.json").read_text())
    with SessionStore(tmp_path).open("tea") as opened:
        assert opened.notices == ()
        opened.save(opened.session)
    saved = json.loads((tmp_path / "tea.json").read_text())
    assert saved["schema"] == SCHEMA
    assert {key: saved[key] for key in raw if key not in ("schema", "id")} == {
        key: value for key, value in raw.items() if key not in ("schema", "id")
    }


def test_a_step_that_meets_a_foreign_shape_is_damage(tmp_path: Path) -> None:
    store = older(tmp_path, log="none")
    with pytest.raises(StoreError, match="torn or no session"):
        store.open("talk")
    assert (tmp_path / "quarantine" / "talk.json").exists()


def test_steps_run_in_order_and_change_nothing_they_are_given() -> None:
    ran: list[int] = []

    def step(number: int) -> Any:
        def upgrade(raw: dict[str, Any]) -> dict[str, Any]:
            ran.append(number)
            assert raw["schema"] == number
            return {**raw, "seen": [*raw.get("seen", []), number]}

        return upgrade

    chain = [step(SCHEMA - 3), step(SCHEMA - 2), step(SCHEMA - 1)]
    raw = {"schema": SCHEMA - 2, "deep": {"kept": [1]}}
    given = copy.deepcopy(raw)
    lifted = lift(raw, chain)
    assert ran == [SCHEMA - 2, SCHEMA - 1]
    assert lifted == {"schema": SCHEMA, "deep": {"kept": [1]}, "seen": [SCHEMA - 2, SCHEMA - 1]}
    assert raw == given


@pytest.mark.parametrize("schema", [-1, SCHEMA + 1, None, "1", 1.5])
def test_what_no_chain_leads_from_is_refused(schema: Any) -> None:
    with pytest.raises(NoUpgradeError):
        lift({"schema": schema}, UPGRADERS)
