"""A model tells which answer its cache holds, after whatever changed that."""

from __future__ import annotations

from pathlib import Path

import msgspec

from tests.worker.conftest import Loader
from tests.worker.support import GREEDY, hear, long_text, user
from tui_chat.backends.protocol import Branch
from tui_chat.memory.parkfile import ParkLabel
from tui_chat.wire.events import Event, Settled


async def test_what_is_held_is_told_before_the_end_of_an_answer_is(loaded: Loader) -> None:
    model = await loaded()
    told: list[tuple[Branch, ...]] = []

    def on_event(event: Event) -> None:
        if isinstance(event, Settled):
            told.append(model.branches)

    assert model.branches == ()
    usage = (await hear(model, "Hi", on_event=on_event)).settled.usage
    ((branch,),) = told
    assert branch.tag == "answer"
    assert 0 <= usage.prompt_tokens + usage.completion_tokens - branch.tokens <= 1


async def test_a_conversation_keeps_its_name_when_it_is_parked_restored_and_resized(
    loaded: Loader, tmp_path: Path
) -> None:
    model, park = await loaded(), tmp_path / "park"
    park.touch()
    await hear(model, long_text(100))
    (held,) = model.branches
    await model.park(str(park), ParkLabel("SmolLM2", "talk", answer="parked"))
    async for _ in model.generate("other", user("Hi"), msgspec.structs.replace(GREEDY, max_tokens=1)):
        pass
    assert [branch.tag for branch in model.branches] == ["other", "answer"]
    await model.restore(str(park))
    assert model.branches[0] == Branch("parked", held.tokens)
    options = model.description.options
    assert options is not None
    await model.resize(msgspec.structs.replace(options, context=1024))
    assert model.branches[0] == Branch("parked", held.tokens)
