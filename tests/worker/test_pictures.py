"""Pictures shown to real models by real projectors, of random weights: what is seen makes no sense, but a
difference. The reference is always llama.cpp's own library for pictures."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.pictures import png
from tests.worker import projector
from tests.worker.support import GREEDY, hear, long_text, user
from tests.worker.tiny import WIDTH, spelling, write_sliding_window, write_two_dimensional
from tui_chat.backends.llamacpp.host import LlamaCppBackend
from tui_chat.backends.llamacpp.resident import LlamaCppModel
from tui_chat.backends.protocol import LoadPlan
from tui_chat.chat.model import FinishReason, ProblemCode, Role
from tui_chat.memory.parkfile import ParkLabel
from tui_chat.memory.pictured import cells, end_of_picture, spell, whole, within
from tui_chat.wire.api import Turn
from tui_chat.wire.events import Event, Prefill, Warned
from tui_chat.wire.pictures import Picture
from tui_chat.wire.plan import LoadOptions

LOOKING = Path(__file__).parent / "looking.py"
ROUNDING = 0.01
"""Of logits: in batches of other shapes llama.cpp rounds otherwise."""
WORDS = ["\n\n", "\n", "<fake_token_around_image>", "<global-img>", "<start_of_image>", "<end_of_image>"]
WORDS += ["<|vision_start|>", "<|vision_end|>"]

GREY, BLACK = (Picture("image/png", png(200, 100, colour=level)) for level in (200, 0))


def asked(picture: Picture, words: str = "What is this?") -> tuple[Turn, ...]:
    return (Turn(Role.USER, words, pictures=(picture,)),)


def _in_a_row(folder: Path, starter: Path) -> tuple[Path, Path]:
    projector.write_llava(folder / "mmproj.gguf")
    return starter, folder / "mmproj.gguf"


def _at_once(folder: Path, _: Path) -> tuple[Path, Path]:
    write_sliding_window(folder / "model.gguf", spelling(WORDS))
    projector.write_gemma3(folder / "mmproj.gguf", WIDTH)
    return folder / "model.gguf", folder / "mmproj.gguf"


def _in_tiles(folder: Path, _: Path) -> tuple[Path, Path]:
    write_sliding_window(folder / "model.gguf", spelling(WORDS))
    projector.write_idefics3(folder / "mmproj.gguf", WIDTH)
    return folder / "model.gguf", folder / "mmproj.gguf"


def _in_two_dimensions(folder: Path, _: Path) -> tuple[Path, Path]:
    write_two_dimensional(folder / "model.gguf", spelling(WORDS))
    projector.write_qwen2vl(folder / "mmproj.gguf", WIDTH)
    return folder / "model.gguf", folder / "mmproj.gguf"


@pytest.mark.parametrize("kind", [_in_a_row, _at_once, _in_tiles, _in_two_dimensions])
def test_models_think_of_pictures_what_they_should_whatever_came_before(
    kind: Callable[[Path, Path], tuple[Path, Path]], tmp_path: Path, starter_model: Path
) -> None:
    model, eyes = kind(tmp_path, starter_model)
    (tmp_path / "grey.png").write_bytes(GREY.data)
    (tmp_path / "tall.png").write_bytes(png(120, 260, colour=20))
    command = [sys.executable, LOOKING, model, eyes, tmp_path / "grey.png", tmp_path / "tall.png"]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    said = json.loads(done.stdout)
    assert said["unlike mtmd"] < ROUNDING
    assert said["by any picture"] > 10 * ROUNDING
    assert said["by the other picture"] > 10 * ROUNDING
    assert said["on a walk"]["off"] < ROUNDING
    assert said["on a walk"]["reused"] > 100
    places, taken = said["cells"]
    assert taken >= places
    assert (taken > places) == (kind is _in_two_dimensions)
    assert said["elsewhere"][0] == places
    assert (0 < said["elsewhere"][1] < places) == (taken > 255)


Loader = Callable[..., Awaitable[LlamaCppModel]]


@pytest.fixture
async def sees(tmp_path: Path, starter_model: Path) -> AsyncIterator[Loader]:
    async with AsyncExitStack() as stack:

        async def load(eyes: Path, ubatch: int = 512) -> LlamaCppModel:
            options = LoadOptions(context=2048, ubatch=ubatch)
            plan = LoadPlan(path=starter_model, options=options, threads=1, projector=eyes)
            model = await LlamaCppBackend(tmp_path / "logs").load(plan, lambda _: None)
            stack.push_async_callback(model.close)
            return model

        yield load


@pytest.fixture
async def model(sees: Loader, tmp_path: Path) -> LlamaCppModel:
    projector.write_llava(tmp_path / "mmproj.gguf")
    return await sees(tmp_path / "mmproj.gguf")


async def test_a_picture_is_read_once_and_another_one_is_another_question(model: LlamaCppModel) -> None:
    first = await hear(model, asked(GREY))
    assert first.text != (await hear(model, "What is this?")).text
    tokens = first.settled.usage.prompt_tokens
    assert tokens > projector.PATCHES
    assert [each.total for each in first.prefills] == [tokens] * len(first.prefills)
    again = await hear(model, asked(GREY))
    assert (again.text, again.settled.usage.reused_tokens) == (first.text, tokens)
    other = await hear(model, asked(BLACK))
    assert other.settled.finish in (FinishReason.STOP, FinishReason.LENGTH)
    assert other.settled.usage.reused_tokens < tokens - projector.PATCHES
    further = (
        *asked(GREY),
        Turn(Role.ASSISTANT, first.text),
        Turn(Role.USER, "And this?", pictures=(BLACK,)),
    )
    assert (await hear(model, further)).settled.usage.reused_tokens >= tokens


async def test_stopped_between_pictures_it_goes_on_from_the_last_whole_one(
    model: LlamaCppModel, sees: Loader, tmp_path: Path
) -> None:
    many = tuple(Picture("image/png", png(64, 64, colour=level)) for level in range(0, 250, 10))
    turns = (Turn(Role.USER, "Which is the darkest?", pictures=many),)

    def stop(event: Event) -> None:
        if isinstance(event, Prefill) and event.done > event.total // 2:
            model.cancel("answer")

    stopped = await hear(model, turns, on_event=stop)
    assert stopped.settled.finish is FinishReason.CANCELLED
    again = await hear(model, turns)
    assert again.settled.usage.reused_tokens >= 5 * projector.PATCHES
    fresh = await hear(await sees(tmp_path / "mmproj.gguf"), turns)
    assert fresh.settled.usage.reused_tokens == 0
    assert again.text == fresh.text


async def test_pictures_move_up_with_what_follows_dropped_turns(model: LlamaCppModel) -> None:
    dropped = (Turn(Role.USER, long_text(200)), Turn(Role.ASSISTANT, "Many items."))
    kept = (*asked(GREY, long_text(100)), Turn(Role.ASSISTANT, "A grey thing."))
    system = Turn(Role.SYSTEM, "Look.")
    await hear(model, (system, *dropped, *kept, Turn(Role.USER, "And now?")), shift=True)
    trimmed = (system, *kept, Turn(Role.USER, "And now?", pictures=(BLACK,)))
    heard = await hear(model, trimmed, shift=True)
    assert heard.settled.finish in (FinishReason.STOP, FinishReason.LENGTH)
    assert heard.settled.usage.shifted_tokens > projector.PATCHES + 64
    again = await hear(model, trimmed, shift=True)
    assert again.text == heard.text
    assert again.settled.usage.reused_tokens == again.settled.usage.prompt_tokens


async def test_what_is_parked_with_pictures_is_gone_on_with_elsewhere(
    model: LlamaCppModel, sees: Loader, tmp_path: Path
) -> None:
    first = await hear(model, asked(GREY))
    (tmp_path / "park").touch()
    await model.park(str(tmp_path / "park"), ParkLabel("smol"))
    projector.write_llava(tmp_path / "again.gguf")
    other = await sees(tmp_path / "again.gguf")
    await other.restore(str(tmp_path / "park"))
    further = (*asked(GREY), Turn(Role.ASSISTANT, first.text), Turn(Role.USER, "Are you sure?"))
    heard = await hear(other, further)
    assert heard.settled.usage.reused_tokens >= first.settled.usage.prompt_tokens
    assert heard.text == (await hear(model, further)).text


@pytest.mark.parametrize(
    ("picture", "kind"),
    [
        (Picture("image/png", GREY.data[:60]), "PNG"),
        (Picture("image/webp", b"RIFF\x10\0\0\0WEBPVP8 "), "WEBP"),
        (Picture("image/png", b""), "PNG"),
    ],
)
async def test_a_picture_that_cannot_be_read_is_said_to_and_the_chat_goes_on(
    model: LlamaCppModel, picture: Picture, kind: str
) -> None:
    told = await hear(model, (Turn(Role.USER, "[a picture that cannot be read]\nWhat is this?"),))
    heard = await hear(model, asked(picture))
    (warned,) = (event.problem for event in heard.events if isinstance(event, Warned))
    assert warned.code is ProblemCode.NOT_POSSIBLE
    assert f"cannot read this {kind} picture" in warned.what
    assert "PNG or JPEG" in warned.remedy
    assert heard.text == told.text
    further = (*asked(picture), Turn(Role.ASSISTANT, heard.text), *asked(GREY, "And this one?"))
    heard = await hear(model, further)
    assert heard.settled.problem is None
    assert not any(isinstance(event, Warned) for event in heard.events), "that was said before"


async def test_a_picture_that_is_seen_at_once_and_larger_than_a_batch_ends_no_process(
    sees: Loader, tmp_path: Path
) -> None:
    projector.write_gemma3(tmp_path / "mmproj.gguf", 576)
    model = await sees(tmp_path / "mmproj.gguf", ubatch=3)
    problem = (await hear(model, asked(GREY))).settled.problem
    assert problem is not None
    assert "A picture is 4 tokens to this model, which reads it at once, and batches hold 3." in problem.what
    assert (await hear(model, "Say hello.")).text


async def test_more_pictures_than_the_context_holds_are_refused(model: LlamaCppModel) -> None:
    many = tuple(Picture("image/png", png(64, 64, colour=level)) for level in range(130))
    end = (await hear(model, (Turn(Role.USER, "Look.", pictures=many),))).settled
    assert end.finish is FinishReason.CONTEXT_OVERFLOW
    assert end.usage.prompt_tokens > 130 * projector.PATCHES


@pytest.mark.parametrize(
    ("write", "why"),
    [
        (lambda path: projector.write_gemma3(path, 64), "mismatch between text model"),
        (lambda path: path.write_bytes(b"no projector at all"), "no GGUF file, or a damaged one"),
        (lambda path: write_sliding_window(path), "it is no projector"),
        (lambda path: None, "it is gone"),
    ],
)
async def test_a_projector_that_is_of_no_use_leaves_a_model_that_reads(
    sees: Loader, tmp_path: Path, write: Callable[[Path], object], why: str
) -> None:
    write(tmp_path / "mmproj.gguf")
    model = await sees(tmp_path / "mmproj.gguf")
    assert "mmproj.gguf cannot be used" in model.description.blind
    assert why in model.description.blind
    assert (await hear(model, user("Say hello."), GREEDY)).text


def test_pictures_among_tokens_are_found_measured_and_never_cut_through() -> None:
    flat, wide = spell(b"a" * 32, 5, 5), spell(b"b" * 32, 4, 12)
    tokens = [1, 2, *flat, *wide, 3, *spell(b"c" * 32, 1, 1), 4]
    assert flat != spell(b"c" * 32, 5, 5)
    assert flat[:3] != spell(b"a" * 32, 5, 6)[:3]
    assert all(-(2**31) <= token < 0 for token in (*flat, *wide))
    assert (len(flat), len(wide)) == (5, 4)
    assert [end_of_picture(tokens, at) for at in (2, 7, 12)] == [7, 11, 13]
    assert [whole(tokens, at) for at in range(len(tokens) + 1)] == [
        0,
        1,
        2,
        *[2] * 4,
        *[7] * 4,
        11,
        12,
        13,
        14,
    ]
    assert cells(tokens) == len(tokens) + 8
    assert [within(tokens, most) for most in (0, 2, 6, 7, 18, 19, 20, 99)] == [0, 2, 2, 7, 7, 11, 12, 14]
    with pytest.raises(ValueError, match="one position"):
        spell(b"d" * 32, 1, 2)


async def test_more_bytes_than_can_be_handed_over_are_refused_and_hurt_nobody(model: LlamaCppModel) -> None:
    large = Picture("image/png", bytes(20 << 20))
    end = (await hear(model, (Turn(Role.USER, "Look.", pictures=(large,) * 30),))).settled
    assert end.problem is not None
    assert "are 0.6 GiB, and 0.5 GiB can be shown at once" in end.problem.what
    assert (await hear(model, "Say hello.")).text
