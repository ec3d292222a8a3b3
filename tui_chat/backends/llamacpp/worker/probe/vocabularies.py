"""Asks vocabularies alone: no weights are read, so that any model can be asked before it is loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from tui_chat.backends.llamacpp.failures import load_problem
from tui_chat.backends.llamacpp.probing import CountedIn, CountIn, Look, Looked, Uncountable
from tui_chat.backends.llamacpp.worker.counting import count_turns
from tui_chat.backends.llamacpp.worker.logs import NativeLog
from tui_chat.backends.llamacpp.worker.native import lib
from tui_chat.backends.llamacpp.worker.scribe import Scribe, scribe_of
from tui_chat.backends.llamacpp.worker.sight import BlindError, Sight
from tui_chat.backends.llamacpp.worker.template import RenderError, template_problem
from tui_chat.backends.protocol import BackendError
from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.wire.plan import LoadOptions

_KEPT = 2
"""Vocabularies in memory: one in use and one to compare with; a large one takes over 100 MiB."""


class _Loaded(NamedTuple):
    native: Any
    scribe: Scribe


class Vocabularies:
    """Those of the models that were asked about last, by file as it was then."""

    def __init__(self, log: NativeLog) -> None:
        self._log = log
        self._loaded: dict[tuple[str, int, int], _Loaded] = {}

    def count(self, question: CountIn) -> CountedIn | Uncountable:
        """Count, or say why that cannot be done."""
        try:
            return CountedIn(count_turns(self._scribe(question.path), question.turns))
        except BackendError as error:
            return Uncountable(error.problem)
        except RenderError as error:
            return Uncountable(template_problem(error))
        except OSError as error:
            what = f"{Path(question.path).name} cannot be read: {error.strerror or error}."
            return Uncountable(Problem(ProblemCode.MODEL_MISSING, what))

    def look(self, question: Look) -> Looked:
        """Have a projector laid out beside the vocabulary, which tells it all that it asks of a model."""
        try:
            native = self._known(question.path).native
            sight = Sight(native, question.projector, LoadOptions(context=0), 1, self._log)
        except BackendError as error:
            return Looked(why=error.problem.what)
        except (BlindError, OSError) as error:
            return Looked(why=str(error))
        sight.free()
        return Looked(compute=sight.compute_bytes)

    def _scribe(self, path: str) -> Scribe:
        return self._known(path).scribe

    def _known(self, path: str) -> _Loaded:
        status = Path(path).stat()
        key = (path, status.st_size, status.st_mtime_ns)
        loaded = self._loaded.pop(key, None) or self._load(path)
        self._loaded[key] = loaded  # the last used is the last to go
        while len(self._loaded) > _KEPT:
            lib.llama_model_free(self._loaded.pop(next(iter(self._loaded))).native)
        return loaded

    def _load(self, path: str) -> _Loaded:
        self._log.lines.clear()
        params = lib.llama_model_default_params()
        params.vocab_only = True
        native = lib.llama_model_load_from_file(path.encode(), params)
        if not native:
            raise BackendError(load_problem(Path(path).name, 0, list(self._log.lines)))
        return _Loaded(native, scribe_of(native))
