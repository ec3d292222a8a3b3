"""The written format is the code's format, and the examples keep to it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import msgspec
import pytest

from tests.store.support import asked, make_session
from tui_chat.chat.compose import compose
from tui_chat.chat.model import FinishReason
from tui_chat.chat.pictures import look_at
from tui_chat.chat.tree import ChatTree
from tui_chat.store.codec import encode
from tui_chat.store.sessions import SessionStore

ROOT = Path(__file__).parents[2]
SCHEMA_FILE = ROOT / "docs" / "session.schema.json"
EXAMPLES = sorted((ROOT / "sessions.example").glob("*.json"))


def test_the_schema_in_the_docs_is_current() -> None:
    made = subprocess.run(
        [sys.executable, "-m", "tui_chat.store.schema"], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert made.stdout == SCHEMA_FILE.read_text(), (
        "run: python -m tui_chat.store.schema > docs/session.schema.json"
    )


def test_what_is_saved_is_valid_and_what_is_foreign_is_not() -> None:
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA_FILE.read_text()))
    validator.validate(json.loads(encode(asked(make_session()))))
    for broken in ({}, {"schema": 2}, {**json.loads(encode(make_session())), "messages": [{"id": 1}]}):
        assert not validator.is_valid(broken)


def test_there_are_examples_of_everything() -> None:
    assert len(EXAMPLES) >= 3


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_valid_and_opens(example: Path, tmp_path: Path) -> None:
    jsonschema.Draft202012Validator(json.loads(SCHEMA_FILE.read_text())).validate(
        json.loads(example.read_text())
    )
    shutil.copy(example, tmp_path)
    store = SessionStore(tmp_path)
    (summary,) = store.list()
    assert summary.problem is None
    assert summary.preview
    with store.open(example.stem) as opened:
        assert opened.notices == ()
        assert opened.unsettled == ()
        assert encode(opened.session) == example.read_bytes(), "the file is as we would write it"
        tree = ChatTree(opened.session)
        asked_last = tree.path()[-2]
        assert compose(tree, asked_last.id).lines[-1].text == asked_last.text


def test_the_examples_show_a_text_and_a_picture_that_is_there() -> None:
    messages = [message for path in EXAMPLES for message in json.loads(path.read_text())["messages"]]
    attached = [each for message in messages for each in message.get("attachments", ())]
    assert any(each["text"] for each in attached)
    shown = {each["picture"]["sha256"]: each["picture"] for each in attached if "picture" in each}
    there = {path.stem: look_at(path.read_bytes()) for path in (EXAMPLES[0].parent / "pictures").iterdir()}
    assert {digest: msgspec.to_builtins(found) for digest, found in there.items()} == shown
    assert shown


def test_the_examples_show_branches_thinking_and_a_partial_answer() -> None:
    messages = [message for path in EXAMPLES for message in json.loads(path.read_text())["messages"]]
    assert any(message.get("thinking") for message in messages)
    finishes = {message["answer"]["finish"] for message in messages if "answer" in message}
    assert {FinishReason.STOP.value, FinishReason.CANCELLED.value} <= finishes
    parents = [message.get("parent") for message in messages if "answer" in message]
    assert len(set(parents)) < len(parents)
