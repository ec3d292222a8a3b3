"""From the turns of a conversation to the tokens that are evaluated."""

from __future__ import annotations

from dataclasses import dataclass

from tui_chat.backends.llamacpp.worker.model import Model
from tui_chat.backends.llamacpp.worker.template import RenderError
from tui_chat.backends.llamacpp.worker.vocabulary import MARK
from tui_chat.wire.api import Turn


@dataclass(frozen=True, slots=True)
class Prompt:
    """A rendered conversation.

    Attributes:
        text: As the template wrote it.
        tokens: Never empty.
        template: The template's source.
        stops: Stop strings the template needs.
    """

    text: str
    tokens: list[int]
    template: str
    stops: tuple[str, ...]


def write_prompt(model: Model, turns: tuple[Turn, ...]) -> Prompt:
    """Render `turns` with the model's template and tokenize the result.

    Raises:
        RenderError: The template does not accept them.
    """
    template, vocabulary = model.template, model.vocabulary
    if isinstance(template, RenderError):
        raise template
    safe = tuple(Turn(role=turn.role, text=model.defuser.defuse(turn.text)) for turn in turns)
    text = template.render(safe)
    tokens = [token for part in text.split(MARK) for token in vocabulary.tokenize(part, special=True)]
    if vocabulary.adds_bos and vocabulary.bos >= 0 and tokens[:1] != [vocabulary.bos]:
        tokens.insert(0, vocabulary.bos)  # many templates write it themselves; twice would hurt
    if not tokens:
        raise RenderError("it renders to nothing")
    return Prompt(text=text, tokens=tokens, template=template.source, stops=template.stops)
