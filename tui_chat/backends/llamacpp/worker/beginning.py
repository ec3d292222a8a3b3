"""The beginning of an answer that goes on, written after the prompt as if the model had just said it."""

from __future__ import annotations

from tui_chat.backends.llamacpp.worker.thinking import is_harmony, open_tag, tag_of
from tui_chat.backends.protocol import Begun

_ANALYSIS, _FINAL = "<|channel|>analysis<|message|>", "<|channel|>final<|message|>"
_NEXT = "<|end|><|start|>assistant"


def beginning(template: str, prompt: str, begun: Begun) -> str:
    """Write what follows the rendered `prompt`, unterminated, for the model to go on with.

    What was thought stands between the model's own markers; they stay open where nothing was said yet.
    """
    if is_harmony(template):
        return _in_channels(begun)
    opened = open_tag(prompt)
    if opened is None and not begun.thinking:
        return begun.text
    tag = opened or tag_of(template)
    start = tag.start
    if opened is not None:  # by the template itself, with its white space or without
        start = "" if prompt[-1].isspace() else tag.gap
    return start + begun.thinking + (tag.end + begun.text if begun.text else "")


def _in_channels(begun: Begun) -> str:
    thought = _ANALYSIS + begun.thinking if begun.thinking else ""
    if not begun.text:
        return thought
    return thought + (_NEXT if thought else "") + _FINAL + begun.text
