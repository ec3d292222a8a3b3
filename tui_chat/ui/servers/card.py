"""All that a server tells of one model, for a person to read."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content

from tui_chat.ui import words
from tui_chat.ui.screens.factual import lines_of, pair
from tui_chat.ui.servers import words as said
from tui_chat.ui.transcript.text import clean, clean_line
from tui_chat.wire.servers import ModelCard, ServedModel
from tui_chat.wire.words import size


def card(told: ModelCard, width: int) -> Content:
    """Write facts, then texts, in `width` cells; nothing that is not there."""
    facts = [line for name, fact in _facts(told.model) for line in lines_of(name, fact, width)]
    return Content("\n").join([*facts, texts(told)])


def texts(told: ModelCard) -> Content:
    """Write what takes lines of its own, each under its name, the longest last."""
    sections = (
        ("system prompt", told.system),
        ("parameters", told.parameters),
        ("template", told.template),
        ("licence", told.licence),
    )
    lines = []
    for name, text in sections:
        if text.strip():
            lines += [Content(""), Content.styled(name, "bold $accent"), Content(clean(text).strip("\n"))]
    return Content("\n").join(lines)


def _facts(model: ServedModel) -> Iterator[tuple[str, str]]:
    yield from pair("can", ", ".join(each.value for each in model.capabilities))
    yield from pair("architecture", clean_line(model.architecture))
    if model.parameters:
        yield from pair("parameters", words.parameters(model.parameters))
    yield from pair("quant", clean_line(model.quant), size(model.size_bytes) if model.size_bytes else "")
    if model.trained_context:
        yield from pair("trained for", f"{model.trained_context:,} tokens of context")
    if model.loaded:
        context = f"{model.context:,} tokens of context" if model.context else ""
        yield from pair("in memory", context, said.holding(model))
    elif model.loaded is not None:
        yield from pair("in memory", "no")
    yield from pair("file", words.place(model.blob) if model.blob else "")
    yield from pair("digest", clean_line(model.digest)[:12])
