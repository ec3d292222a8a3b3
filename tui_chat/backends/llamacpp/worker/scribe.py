"""What prompts for a model are written with: its vocabulary and its chat template. No weights are needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tui_chat.backends.llamacpp.worker.native import lib
from tui_chat.backends.llamacpp.worker.sight import Sight
from tui_chat.backends.llamacpp.worker.template import ChatTemplate, RenderError
from tui_chat.backends.llamacpp.worker.vocabulary import Defuser, Vocabulary


@dataclass(frozen=True, slots=True)
class Scribe:
    """Everything about one model that the text and the tokens of its prompts depend on.

    Attributes:
        template: The chat template, or why there is none to use.
        source: The template's text, if there is any.
        sight: What reads its pictures, if it can see.
    """

    vocabulary: Vocabulary
    defuser: Defuser
    template: ChatTemplate | RenderError
    source: str
    sight: Sight | None = None


def scribe_of(native: Any, sight: Sight | None = None) -> Scribe:
    """Take what is needed from a loaded model, of which the vocabulary is enough."""
    vocabulary = Vocabulary(native)
    raw = lib.llama_model_chat_template(native, None)
    source = raw.decode("utf-8", "replace") if raw else None
    template: ChatTemplate | RenderError
    try:
        template = ChatTemplate(source, vocabulary.text(vocabulary.bos), vocabulary.text(vocabulary.eos))
    except RenderError as error:
        template = error
    source = source or (template.source if isinstance(template, ChatTemplate) else "")
    return Scribe(vocabulary, Defuser(vocabulary.control), template, source, sight)
