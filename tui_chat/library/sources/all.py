"""Every source that the settings leave on, in the order in which their names are preferred."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from tui_chat.config.paths import Paths
from tui_chat.config.settings import Settings
from tui_chat.library.files import expanded
from tui_chat.library.sources.folders import find_below
from tui_chat.library.sources.found import Found
from tui_chat.library.sources.huggingface import find_in_hub_cache, hub_cache
from tui_chat.library.sources.llamacpp import find_llamacpp
from tui_chat.library.sources.lmstudio import find_lmstudio
from tui_chat.library.sources.ollama import find_ollama
from tui_chat.wire.api import ModelSource


def find_models(paths: Paths, settings: Settings) -> list[Found]:
    """Find every model, each file once under its best name, with its others as aliases.

    Blocks on the disk, reads no header.
    """
    order = {source: place for place, source in enumerate(ModelSource)}

    def worth(found: Found) -> tuple[bool, int]:
        return found.makeshift, order[found.source]

    same: dict[object, list[Found]] = {}
    for source, find in _finders(paths, settings).items():
        if source in settings.models.sources:
            for found in find():
                same.setdefault(found.files[0].identity if found.files else found.path, []).append(found)
    return [_with_aliases(min(each, key=worth), each) for each in same.values()]


def _with_aliases(best: Found, same: Sequence[Found]) -> Found:
    """The `best` of some ways to one file, with the names that a person may know it by from the others."""
    others = [found.names[0] for found in same if found.kind is best.kind and _names_well(found)]
    aliases = tuple(name for name in dict.fromkeys(others) if name != best.names[0])
    return replace(best, aliases=aliases)


def _names_well(found: Found) -> bool:
    """Whether it is this very model that goes by the name, and not whatever lies in a file called so.

    Ollama's ``latest`` is a makeshift name for a list, and what people type.
    """
    return found.problem is None and (found.source is ModelSource.OLLAMA or not found.makeshift)


def _finders(paths: Paths, settings: Settings) -> Mapping[ModelSource, Callable[[], Iterator[Found]]]:
    def folders() -> Iterator[Found]:
        for folder in settings.models.folders:
            yield from find_below(expanded(folder), ModelSource.FOLDERS)

    return {
        ModelSource.OWN: lambda: find_below(paths.models, ModelSource.OWN),
        ModelSource.FOLDERS: folders,
        ModelSource.HUGGING_FACE: lambda: find_in_hub_cache(hub_cache(), ModelSource.HUGGING_FACE),
        ModelSource.LM_STUDIO: find_lmstudio,
        ModelSource.LLAMA_CPP: find_llamacpp,
        ModelSource.OLLAMA: find_ollama,
    }
