"""From the turns of a conversation to the tokens that are evaluated."""

from __future__ import annotations

from dataclasses import dataclass

from tui_chat.backends.llamacpp.worker.model import Model
from tui_chat.backends.llamacpp.worker.template import RenderError
from tui_chat.backends.llamacpp.worker.vocabulary import MARK, Vocabulary
from tui_chat.wire.api import Turn


@dataclass(frozen=True, slots=True)
class Prompt:
    """A rendered conversation.

    Attributes:
        text: As the template wrote it.
        tokens: Never empty.
        template: The template's source.
        stops: Stop strings the template needs.
        turn_ends: Numbers of tokens after which the last turn begins and ends, roughly; only for a
            model that takes checkpoints.
    """

    text: str
    tokens: list[int]
    template: str
    stops: tuple[str, ...]
    turn_ends: frozenset[int] = frozenset()


def write_prompt(model: Model, turns: tuple[Turn, ...]) -> Prompt:
    """Render `turns` with the model's template and tokenize the result.

    Raises:
        RenderError: The template does not accept them.
    """
    template, vocabulary = model.template, model.vocabulary
    if isinstance(template, RenderError):
        raise template
    safe = tuple(Turn(role=turn.role, text=model.defuser.defuse(turn.text)) for turn in turns)
    text, form = template.render(safe)
    tokens = [token for part in text.split(MARK) for token in vocabulary.tokenize(part, special=True)]
    if vocabulary.adds_bos and vocabulary.bos >= 0 and tokens[:1] != [vocabulary.bos]:
        tokens.insert(0, vocabulary.bos)  # many templates write it themselves; twice would hurt
    if not tokens:
        raise RenderError("it renders to nothing")
    places = sorted(template.turn_ends(form, text), reverse=True) if model.cache.takes_checkpoints else []
    return Prompt(
        text=text,
        tokens=tokens,
        template=template.source,
        stops=template.stops,
        turn_ends=_in_tokens(vocabulary, text, places, tokens),
    )


def _in_tokens(vocabulary: Vocabulary, text: str, places: list[int], tokens: list[int]) -> frozenset[int]:
    """From `places` in the text, last first, to numbers of tokens, counted from the end: there is less.

    A place in the middle of a token is moved before it. Where the vocabulary writes text otherwise than
    it was given, a place is off by a little; checkpoints are valid anywhere, only less useful there.
    """
    counts = []
    at, left = len(tokens), 0
    for place in places:
        rest = len(text[place:].replace(MARK, "").encode("utf-8", "replace"))
        while at > 1 and (left < rest or at == len(tokens)):  # the last token is evaluated in any case
            at -= 1
            left += len(vocabulary.piece(tokens[at], special=True))
        counts.append(at)
    return frozenset(counts)
