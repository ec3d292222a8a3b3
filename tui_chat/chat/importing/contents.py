"""What a message says, in the shapes in which programs write it. What is no text becomes a short note."""

from __future__ import annotations

from typing import Any

from tui_chat.chat.importing.failure import MismatchError

_NOTES = {
    "image_url": "image",
    "input_image": "image",
    "image": "image",
    "image_asset_pointer": "image",
    "input_audio": "audio",
    "audio": "audio",
    "audio_asset_pointer": "audio",
    "real_time_user_audio_video_asset_pointer": "audio",
    "video_container_asset_pointer": "video",
    "file": "file",
    "input_file": "file",
}
_LONGEST_NAME = 40


def text_of(content: Any, place: str) -> str:
    """Return what a content says: a text, a part, or a list of either; nothing for null.

    Raises:
        MismatchError: It is something else.
    """
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, dict):
        return _part(content)
    if isinstance(content, list):
        said = [text_of(part, f"{place}[{index}]") for index, part in enumerate(content)]
        return "\n\n".join(part for part in said if part)
    raise MismatchError(place, f"expected a text or a list of parts, found {kind(content)}")


def note(what: str, name: object = "") -> str:
    """Return a short note that stands for something that is no text: ``[image]``, ``[file: notes.pdf]``."""
    told = " ".join(str(name).split())[:_LONGEST_NAME] if isinstance(name, str | int) else ""
    return f"[{what}: {told}]" if told else f"[{what}]"


def kind(value: Any) -> str:
    """Name the kind of a JSON value, for messages."""
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def _part(part: dict[str, Any]) -> str:
    for field in ("text", "content"):  # of a transcript too
        if isinstance(part.get(field), str):
            return str(part[field])
    type_ = part.get("type") or part.get("content_type")
    name = part.get("filename") or part.get("name") or ""
    return note(_NOTES.get(type_, "attachment") if isinstance(type_, str) else "attachment", name)
