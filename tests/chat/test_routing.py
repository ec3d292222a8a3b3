"""Which model a message goes to, by what stands in it."""

from __future__ import annotations

import msgspec
import pytest

from tui_chat.chat.routing import Pair, Route, Routes, Why, has_code, route

PAIR = Pair("small", "large", longer_than=50)
CODE = "def double(x):\n    return 2 * x"


@pytest.mark.parametrize(
    "text",
    [
        "What is wrong here?\n```\nx = [1, 2\n```",
        CODE,
        "Traceback (most recent call last)\n  KeyError: 'a'",
        "for (int i = 0; i < n; i++) {\n  sum += i;\n}",
        "SELECT name FROM users",
        "#include <stdio.h>",
        "const x = items.map(each => each.id)",
    ],
)
def test_code_is_seen(text: str) -> None:
    assert has_code(text)


@pytest.mark.parametrize(
    "text",
    [
        "What is the capital of France?",
        "Import duties rose; they were 5 % -> 7 %.",
        "My class begins at nine; will I be late?",
        "Write a poem about spring.\n\nIt should rhyme;",
        "2 < 3 && true?",
    ],
)
def test_prose_is_no_code(text: str) -> None:
    assert not has_code(text)


@pytest.mark.parametrize(
    ("routes", "text", "expected"),
    [
        (Routes(), "hello", None),
        (Routes(code="coder"), "hello", None),
        (Routes(code="coder"), CODE, ("coder", Why.CODE)),
        (Routes(chat="talker", code="coder"), "hello", ("talker", Why.REST)),
        (Routes(chat="talker", fast="quick"), "hello", ("quick", Why.SHORT)),
        (Routes(chat="talker", fast="quick"), "hello\nthere", ("talker", Why.REST)),
        (Routes(pair=PAIR), "hello", ("small", Why.SHORT)),
        (Routes(pair=PAIR), "word " * 100, ("large", Why.LONG)),
        (Routes(pair=PAIR), CODE, ("large", Why.CODE)),
        (Routes(pair=msgspec.structs.replace(PAIR, code=False)), CODE, ("small", Why.SHORT)),
        (Routes(pair=PAIR, code="coder"), CODE, ("coder", Why.CODE)),
    ],
)
def test_what_stands_in_a_message_decides(
    routes: Routes, text: str, expected: tuple[str, Why] | None
) -> None:
    found = route(routes, text)
    assert (found and (found.model, found.why)) == expected
    assert found is None or found.text == text, "the message itself stays as it is"


def test_the_word_before_it_decides_whatever_stands_in_it() -> None:
    routes = Routes(code="coder", pair=PAIR)
    assert route(routes, "/large hello") == Route("large", Why.ASKED, "hello")
    assert route(routes, f"/small {CODE}") == Route("small", Why.ASKED, CODE)
    assert route(routes, "/code") == Route("small", Why.SHORT, "/code"), "a word alone is a message"
    assert route(routes, "/fast hello") == Route("small", Why.SHORT, "/fast hello"), "there is no such route"


def test_what_is_attached_decides_too() -> None:
    routes = Routes(chat="talker", fast="quick", code="coder", pair=PAIR)
    assert route(routes, "What is wrong?", attached=CODE) == Route("coder", Why.CODE, "What is wrong?")
    assert route(routes, "Sum it up.", attached="word " * 100) == Route("large", Why.LONG, "Sum it up.")
    assert route(Routes(fast="quick"), "Sum it up.", attached="A day at sea.") is None, "it is not short"
    assert route(routes, "/large", attached="A day at sea.") == Route("large", Why.ASKED, "")


def test_a_preset_has_its_model() -> None:
    routes = Routes(chat="talker", code="coder", presets={"writer": "poet"})
    assert route(routes, CODE, "writer") == Route("poet", Why.PRESET, CODE)
    assert route(routes, "/code hello", "writer") == Route("coder", Why.ASKED, "hello")
