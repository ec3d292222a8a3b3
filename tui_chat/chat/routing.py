"""Which model a message goes to where the settings name several for different tasks."""

from __future__ import annotations

import enum
import re
from typing import Annotated

import msgspec

from tui_chat.chat.described import described
from tui_chat.chat.measure import about_tokens

_SHORT = 40
"""Tokens up to which a message of one line is a quick question."""
_WORDS_OF_CODE = re.compile(
    r"^\s*(def \w+\(|class \w+|import \w+|from \w+ import |#include\b|function \w*\(|(const|let|var) \w+ ?="
    r"|public |private |fn \w+\(|func \w+\(|SELECT .+ FROM |package \w+;?$|using \w+|\$ \w+|@\w+\()",
    re.MULTILINE,
)
_ENDS_OF_CODE = re.compile(r"[;{}]\s*$", re.MULTILINE)
_MARKS_OF_CODE = ("```", "Traceback (most recent call last)", "</", "=>", "->", "&&", "!=")


class Pair(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A small and a large model, and when the large one is asked.

    Attributes:
        small, large: Ids of the models.
        longer_than: Estimated tokens of a message from which on the large one is asked.
        code: Whether the large one is asked where there is code in a message.
    """

    small: str
    large: str
    longer_than: Annotated[int, msgspec.Meta(ge=1)] = 200
    code: bool = True


class Routes(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Ids of models by what they are asked for."""

    chat: Annotated[str | None, described("Model for whatever no other route is for")] = None
    code: Annotated[str | None, described("Model for messages with code in them")] = None
    fast: Annotated[str | None, described("Model for short questions")] = None
    summarise: Annotated[str | None, described("Model that condenses what is dropped from a context")] = None
    presets: Annotated[dict[str, str], described("Models by the name of the preset that a chat uses")] = {}
    pair: Annotated[
        Pair | None,
        described("A small and a large model, for everything that `presets`, `code` and `fast` leave"),
    ] = None
    patience_s: Annotated[
        Annotated[float, msgspec.Meta(ge=0, le=86_400)],
        described("Seconds that loading a model for a route may take that nobody asked for"),
    ] = 10.0

    def __bool__(self) -> bool:
        return bool(self.models)

    @property
    def models(self) -> tuple[str, ...]:
        """All that messages may be routed to."""
        pair = (self.pair.small, self.pair.large) if self.pair else ()
        named = (self.chat, self.code, self.fast, *pair, *self.presets.values())
        return tuple(dict.fromkeys(model for model in named if model))

    @property
    def usual(self) -> str | None:
        """The model that most messages are likely to go to."""
        return self.chat or (self.pair.small if self.pair else None) or self.fast

    @property
    def words(self) -> dict[str, str]:
        """What a message may begin with to choose its route, and the model that this chooses."""
        named = {"chat": self.chat, "code": self.code, "fast": self.fast}
        if self.pair:
            named |= {"small": self.pair.small, "large": self.pair.large}
        return {f"/{word}": model for word, model in named.items() if model}


class Why(enum.StrEnum):
    """Why a message goes where it goes."""

    ASKED = "asked for"
    PRESET = "for this preset"
    CODE = "code in the message"
    PICTURE = "a picture in the message"
    LONG = "a long message"
    SHORT = "a short question"
    REST = "nothing speaks for another"
    STAYS = "stays"


class Route(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a message goes.

    Attributes:
        model: The id of the model.
        text: The message as it is sent, without the word that chose the route.
        kept_from: The model that the route names, where another answers because that one costs too much;
            `cost` says what.
    """

    model: str
    why: Why
    text: str
    kept_from: str = ""
    cost: str = ""

    @property
    def words(self) -> str:
        """Why it goes there, for a person."""
        return f"not {self.kept_from}: {self.cost}" if self.kept_from else self.why.value


def route(routes: Routes, text: str, preset: str = "", attached: str = "") -> Route | None:
    """Where `text` goes, with the texts `attached` to it; None where no route is for it.

    `preset` is the one that its chat uses.
    """
    word, _, rest = text.lstrip().partition(" ")
    asked = routes.words.get(word)
    if asked and (rest.strip() or attached):
        return Route(asked, Why.ASKED, rest.lstrip())
    if preset in routes.presets:
        return Route(routes.presets[preset], Why.PRESET, text)
    code, tokens = has_code(text) or has_code(attached), about_tokens((text, attached))
    if code and routes.code:
        return Route(routes.code, Why.CODE, text)
    short = tokens <= _SHORT and "\n" not in text.strip() and not attached
    if short and routes.fast and not code:
        return Route(routes.fast, Why.SHORT, text)
    if (pair := routes.pair) is not None:
        if code and pair.code:
            return Route(pair.large, Why.CODE, text)
        long = tokens > pair.longer_than
        return Route(pair.large if long else pair.small, Why.LONG if long else Why.SHORT, text)
    return Route(routes.chat, Why.REST, text) if routes.chat else None


def has_code(text: str) -> bool:
    """Whether there is code in `text`, by what hardly ever stands in anything else."""
    if "```" in text or _MARKS_OF_CODE[1] in text or _WORDS_OF_CODE.search(text):
        return True
    marks = sum(mark in text for mark in _MARKS_OF_CODE[2:])
    return len(_ENDS_OF_CODE.findall(text)) + marks >= 2
