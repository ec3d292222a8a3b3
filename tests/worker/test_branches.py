"""A conversation is a tree, and the cache follows it: what was read of a branch is not read again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import msgspec

from tests.worker import tiny
from tests.worker.conftest import Loader
from tests.worker.support import BRIEF, COUNT, GREEDY, Heard, hear, long_text, user
from tui_chat.backends.llamacpp.resident import LlamaCppModel
from tui_chat.chat.model import FinishReason, Role, Sampling, Usage
from tui_chat.memory.sharing import BRANCHES
from tui_chat.wire.api import Turn

MOVED = Path(__file__).parent / "moved.py"
SYSTEM = Turn(Role.SYSTEM, "You are a clerk who keeps lists.")
FEW = 16
"""Tokens that a template writes around a turn, and the one that was drawn last and never evaluated."""
NEAR = 8
"""Tokens that regenerating may cost a model that cannot be cut off anywhere."""


def _answered(turns: tuple[Turn, ...], heard: Heard) -> tuple[Turn, ...]:
    return (*turns, Turn(Role.ASSISTANT, heard.text))


async def _usage(model: LlamaCppModel, turns: tuple[Turn, ...]) -> Usage:
    return (await hear(model, turns, BRIEF)).settled.usage


async def test_a_branch_that_was_left_is_gone_on_with_at_once(loaded: Loader) -> None:
    model = await loaded()
    root = (SYSTEM, *user("Keep these: " + long_text(150)))
    one, other = ((*root, *user(f"Add {word} " + long_text(100))) for word in ("apples", "pears"))
    first = await hear(model, one, BRIEF)
    second = await hear(model, other, BRIEF)
    shared = second.settled.usage.reused_tokens
    assert shared > 100, "both begin with the same"

    for turns, heard in ((one, first), (other, second)):
        usage = await _usage(model, (*_answered(turns, heard), *user("And now?")))
        read = heard.settled.usage
        assert usage.reused_tokens >= read.prompt_tokens + read.completion_tokens - FEW


async def test_regenerating_reads_nothing_and_a_seed_gives_the_same_answer(loaded: Loader) -> None:
    model = await loaded()
    for sampling in (GREEDY, Sampling(seed=7, max_tokens=24)):
        first = await hear(model, COUNT, sampling)
        again = await hear(model, COUNT, sampling)
        assert again.settled.usage.reused_tokens == again.settled.usage.prompt_tokens
        assert again.text == first.text


async def test_a_regenerated_answers_sibling_is_still_there(loaded: Loader) -> None:
    model = await loaded()
    prompt = user("Tell a story about a lighthouse and the sea.")
    first = await hear(model, prompt, Sampling(seed=1, max_tokens=40))
    second = await hear(model, prompt, Sampling(seed=2, max_tokens=40))
    assert first.text != second.text
    for heard in (first, second):
        usage = await _usage(model, (*_answered(prompt, heard), *user("Go on.")))
        assert usage.reused_tokens >= heard.settled.usage.prompt_tokens + 40 - FEW


async def test_branches_go_when_their_cells_are_needed_and_never_stand_in_the_way(loaded: Loader) -> None:
    model, fresh = await loaded(context=256), await loaded(context=256)
    for number in range(BRANCHES + 2):
        heard = await hear(model, f"List {number}: {long_text(15 * (number % 4) + 25)}", BRIEF)
        assert heard.settled.finish is FinishReason.LENGTH
    longest = long_text(260)
    heard = await hear(model, longest, BRIEF)
    usage = heard.settled.usage
    assert usage.prompt_tokens + usage.completion_tokens > 200, "all others had to go"
    assert heard.text == (await hear(fresh, longest, BRIEF)).text


async def test_another_context_keeps_the_branches_that_fit(loaded: Loader) -> None:
    model = await loaded(context=512)
    one, other = (user(f"{word}: {long_text(150)}") for word in ("apples", "pears"))
    first = await hear(model, one, BRIEF)
    await hear(model, other, BRIEF)
    options = model.description.options
    assert options is not None
    for context, reused in ((1024, True), (256, False)):
        await model.resize(msgspec.structs.replace(options, context=context))
        again = await hear(model, one, BRIEF)
        usage = again.settled.usage
        assert (usage.reused_tokens == usage.prompt_tokens) is reused
        assert again.text == first.text
        await hear(model, other, BRIEF)


async def test_dropped_turns_leave_what_follows_in_the_cache_only_for_those_who_want_that(
    loaded: Loader,
) -> None:
    model, fresh = await loaded(), await loaded()
    turns: tuple[Turn, ...] = (SYSTEM,)
    for number in range(3):
        turns = (*turns, *user(f"List {number}: " + long_text(80)))
        heard = await hear(model, turns, BRIEF)
        turns = _answered(turns, heard)
    trimmed = (SYSTEM, *turns[3:], *user("And now?"))
    moved = await hear(model, trimmed, BRIEF, shift=True)
    usage = moved.settled.usage
    assert usage.shifted_tokens > 120
    assert usage.reused_tokens > usage.prompt_tokens - 2 * FEW - NEAR
    further = (*_answered(trimmed, moved), *user("And then?"))
    usage = (await hear(model, further, BRIEF, shift=True)).settled.usage
    assert usage.shifted_tokens == 0, "it lies there now"
    assert usage.reused_tokens > usage.prompt_tokens - 2 * FEW - NEAR

    exact = await hear(model, trimmed, BRIEF)
    assert exact.settled.usage.reused_tokens < 100, "only what stands before the gap"
    assert exact.text == (await hear(fresh, trimmed, BRIEF)).text


def test_tokens_are_moved_to_just_where_they_belong(tmp_path: Path) -> None:
    """With one layer nothing of the dropped tokens is in those that follow, so the logits must be right."""
    model = tmp_path / "shallow.gguf"
    tiny.write_plain(model, layers=1)
    done = subprocess.run([sys.executable, MOVED, model, "exact"], capture_output=True, check=True)
    report = json.loads(done.stdout)
    assert report["moved"] == report["expected"]
    assert report["error"] < report["unmoved"] / 100_000
    assert report["sibling_error"] == 0


async def test_a_sliding_window_model_regenerates_from_near_the_prompts_end(
    loaded: Loader, tmp_path: Path
) -> None:
    path = tmp_path / "speller.gguf"
    tiny.write_speller(path)
    model = await loaded(context=2048, path=path)
    question = user(long_text(300))
    sampling = Sampling(seed=3, max_tokens=200)
    first = await hear(model, question, sampling)
    again = await hear(model, question, sampling)
    usage = again.settled.usage
    assert usage.prompt_tokens - usage.reused_tokens <= NEAR
    assert again.settled.usage.completion_tokens == first.settled.usage.completion_tokens
