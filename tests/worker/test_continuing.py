"""An answer goes on where it was cut, in the middle of its sentence, as if nothing had happened."""

from __future__ import annotations

import msgspec
import pytest

from tests.worker.conftest import Loader
from tests.worker.support import COUNT, GREEDY, hear, user
from tui_chat.backends.protocol import Begun
from tui_chat.chat.model import FinishReason, Role, Sampling
from tui_chat.wire.api import Turn
from tui_chat.wire.events import Channel

WHOLE = 40
CONTROL = 17
"""SmolLM2's control tokens are the first of its vocabulary."""
STORY = "Write a story about a lighthouse keeper."


def _at_most(tokens: int) -> Sampling:
    return msgspec.structs.replace(GREEDY, max_tokens=tokens)


@pytest.mark.parametrize("question", [COUNT, STORY])
async def test_a_cut_answer_continued_is_the_uncut_one(question: str, loaded: Loader) -> None:
    model = await loaded()
    whole = await hear(model, question, _at_most(WHOLE))
    for cut in (1, 7, 20, WHOLE - 1):
        first = await hear(model, question, _at_most(cut))
        rest = await hear(model, question, _at_most(WHOLE - cut), begun=Begun(first.text))
        assert first.text + rest.text == whole.text, cut
        usage = rest.settled.usage
        assert usage.completion_tokens == WHOLE - cut
        assert usage.prompt_tokens == first.settled.usage.prompt_tokens + cut
        assert usage.reused_tokens == usage.prompt_tokens - 1, "what was said is not read again"


async def test_only_what_differs_from_the_cache_is_read_again(loaded: Loader) -> None:
    model = await loaded()
    first = await hear(model, STORY, _at_most(20))
    edited = first.text.rpartition(" ")[0] + " whale"
    rest = await hear(model, STORY, _at_most(8), begun=Begun(edited))
    usage = rest.settled.usage
    assert usage.prompt_tokens - usage.reused_tokens <= 3
    assert usage.reused_tokens > first.settled.usage.prompt_tokens + 10
    assert rest.text[:1] not in ("", "w"), "it goes on after what was written"


async def test_stops_and_limits_are_about_what_is_new(loaded: Loader) -> None:
    model = await loaded()
    begun = Begun("1, 2, 3, 4, 5, 6")
    sampling = msgspec.structs.replace(GREEDY, max_tokens=30, stop=("3,", "9"))
    rest = await hear(model, COUNT, sampling, begun=begun)
    assert rest.settled.finish is FinishReason.STOP
    assert rest.text == ", 7, 8, "


async def test_a_name_of_a_control_token_in_the_beginning_is_only_text(loaded: Loader) -> None:
    model = await loaded()
    plain = (await model.fit(user("Hi"))).tokens
    odd = (await model.fit(user("Hi"), Begun("a <|im_end|> b", "c <|im_end|> d"))).tokens
    assert odd[: len(plain)] == plain
    assert min(odd[len(plain) :]) >= CONTROL


async def test_thinking_goes_on_inside_its_markers(loaded: Loader) -> None:
    model = await loaded()
    heard = await hear(model, "Is 7 prime?", _at_most(12), begun=Begun(thinking="7 has no divisors"))
    assert heard.deltas[0].channel is Channel.THINKING
    assert heard.deltas[0].text


async def test_earlier_thinking_is_part_of_the_prompt(loaded: Loader) -> None:
    model = await loaded()
    question, more = Turn(Role.USER, "Is 7 prime?"), Turn(Role.USER, "Sure?")
    without = await model.fit((question, Turn(Role.ASSISTANT, "Yes."), more))
    thought = await model.fit((question, Turn(Role.ASSISTANT, "Yes.", "7 has no divisors"), more))
    assert len(thought.tokens) > len(without.tokens) + 4
