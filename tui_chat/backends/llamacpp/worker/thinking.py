"""Separates a model's thinking from its answer while both stream in pieces of any size."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Protocol

from tui_chat.backends.llamacpp.worker.streams import overlap
from tui_chat.backends.protocol import NEW, Begun
from tui_chat.wire.events import Channel

Part = tuple[Channel, str]


@dataclass(frozen=True, slots=True)
class Tag:
    """The words a model puts around its thinking.

    Attributes:
        gap: What it usually writes between either of them and the thinking.
        after: What it usually writes between all that and the answer.
    """

    opening: str
    closing: str
    gap: str = "\n"
    after: str = "\n\n"

    @property
    def start(self) -> str:
        """All that comes before the thinking."""
        return self.opening + self.gap

    @property
    def end(self) -> str:
        """All that comes between the thinking and the answer."""
        return self.gap + self.closing + self.after


TAGS = (
    Tag("<think>", "</think>"),
    Tag("<thinking>", "</thinking>"),
    Tag("[THINK]", "[/THINK]", gap="", after=""),
    Tag("<seed:think>", "</seed:think>"),
)
HARMONY = frozenset({"<|start|>", "<|channel|>", "<|message|>", "<|end|>", "<|constrain|>"})
MARKERS = frozenset(name for tag in TAGS for name in (tag.opening, tag.closing)) | HARMONY
"""Texts of control tokens that must reach the splitter."""


class Splitter(Protocol):
    """Takes the raw text and gives it back by channel.

    Attributes:
        settled: Whether everything that follows is certain to be answer.
    """

    settled: bool

    def feed(self, text: str) -> list[Part]:
        """Take more text; return the parts that are now certain."""
        ...

    def finish(self) -> list[Part]:
        """Return what was held back, now that no more text comes."""
        ...


def thinks(template: str) -> bool:
    """Whether a chat template is that of a model which thinks before it answers."""
    return is_harmony(template) or any(tag.closing in template for tag in TAGS)


def splitter(template: str, prompt: str, begun: Begun = NEW) -> Splitter:
    """Choose the splitter for a model by its `template`, beginning where the rendered `prompt` ends.

    If the answer had `begun` before, that is the end of the prompt.
    """
    if is_harmony(template):
        return HarmonySplitter(begun)
    if begun.text:
        return TagSplitter(begun=begun)
    return TagSplitter(tag_of(template) if begun.thinking else open_tag(prompt), begun)


def is_harmony(template: str) -> bool:
    """Whether a chat template is gpt-oss's, which has channels instead of tags."""
    return "<|channel|>" in template and "<|message|>" in template


def tag_of(template: str) -> Tag:
    """The tag of the model that has this `template`; the commonest where it names none."""
    return next((tag for tag in TAGS if tag.closing in template), TAGS[0])


def open_tag(prompt: str) -> Tag | None:
    """The tag that a rendered `prompt` ends with, because the template itself opens the thinking."""
    tail = prompt.rstrip()
    return next((tag for tag in TAGS if tail.endswith(tag.opening)), None)


class _State(enum.Enum):
    START = enum.auto()
    THINKING = enum.auto()
    CLOSED = enum.auto()
    ANSWER = enum.auto()


