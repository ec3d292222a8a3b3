"""How soon a model could go on from each place of a tree: what of it is in its KV cache, what is parked."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence

import msgspec

from tui_chat.chat.measure import about_tokens
from tui_chat.chat.model import Message
from tui_chat.chat.tree import ChatTree
from tui_chat.wire.api import Kept

_NEAR = 64
"""Tokens; so few are read as quickly as anything."""


class Heat(enum.StrEnum):
    """Where most of what must be read is."""

    HOT = "hot"
    WARM = "warm"
    COLD = "cold"


class Warmth(msgspec.Struct, frozen=True):
    """What going on from a message takes: of its `tokens`, how many are to be read, and how long that takes.

    `seconds` is None where nobody knows how quickly the model reads.
    """

    heat: Heat
    tokens: int
    unread: int
    seconds: float | None


def warmth_of(tree: ChatTree, kept: Kept | None, model: str) -> dict[str, Warmth]:
    """Tell for each message that is there how soon `model` could go on from it."""
    sizes = _sizes(tree)
    rate = (kept.read_tps if kept else None) or _read_rate(tree, model)
    hot = _held(tree, kept.hot if kept else (), sizes)
    warm = _held(tree, kept.warm if kept else (), sizes)
    found = {}
    for each, size in sizes.items():
        reach = max(hot.get(each, 0), warm.get(each, 0))
        unread = max(0, size - reach)
        heat = Heat.COLD
        if unread <= max(_NEAR, size // 10):
            heat = Heat.HOT if hot.get(each, 0) >= reach else Heat.WARM
        found[each] = Warmth(heat, size, unread, unread / rate if rate else None)
    return found


def _sizes(tree: ChatTree) -> dict[str, int]:
    """Tokens that are read to go on from each message: as they were counted, else about."""
    sizes: dict[str, int] = {}
    for message in _downwards(tree):
        usage = message.answer.usage if message.answer else None
        if usage is not None and usage.prompt_tokens:
            sizes[message.id] = usage.prompt_tokens + usage.completion_tokens
        else:
            before = 0 if message.cut is not None else sizes.get(message.parent or "", 0)
            sizes[message.id] = before + (about_tokens((message.sent,)) if message.sent else 0)
    return sizes


def _downwards(tree: ChatTree) -> Iterator[Message]:
    """Every message that is there, each after the one above it."""
    waiting = list(tree.children(None))
    while waiting:
        message = waiting.pop()
        yield message
        waiting += tree.children(message.id)


def _held(tree: ChatTree, answers: Sequence[str], sizes: dict[str, int]) -> dict[str, int]:
    """How many tokens a cache that holds these answers serves of each message.

    Of a message off to the side it serves what both have in common, unless the one was told something else,
    or had less sent to it, than the other.
    """
    held: dict[str, int] = {}
    for answer in answers:
        if answer not in tree:
            continue
        for message in tree.path(answer):
            held[message.id] = max(held.get(message.id, 0), sizes.get(message.id, 0))
    for message in _downwards(tree):
        if message.cut is not None or message.setup is not None:
            held.setdefault(message.id, 0)
        else:
            held.setdefault(message.id, held.get(message.parent or "", 0))
    return held


def _read_rate(tree: ChatTree, model: str) -> float | None:
    """Tokens per second at which `model` read lately in this session."""
    for message in reversed(tree.session.messages):
        answer = message.answer
        if answer is not None and answer.model == model and answer.timings.prefill_ms > 0:
            read = answer.usage.prompt_tokens - answer.usage.reused_tokens
            if read >= _NEAR:
                return read / answer.timings.prefill_ms * 1e3
    return None
