"""What a model file is for: chatting, or one of the jobs beside it.

What the header says counts; a name counts only where the header is silent, and never so that a
model that can chat is hidden for a word in its name. The exceptions are names that models get only
for what they do: rerankers, embedders, and drafts of a draft's size.
"""

from __future__ import annotations

import re

from tui_chat.library.headers import FileFacts
from tui_chat.wire.api import ModelKind

_TYPES = {
    "mmproj": ModelKind.PROJECTOR,
    "adapter": ModelKind.ADAPTER,
    "controlvector": ModelKind.ADAPTER,
    "imatrix": ModelKind.IMATRIX,
}
"""By ``general.type``, which is "model" for all else."""

_ENCODERS = {
    "bert",
    "modern-bert",
    "nomic-bert",
    "nomic-bert-moe",
    "neo-bert",
    "jina-bert-v2",
    "jina-bert-v3",
    "eurobert",
    "gemma-embedding",
    "llama-embed",
    "t5encoder",
}
_DRAFTS = {"eagle", "eagle3", "dflash", "gemma4-assistant"}
"""Architectures that are the small half of speculative decoding and cannot answer alone."""
_OTHERS = {
    "wavtokenizer-dec",
    "qwen3tts",
    "pockettts",
    "flux",
    "sd1",
    "sd3",
    "sdxl",
    "aura",
    "hidream",
    "hyvid",
    "cosmos",
    "ltxv",
    "lumina2",
    "pixart",
    "qwen_image",
    "wan",
    "dream",
    "llada",
    "llada-moe",
    "rnd1",
}
"""Speech, pictures and films: GGUF files of other programs. The last four write text by diffusion, all of it
at once, and make none token by token."""
_RANKS = 4
"""``LLAMA_POOLING_TYPE_RANK``; the other types, from 1 on, make one vector of a text."""

_DRAFT_PARAMETERS = 3_000_000_000
"""A draft larger than this would be no faster than what it drafts for; it is a model about drafts."""


def _word(words: str) -> re.Pattern[str]:
    return re.compile(rf"(^|[-_./: ])({words})([-_.: ]|$)", re.IGNORECASE)


_RERANKER = _word("re-?rank(er)?")
_EMBEDDER = _word(r"embeddings?|embed|e5-mistral|gte-qwen[\d.]*|bge")
_DRAFT = _word("draft(er)?|eagle3?|mtp")
_BY_NAME_ALONE = (
    (_word("mmproj"), ModelKind.PROJECTOR),
    (_word("imatrix"), ModelKind.IMATRIX),
    (_word("lora"), ModelKind.ADAPTER),
)


def kind_of(name: str, first: FileFacts | None, parameters: int) -> ModelKind:
    """Say what the model called `name` is for.

    Args:
        name: The file's or the source's name for it.
        first: What its first file's header says; None if that cannot be read.
        parameters: In all its files together.
    """
    if first is None:
        return next((kind for pattern, kind in _BY_NAME_ALONE if pattern.search(name)), ModelKind.CHAT)
    if first.type in _TYPES:
        return _TYPES[first.type]
    kind = _by_output(first) or _by_architecture(first.architecture)
    if kind is None and not parameters:
        return ModelKind.VOCABULARY
    if _RERANKER.search(name) and kind in (None, ModelKind.EMBEDDING):
        return ModelKind.RERANKER
    return kind or _by_purpose(name, parameters)


def _by_output(first: FileFacts) -> ModelKind | None:
    """What a model makes of a text, whatever its architecture; None where that is the next token.

    Embedders and rerankers are often made from models that chat. llama.cpp's converter writes how such a
    model pools; models whose tokens also see what comes after them are embedders, or write by diffusion.
    """
    if first.pooling == _RANKS:
        return ModelKind.RERANKER
    if first.pooling or not (first.causal or first.architecture in _OTHERS):
        return ModelKind.EMBEDDING
    return None


def _by_architecture(architecture: str) -> ModelKind | None:
    if architecture == "clip":
        return ModelKind.PROJECTOR
    if architecture == "controlvector":
        return ModelKind.ADAPTER
    for known, kind in (
        (_ENCODERS, ModelKind.EMBEDDING),
        (_DRAFTS, ModelKind.DRAFT),
        (_OTHERS, ModelKind.OTHER),
    ):
        if architecture in known:
            return kind
    return None


def _by_purpose(name: str, parameters: int) -> ModelKind:
    if _EMBEDDER.search(name):
        return ModelKind.EMBEDDING
    if _DRAFT.search(name) and parameters < _DRAFT_PARAMETERS:
        return ModelKind.DRAFT
    return ModelKind.CHAT
