"""Thinking and answer come apart the same way however the text is cut into pieces."""

from __future__ import annotations

import itertools

import pytest

from tui_chat.backends.llamacpp.worker.beginning import beginning
from tui_chat.backends.llamacpp.worker.streams import StopMatcher
from tui_chat.backends.llamacpp.worker.thinking import splitter, thinks
from tui_chat.backends.llamacpp.worker.voice import Voice
from tui_chat.backends.protocol import NEW, Begun
from tui_chat.wire.events import Channel

HARMONY = "… <|channel|> … <|message|> …"
THINKER = "… </think> …"
CASES = [
    # template, end of the prompt, what the model writes, thinking, answer
    (THINKER, "", "<think>\nhm, 1 < 2\n\n</think>\n\nYes.", "hm, 1 < 2", "Yes."),
    (THINKER, "", "<think>\n\n</think>\n\nYes.", "", "Yes."),
    (THINKER, "", "  \n<thinking>a </think> b</thinking>c", "a </think> b", "c"),
    (THINKER, "", "[THINK]so[/THINK]Thus.", "so", "Thus."),
    (
        THINKER,
        "",
        "Tags like <think>x</think> are text here.",
        "",
        "Tags like <think>x</think> are text here.",
    ),
    (THINKER, "", "<thin ice>", "", "<thin ice>"),
    (THINKER, "", "", "", ""),
    (THINKER, "", "<think>never done \n", "never done", ""),
    (THINKER, "", "<think>almost</thin", "almost</thin", ""),
    (THINKER, "assistant\n<think>\n", "open already\n</think>\nYes.", "open already", "Yes."),
    (THINKER, "<think>\n\n</think>\n\n", "Yes.", "", "Yes."),
    (
        HARMONY,
        "<|start|>assistant",
        "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>Yes.",
        "hm",
        "Yes.",
    ),
    (HARMONY, "<|start|>assistant", "<|message|>Yes.", "", "Yes."),
    (HARMONY, "<|start|>assistant", "Plain words.", "", "Plain words."),
]


def _split(
    template: str, prompt: str, pieces: list[bytes], stops: tuple[str, ...] = (), begun: Begun = NEW
) -> dict[Channel, str]:
    voice = Voice(splitter(template, prompt, begun), stops)
    heard = {Channel.THINKING: "", Channel.ANSWER: ""}
    for part in itertools.chain(*map(voice.feed, pieces), voice.finish()):
        heard[part[0]] += part[1]
    return heard


def _cuts(raw: bytes) -> list[list[bytes]]:
    """`raw` whole, byte by byte, and cut at every pair of places."""
    pairs = itertools.combinations_with_replacement(range(len(raw) + 1), 2)
    return [
        [raw],
        [raw[i : i + 1] for i in range(len(raw))],
        *([raw[:a], raw[a:b], raw[b:]] for a, b in pairs),
    ]


@pytest.mark.parametrize(("template", "prompt", "text", "thinking", "answer"), CASES)
def test_channels_do_not_depend_on_the_cuts(
    template: str, prompt: str, text: str, thinking: str, answer: str
) -> None:
    for pieces in _cuts(text.encode()):
        heard = _split(template, prompt, pieces)
        assert heard == {Channel.THINKING: thinking, Channel.ANSWER: answer}, pieces


SPOKEN = [
    # template, end of the prompt, what the model says, token by token
    (
        THINKER,
        "assistant\n",
        ["<think>", "\n", "hm,", " so", "\n", "</think>", "\n\n", "Yes,", " <think>", "!"],
    ),
    (THINKER, "<think>\n", ["hm,", " so", "\n", "</think>", "\n\n", "Yes,", " it", " is"]),
    (THINKER, "<think>", ["\n", "hm,", " so", "\n", "</think>", "\n\n", "Yes,", " it", " is"]),
    ("[THINK][/THINK]", "", ["[THINK]", "hm,", " so", "[/THINK]", "Yes,", " it", " is"]),
    ("none", "", ["Yes,", " it", " is"]),
    (
        HARMONY,
        "<|start|>assistant",
        [
            *("<|channel|>", "analysis", "<|message|>", "hm,", " so", "<|end|>", "<|start|>", "assistant"),
            *("<|channel|>", "final", "<|message|>", "Yes,", " it", " is"),
        ],
    ),
    (HARMONY, "<|start|>assistant", ["<|channel|>", "final", "<|message|>", "Yes,", " it", " is"]),
]


@pytest.mark.parametrize(("template", "prompt", "tokens"), SPOKEN)
def test_an_answer_goes_on_from_wherever_it_was_cut(template: str, prompt: str, tokens: list[str]) -> None:
    whole, said = _split(template, prompt, [token.encode() for token in tokens]), "".join(tokens)
    for cut in range(len(tokens)):
        heard = _split(template, prompt, [token.encode() for token in tokens[:cut]])
        begun = Begun(heard[Channel.ANSWER], heard[Channel.THINKING])
        if begun:
            begins = beginning(template, prompt, begun)
            assert said.startswith(begins), "or nothing could be reused"
            rest = _split(template, prompt + begins, [said[len(begins) :].encode()], begun=begun)
            assert {channel: heard[channel] + rest[channel] for channel in heard} == whole, tokens[:cut]


def test_an_answer_that_never_thought_goes_on_after_closed_thinking() -> None:
    assert beginning(THINKER, "<think>\n", Begun("Yes")) == "\n</think>\n\nYes"
    assert beginning(THINKER, "assistant\n", Begun("Yes")) == "Yes"


def test_characters_are_whole_however_their_bytes_come() -> None:
    text = "<think>né 👩‍👩‍👧</think>日本 🎉 ok"
    for pieces in _cuts(text.encode()):
        heard = _split(THINKER, "", pieces)
        assert heard == {Channel.THINKING: "né 👩‍👩‍👧", Channel.ANSWER: "日本 🎉 ok"}


def test_a_character_cut_off_by_the_end_is_left_out() -> None:
    raw = "ok 🎉".encode()
    assert _split("", "", [raw[:-1]])[Channel.ANSWER] == "ok "


def test_stop_strings_hold_in_the_answer_only_and_over_any_cut() -> None:
    text = "<think>a STOP b</think>so ST then STOP never"
    for pieces in _cuts(text.encode()):
        heard = _split(THINKER, "", pieces, ("STOP", "ST!"))
        assert heard == {Channel.THINKING: "a STOP b", Channel.ANSWER: "so ST then "}


def test_the_earliest_of_several_stops_counts_and_the_rest_is_silence() -> None:
    matcher = StopMatcher(("ccc", "", "b"))
    assert matcher.feed("aaab ccc") == "aaa"
    assert matcher.hit
    assert matcher.feed("more") == matcher.finish() == ""


def test_held_back_text_comes_out_when_nothing_follows() -> None:
    matcher = StopMatcher(("\n\nUser:",))
    assert matcher.feed("bye\n\nUs") == "bye"
    assert matcher.finish() == "\n\nUs"
    assert not matcher.hit


def test_thinking_models_are_known_by_their_template() -> None:
    assert thinks(THINKER)
    assert thinks(HARMONY)
    assert not thinks("{{ messages }}")