class TagSplitter:
    """Splits ``<think>…</think>answer``.

    An opening tag counts only before the answer's first word, so an answer may speak about tags.
    White space around the thinking belongs to the tags.
    """

    def __init__(self, opened: Tag | None = None, begun: Begun = NEW) -> None:
        self.settled = bool(begun.text)
        self._state = _State.THINKING if opened else _State.ANSWER if begun.text else _State.START
        self._closing = opened.closing if opened else ""
        self._fresh = not begun.thinking
        self._held = ""

    def feed(self, text: str) -> list[Part]:
        """Take more text; return the parts that are now certain."""
        if self.settled:
            return [(Channel.ANSWER, text)] if text else []
        self._held += text
        parts: list[Part] = []
        if self._state is _State.START:
            self._begin(parts)
        if self._state is _State.THINKING:
            self._think(parts)
        if self._state is _State.CLOSED:
            self._answer(parts)
        self.settled = self._state is _State.ANSWER
        return parts

    def finish(self) -> list[Part]:
        """Return what was held back, now that no more text comes."""
        held, self._held = self._held, ""
        if self._state is _State.THINKING:
            held = (held.lstrip() if self._fresh else held).rstrip()
            return [(Channel.THINKING, held)] if held else []
        return [(Channel.ANSWER, held)] if held and self._state is not _State.CLOSED else []

    def _begin(self, parts: list[Part]) -> None:
        seen = self._held.lstrip()
        for tag in TAGS:
            if seen.startswith(tag.opening):
                self._state, self._closing = _State.THINKING, tag.closing
                self._held = seen[len(tag.opening) :]
                return
        if any(tag.opening.startswith(seen) for tag in TAGS):
            return
        self._state = _State.ANSWER
        self._emit(parts, Channel.ANSWER, self._held)

    def _think(self, parts: list[Part]) -> None:
        if self._fresh:
            self._held = self._held.lstrip()
        end = self._held.find(self._closing)
        if end >= 0:
            rest = self._held[end + len(self._closing) :]
            self._emit(parts, Channel.THINKING, self._held[:end].rstrip())
            self._state, self._held = _State.CLOSED, rest
            return
        cut = len(self._held) - overlap(self._held, (self._closing,))
        cut = len(self._held[:cut].rstrip())
        rest = self._held[cut:]
        self._emit(parts, Channel.THINKING, self._held[:cut])
        self._held = rest

    def _answer(self, parts: list[Part]) -> None:
        self._held = self._held.lstrip()
        if self._held:
            self._state = _State.ANSWER
            self._emit(parts, Channel.ANSWER, self._held)

    def _emit(self, parts: list[Part], channel: Channel, text: str) -> None:
        self._held = ""
        if text:
            self._fresh = False
            parts.append((channel, text))


class HarmonySplitter:
    """Splits gpt-oss's channels: ``<|channel|>analysis<|message|>…<|end|><|start|>assistant…``.

    Bodies of the channel ``final``, or of none, are the answer; every other channel is thinking. The
    words between a marker and ``<|message|>`` are a header and belong to nobody.
    """

    def __init__(self, begun: Begun = NEW) -> None:
        self.settled = False
        self._held = ""
        self._in_body = self._spoke = bool(begun)
        self._header = "" if begun.text else "analysis" if begun.thinking else ""

    def feed(self, text: str) -> list[Part]:
        """Take more text; return the parts that are now certain."""
        self._held += text
        parts: list[Part] = []
        while (found := self._next_marker()) is not None:
            at, marker = found
            self._take(parts, self._held[:at])
            self._held = self._held[at + len(marker) :]
            self._turn(marker)
        cut = len(self._held) - overlap(self._held, HARMONY)
        self._take(parts, self._held[:cut])
        self._held = self._held[cut:]
        return parts

    def finish(self) -> list[Part]:
        """Return what was held back; text without any marker was an answer all along."""
        parts: list[Part] = []
        self._take(parts, self._held)
        self._held = ""
        if not self._spoke and not self._in_body and self._header:
            parts.append((Channel.ANSWER, self._header))
        return parts

    def _next_marker(self) -> tuple[int, str] | None:
        found = [(at, marker) for marker in HARMONY if (at := self._held.find(marker)) >= 0]
        return min(found, default=None)

    def _turn(self, marker: str) -> None:
        if marker == "<|message|>":
            self._in_body = self._spoke = True
        elif marker == "<|constrain|>":
            self._header += " "
        else:
            self._in_body, self._header = False, ""
            self._spoke = True

    def _take(self, parts: list[Part], text: str) -> None:
        if not text:
            return
        if not self._in_body:
            self._header += text
            return
        name = self._header.strip().partition(" ")[0]
        channel = Channel.ANSWER if name in ("final", "") else Channel.THINKING
        parts.append((channel, text))
