"""From the turns of a conversation to the tokens that are evaluated."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tui_chat.backends.llamacpp.worker.beginning import beginning
from tui_chat.backends.llamacpp.worker.model import Model
from tui_chat.backends.llamacpp.worker.scribe import Scribe
from tui_chat.backends.llamacpp.worker.template import ChatTemplate, RenderError
from tui_chat.backends.llamacpp.worker.vocabulary import MARK, Vocabulary
from tui_chat.backends.protocol import NEW, Begun
from tui_chat.wire.api import Turn


@dataclass(frozen=True, slots=True)
class Rendered:
    """A conversation as a template wrote it.

    Attributes:
        text: All of it, with a mark in every name of a control token that somebody typed.
        tokens: Never empty.
        turns: The turns in the form that the template accepted.
        template: The template.
    """

    text: str
    tokens: list[int]
    turns: tuple[Turn, ...]
    template: ChatTemplate


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is to be evaluated before an answer, or before the rest of one.

    Attributes:
        text: As the template wrote it, and then the beginning of the answer if there is one.
        tokens: Never empty.
        template: The template's source.
        stops: Stop strings the template needs.
        begun: What the answer has said and thought already; `text` ends with it.
        turn_ends: Numbers of tokens after which the last turn begins and ends, roughly; only for a
            model that takes checkpoints.
    """

    text: str
    tokens: list[int]
    template: str
    stops: tuple[str, ...]
    begun: Begun = NEW
    turn_ends: frozenset[int] = frozenset()


def write_prompt(model: Model, turns: tuple[Turn, ...], begun: Begun = NEW) -> Prompt:
    """Render `turns` with the model's template, and the answer as far as it had `begun`, and tokenize it.

    Raises:
        RenderError: The template does not accept them.
    """
    rendered = render(model.scribe, turns, begun)
    text, tokens, template = rendered.text, rendered.tokens, rendered.template
    takes = model.cache.takes_checkpoints
    places = sorted(template.turn_ends(rendered.turns, text), reverse=True) if takes else []
    counts = count_until(model.vocabulary, text, tokens, places)
    return Prompt(
        text=text,
        tokens=tokens,
        template=template.source,
        stops=template.stops,
        begun=begun,
        # The last token is evaluated in any case, and before the first there is nothing to go back to.
        turn_ends=frozenset(max(1, min(count, len(tokens) - 1)) for count in counts),
    )


def render(scribe: Scribe, turns: tuple[Turn, ...], begun: Begun = NEW) -> Rendered:
    """Write `turns`, and the answer as far as it had `begun`, with what a model is written to.

    Raises:
        RenderError: The template does not accept them.
    """
    template, vocabulary = scribe.template, scribe.vocabulary
    if isinstance(template, RenderError):
        raise template
    text, form = template.render(harmless(scribe, turns))
    tokens = _tokenize(vocabulary, text)
    if begun:
        defuse = scribe.defuser.defuse
        said = beginning(template.source, text, Begun(defuse(begun.text), defuse(begun.thinking)))
        tokens = _go_on(vocabulary, text, tokens, said)
        text += said
    if vocabulary.adds_bos and vocabulary.bos >= 0 and tokens[:1] != [vocabulary.bos]:
        tokens.insert(0, vocabulary.bos)  # many templates write it themselves; twice would hurt
    if not tokens:
        raise RenderError("it renders to nothing")
    return Rendered(text, tokens, form, template)


def harmless(scribe: Scribe, turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """The same turns with a mark inside every name of a control token."""
    defuse = scribe.defuser.defuse
    return tuple(Turn(turn.role, defuse(turn.text), defuse(turn.thinking)) for turn in turns)


def count_until(vocabulary: Vocabulary, text: str, tokens: list[int], places: Iterable[int]) -> list[int]:
    """From `places` in the text, last first, to numbers of tokens, counted from the end: there is less.

    A place in the middle of a token is moved before it. Where the vocabulary writes text otherwise than
    it was given, a place is off by a little.
    """
    counts = []
    at, left = len(tokens), 0
    for place in places:
        rest = len(text[place:].replace(MARK, "").encode("utf-8", "replace"))
        while at > 0 and left < rest:
            at -= 1
            left += len(vocabulary.piece(tokens[at], special=True))
        counts.append(at)
    return counts


def _tokenize(vocabulary: Vocabulary, text: str) -> list[int]:
    return [token for part in text.split(MARK) for token in vocabulary.tokenize(part, special=True)]


def _go_on(vocabulary: Vocabulary, text: str, tokens: list[int], said: str) -> list[int]:
    """The tokens of `text`, which are `tokens`, and of what a model had `said` after it.

    It said it in tokens of its own, none of which began before. Only where the vocabulary would put
    something before what begins, as SentencePiece does with a space, both are tokenized as one.
    """
    spoken = _tokenize(vocabulary, said)
    written = b"".join(vocabulary.piece(token, special=True) for token in spoken)
    if written == said.replace(MARK, "").encode("utf-8", "replace"):
        return tokens + spoken
    return _tokenize(vocabulary, text + said)
