"""From the turns of a conversation to the tokens that are evaluated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from tui_chat.backends.llamacpp.worker.beginning import beginning
from tui_chat.backends.llamacpp.worker.model import Model
from tui_chat.backends.llamacpp.worker.scribe import Scribe
from tui_chat.backends.llamacpp.worker.sight import Glimpse, Sight
from tui_chat.backends.llamacpp.worker.template import ChatTemplate, RenderError
from tui_chat.backends.llamacpp.worker.vocabulary import MARK, PICTURE, Vocabulary
from tui_chat.backends.protocol import NEW, BackendError, Begun
from tui_chat.chat.model import Problem
from tui_chat.memory.pictured import whole
from tui_chat.wire.api import Turn

_UNREAD = "[a picture that cannot be read]\n"


@dataclass(frozen=True, slots=True)
class Rendered:
    """A conversation as a template wrote it.

    Attributes:
        text: All of it, with a mark in every name of a control token that somebody typed.
        tokens: Never empty.
        turns: The turns in the form that the template accepted.
        template: The template.
        seen: The parts of pictures among the tokens, by where they begin.
        widths: Of tokens that stand for a picture's sign, or for nothing, in the text: bytes of it.
        unread: Why pictures of the last turn cannot be read; of others it was told before.
    """

    text: str
    tokens: list[int]
    turns: tuple[Turn, ...]
    template: ChatTemplate
    seen: Mapping[int, Glimpse]
    widths: Mapping[int, int]
    unread: tuple[Problem, ...] = ()


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
        seen: The parts of pictures among the tokens, by where they begin.
        unread: Why pictures of the last turn cannot be read.
    """

    text: str
    tokens: list[int]
    template: str
    stops: tuple[str, ...]
    begun: Begun = NEW
    turn_ends: frozenset[int] = frozenset()
    seen: Mapping[int, Glimpse] = field(default_factory=dict)
    unread: tuple[Problem, ...] = ()


def write_prompt(model: Model, turns: tuple[Turn, ...], begun: Begun = NEW) -> Prompt:
    """Render `turns` with the model's template, and the answer as far as it had `begun`, and tokenize it.

    Raises:
        RenderError: The template does not accept them.
    """
    rendered = render(model.scribe, turns, begun)
    text, tokens, template = rendered.text, rendered.tokens, rendered.template
    takes = model.cache.takes_checkpoints
    places = sorted(template.turn_ends(rendered.turns, text), reverse=True) if takes else []
    counts = count_until(model.vocabulary, rendered, places)
    return Prompt(
        text=text,
        tokens=tokens,
        template=template.source,
        stops=template.stops,
        begun=begun,
        # The last token is evaluated in any case, and before the first there is nothing to go back to.
        turn_ends=frozenset(whole(tokens, max(1, min(count, len(tokens) - 1))) for count in counts),
        seen=rendered.seen,
        unread=rendered.unread,
    )


def render(scribe: Scribe, turns: tuple[Turn, ...], begun: Begun = NEW) -> Rendered:
    """Write `turns`, and the answer as far as it had `begun`, with what a model is written to.

    A picture that cannot be read is told in words.

    Raises:
        RenderError: The template does not accept them.
    """
    template, vocabulary = scribe.template, scribe.vocabulary
    if isinstance(template, RenderError):
        raise template
    unread: list[Problem] = []
    if scribe.sight is not None:
        turns, unread = _readable(scribe.sight, turns)
    text, form = template.render(harmless(scribe, turns))
    said = ""
    if begun:
        defuse = scribe.defuser.defuse
        said = beginning(template.source, text, Begun(defuse(begun.text), defuse(begun.thinking)))
    pictures = [picture for turn in turns for picture in turn.pictures] if scribe.sight else []
    *before, last = text.split(PICTURE)
    if len(before) != len(pictures):
        raise RenderError("it leaves a picture out, or shows it twice")
    tokens: list[int] = []
    seen: dict[int, Glimpse] = {}
    widths: dict[int, int] = {}
    if scribe.sight is not None:
        for words, picture in zip(before, pictures, strict=True):
            tokens += _tokenize(vocabulary, words)
            shown = scribe.sight.read(picture)
            seen |= {len(tokens) + at: Glimpse(picture, part) for part, at in enumerate(shown.parts)}
            widths |= dict.fromkeys(range(len(tokens), len(tokens) + len(shown.tokens)), 0)
            widths[len(tokens)] = len(PICTURE.encode())
            tokens += shown.tokens
    tokens += _go_on(vocabulary, last, said)
    if vocabulary.adds_bos and vocabulary.bos >= 0 and tokens[:1] != [vocabulary.bos]:
        tokens.insert(0, vocabulary.bos)  # many templates write it themselves; twice would hurt
        seen = {at + 1: glimpse for at, glimpse in seen.items()}
        widths = {at + 1: width for at, width in widths.items()}
    if not tokens:
        raise RenderError("it renders to nothing")
    return Rendered(text + said, tokens, form, template, seen, widths, tuple(unread))


def _readable(sight: Sight, turns: tuple[Turn, ...]) -> tuple[tuple[Turn, ...], list[Problem]]:
    """The turns with words in the place of each picture that cannot be read, and why, of the last one."""
    written: list[Turn] = []
    why: list[Problem] = []
    for turn in turns:
        seen, why = [], []
        for picture in turn.pictures:
            try:
                sight.read(picture)
            except BackendError as error:
                why.append(error.problem)
            else:
                seen.append(picture)
        text = _UNREAD * len(why) + turn.text
        written.append(msgspec.structs.replace(turn, pictures=tuple(seen), text=text))
    return tuple(written), why


def harmless(scribe: Scribe, turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """The same turns with a mark inside every name of a control token, and a sign for each picture.

    A model that cannot see gets no signs.
    """
    defuse, sign = scribe.defuser.defuse, PICTURE if scribe.sight else ""
    return tuple(
        Turn(turn.role, sign * len(turn.pictures) + defuse(turn.text), defuse(turn.thinking))
        for turn in turns
    )


def count_until(vocabulary: Vocabulary, rendered: Rendered, places: Iterable[int]) -> list[int]:
    """From `places` in the text, last first, to numbers of tokens, counted from the end: there is less.

    A place in the middle of a token is moved before it. Where the vocabulary writes text otherwise than
    it was given, a place is off by a little.
    """
    counts = []
    text, tokens, widths = rendered.text, rendered.tokens, rendered.widths
    at, left = len(tokens), 0
    for place in places:
        rest = len(text[place:].replace(MARK, "").encode("utf-8", "replace"))
        while at > 0 and left < rest:
            at -= 1
            left += widths[at] if at in widths else len(vocabulary.piece(tokens[at], special=True))
        counts.append(at)
    return counts


def _tokenize(vocabulary: Vocabulary, text: str) -> list[int]:
    return [token for part in text.split(MARK) for token in vocabulary.tokenize(part, special=True)]


def _go_on(vocabulary: Vocabulary, text: str, said: str) -> list[int]:
    """The tokens of `text`, and of what a model had `said` after it.

    It said it in tokens of its own, none of which began before. Only where the vocabulary would put
    something before what begins, as SentencePiece does with a space, both are tokenized as one.
    """
    tokens = _tokenize(vocabulary, text)
    if not said:
        return tokens
    spoken = _tokenize(vocabulary, said)
    written = b"".join(vocabulary.piece(token, special=True) for token in spoken)
    if written == said.replace(MARK, "").encode("utf-8", "replace"):
        return tokens + spoken
    return _tokenize(vocabulary, text + said)
