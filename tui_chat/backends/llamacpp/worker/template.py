"""Renders a conversation with the model's own chat template, as foreign code: in Jinja's sandbox."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NoReturn

import msgspec
from jinja2 import TemplateError, nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from tui_chat.backends.llamacpp.worker.thinking import is_harmony, tag_of
from tui_chat.chat.model import Problem, ProblemCode, Role
from tui_chat.memory.sequences import common_length
from tui_chat.wire.api import Turn

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""For a model that brings no template; the form most fine-tuned models have seen."""
_TEXT = "\ufdd1"
"""A Unicode noncharacter, written to see where a template puts a text."""
CHATML_STOPS = ("<|im_end|>", "<|im_start|>")


class RenderError(Exception):
    """The template cannot be compiled, or renders this conversation in no form we know."""


def template_problem(error: RenderError) -> Problem:
    """Say in a person's words that a conversation cannot be written."""
    return Problem(
        code=ProblemCode.TEMPLATE_FAILED,
        what="The model's chat template cannot write this conversation.",
        kept="Your message is kept.",
        remedy="Choose another model, or leave the system message out.",
        detail=str(error),
    )


class ChatTemplate:
    """One model's template, compiled.

    Attributes:
        source: Its Jinja text.
        stops: Stop strings it needs because its turn markers may be no tokens of the model.
    """

    def __init__(self, source: str | None, bos: str, eos: str) -> None:
        self.source = CHATML if source is None else source
        self.stops = CHATML_STOPS if source is None else ()
        self._tokens = {"bos_token": bos, "eos_token": eos}
        self._thinking = _thinking_field(self.source)
        try:
            self._template = _environment().from_string(self.source)
        except TemplateError as error:
            raise RenderError(str(error)) from error

    def render(self, turns: tuple[Turn, ...]) -> tuple[str, tuple[Turn, ...]]:
        """Write `turns` as the model expects them, ready for its answer.

        Some templates reject or drop a system turn, and some want users and assistants to take turns
        strictly; then the system text moves into the first user turn, and neighbours are joined.

        Returns:
            The text, and the turns in the form that was accepted.

        Raises:
            RenderError: No such form is accepted; says why the plain one was not.
        """
        failure: RenderError | None = None
        for form in _forms(turns):
            try:
                text = self._render(form)
            except RenderError as error:
                failure = failure or error
                continue
            if all(turn.text.strip() in text for turn in form if turn.role is Role.SYSTEM):
                return text, form
        raise failure or RenderError("it leaves the system message out")

    def turn_ends(self, turns: tuple[Turn, ...], text: str) -> Iterator[int]:
        """Yield where in the rendered `text`, in characters, the last of `turns` begins and ends.

        Nothing is found where a template cannot write a conversation without its last turn.
        """
        for part in (turns[:-1], turns):
            try:
                beginning = self._render(part, answer=False) if part else ""
            except RenderError:
                continue
            if at := common_length(beginning, text):
                yield at

    def after(self, turns: tuple[Turn, ...]) -> str:
        """What is written after the last of `turns`, before anything else; empty if nobody can tell."""
        last = msgspec.structs.replace(turns[-1], text=_TEXT)
        try:
            return self._render((*turns[:-1], last), answer=False).rpartition(_TEXT)[2]
        except RenderError:
            return ""

    def _render(self, turns: tuple[Turn, ...], *, answer: bool = True) -> str:
        messages = [self._message(turn) for turn in turns]
        try:
            return self._template.render(messages=messages, add_generation_prompt=answer, **self._tokens)
        except Exception as error:  # a template is foreign code and may raise anything
            raise RenderError(f"{type(error).__name__}: {error}") from error

    def _message(self, turn: Turn) -> dict[str, str]:
        """One turn as templates take it; where this one knows no place for thinking, that is text."""
        message = {"role": turn.role.value, "content": turn.text}
        if turn.thinking and self._thinking:
            message[self._thinking] = turn.thinking
        elif turn.thinking:
            tag = tag_of(self.source)
            message["content"] = tag.start + turn.thinking + tag.end + turn.text
        return message


def _thinking_field(source: str) -> str | None:
    """The name by which a template takes what was thought before an earlier answer, if it does."""
    if "reasoning_content" in source:
        return "reasoning_content"
    return "thinking" if is_harmony(source) else None


def _forms(turns: tuple[Turn, ...]) -> Iterator[tuple[Turn, ...]]:
    """The conversation as it is, then in ever plainer forms, each only once."""
    seen: list[tuple[Turn, ...]] = []
    for form in (turns, _joined(turns), _without_system(turns), _joined(_without_system(turns))):
        if form not in seen:
            seen.append(form)
            yield form


def _without_system(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """Move every system text in front of the first user's."""
    system = "\n\n".join(turn.text for turn in turns if turn.role is Role.SYSTEM)
    rest = [turn for turn in turns if turn.role is not Role.SYSTEM]
    first = next((i for i, turn in enumerate(rest) if turn.role is Role.USER), None)
    if not system or first is None:
        return turns
    rest[first] = Turn(role=Role.USER, text=f"{system}\n\n{rest[first].text}")
    return tuple(rest)


def _joined(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """Join neighbouring turns of the same role, as a cancelled or failed answer leaves them."""
    joined: list[Turn] = []
    for turn in turns:
        if joined and joined[-1].role is turn.role:
            before = joined[-1]
            thinking = "\n\n".join(filter(None, (before.thinking, turn.thinking)))
            joined[-1] = Turn(role=turn.role, text=f"{before.text}\n\n{turn.text}", thinking=thinking)
        else:
            joined.append(turn)
    return tuple(joined)


class _Generation(Extension):
    """Accepts ``{% generation %}``, by which training code finds the assistant's words."""

    tags = {"generation"}  # noqa: RUF012 - Jinja's own way of naming an extension's tags

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def _environment() -> ImmutableSandboxedEnvironment:
    """The environment that templates are written for: the one of the transformers library."""
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, loopcontrols]
    )
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _raise_exception
    environment.globals["strftime_now"] = _strftime_now
    return environment


def _to_json(value: Any, indent: int | None = None, **options: Any) -> str:
    """Unlike Jinja's own filter: no HTML escapes."""
    return json.dumps(value, ensure_ascii=False, indent=indent, **options)


def _raise_exception(message: str) -> NoReturn:
    raise TemplateError(message)


def _strftime_now(format: str) -> str:
    return datetime.now().astimezone().strftime(format)
