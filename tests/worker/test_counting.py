"""Tokens are counted turn by turn as they are sent, with or without the weights, beside a running answer."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.worker import tiny
from tests.worker.conftest import Loader
from tests.worker.support import ENDLESS, hear, long_text, user
from tui_chat.backends.llamacpp.prober import Prober
from tui_chat.backends.llamacpp.worker.spans import find_ends
from tui_chat.backends.llamacpp.worker.template import ChatTemplate
from tui_chat.backends.protocol import BackendError
from tui_chat.chat.model import ProblemCode, Role
from tui_chat.wire.api import CountReply, Turn
from tui_chat.wire.events import Delta, Event

ASK = 4
"""Tokens of what SmolLM2's template writes for an answer to begin."""
TEXTS = (
    *("user", "assistant", "m", "Go on.", "<|im_end|>", "a <|im_end|>\n<|im_start|>user b", " \n spaced \n"),
    *("né 👩‍👩‍👧 日本", "```py\nx = 1\n```", "<think>x</think> y", long_text(60)),
)
TURNS = (
    Turn(Role.SYSTEM, "Be brief."),
    Turn(Role.USER, "user"),
    Turn(Role.ASSISTANT, " Hello ", "hm"),
    Turn(Role.USER, "user"),
)
FINAL = "{% if add_generation_prompt %}[assistant]{% endif %}"


@pytest.fixture
async def prober() -> AsyncIterator[Prober]:
    prober = Prober()
    yield prober
    await prober.close()


def _conversation(draw: random.Random, length: int) -> tuple[Turn, ...]:
    begin = (Turn(Role.SYSTEM, draw.choice(TEXTS)),) if draw.random() < 0.5 else ()
    roles = (Role.USER, Role.ASSISTANT)
    turns = (Turn(roles[place % 2], draw.choice(TEXTS)) for place in range(length))
    return (*begin, *turns)


async def test_turns_and_what_is_written_for_the_answer_make_up_the_prompt(
    loaded: Loader, prober: Prober, starter_model: Path
) -> None:
    model, draw = await loaded(), random.Random(4)
    for length in (1, 1, 2, 3, 5, 8, 13):
        turns = _conversation(draw, length)
        count = await model.count(turns)
        assert count.total == len((await model.fit(turns)).tokens)
        assert count.total - sum(count.turns) == ASK
        for end in range(1, len(turns)):
            assert (await model.count(turns[:end])).turns == count.turns[:end]
        assert await prober.count(str(starter_model), turns) == count


async def test_an_answer_that_is_written_is_not_waited_for(loaded: Loader) -> None:
    model = await loaded()
    counted: list[CountReply] = []

    async def count() -> None:
        counted.append(await model.count(user("Hello")))
        model.cancel("answer")

    tasks = []

    def on_event(event: Event) -> None:
        if isinstance(event, Delta) and not tasks:
            tasks.append(asyncio.create_task(count()))

    await hear(model, "Tell me a story.", ENDLESS, on_event)
    assert counted[0].total > counted[0].turns[0] > 0


async def test_a_vocabulary_that_spells_is_counted_too(
    loaded: Loader, prober: Prober, tmp_path: Path
) -> None:
    path = tmp_path / "speller.gguf"
    tiny.write_speller(path)
    turns = _conversation(random.Random(5), 4)
    count = await prober.count(str(path), turns)
    assert min(count.turns) > 0
    assert count.total > sum(count.turns)
    assert await (await loaded(path=path)).count(turns) == count


async def test_what_cannot_be_counted_is_said_and_the_next_question_answered(
    prober: Prober, starter_model: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(starter_model.read_bytes()[:5000])
    codes = {broken: ProblemCode.LOAD_FAILED, tmp_path / "gone.gguf": ProblemCode.MODEL_MISSING}
    for path, code in codes.items():
        with pytest.raises(BackendError) as caught:
            await prober.count(str(path), TURNS)
        assert caught.value.problem.code is code
        assert path.name in caught.value.problem.what
    assert (await prober.count(str(starter_model), TURNS)).total > 0


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        # As it is; trimmed; with thinking where the template wants it.
        (
            "{% for m in messages %}[{{ m.role }}]{{ m.content }}(end){% endfor %}",
            ["[system]Be brief.(end)", "[user]user(end)", None, "[user]user(end)"],
        ),
        (
            "{% for m in messages %}[{{ m.role }}]{{ m.content | trim }}(end){% endfor %}",
            ["[system]Be brief.(end)", "[user]user(end)", None, "[user]user(end)"],
        ),
        # Another form of the last turn, as Qwen3 writes it.
        (
            "{% for m in messages %}[{{ m.role }}]{% if loop.last %}(now){% endif %}"
            "{{ m.content.split('</think>')[-1] | trim }}(end){% endfor %}",
            ["[system]Be brief.(end)", "[user]user(end)", "[assistant]Hello(end)", "[user](now)user(end)"],
        ),
        # The system's text moved into the user's, and turns taken strictly.
        (
            "{% for m in messages %}"
            "{% if m.role == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
            "[{{ m.role }}]{{ m.content.split('</think>')[-1] | trim }}(end){% endfor %}",
            ["[user]Be brief.", "\n\nuser(end)", "[assistant]Hello(end)", "[user]user(end)"],
        ),
        # Without any role, and with nothing of what the model said.
        (
            "{% for m in messages if m.role != 'assistant' %}{{ m.content }}\n{% endfor %}",
            ["Be brief.\n", "user\n", "", "user\n"],
        ),
    ],
)
def test_each_turn_is_found_where_a_template_wrote_it(source: str, parts: list[str | None]) -> None:
    template = ChatTemplate(source + FINAL, "<s>", "</s>")
    text, form = template.render(TURNS)
    ends = find_ends(template, TURNS, form, text)
    found = [text[start:end] for start, end in pairwise((0, *ends))]
    assert [part for part, wanted in zip(found, parts, strict=True) if wanted is not None] == [
        wanted for wanted in parts if wanted is not None
    ]
    assert text[ends[-1] :] == "[assistant]"
