"""What is said of an error that no command dealt with: never a traceback, which goes to the log."""

from __future__ import annotations

import logging

from tui_chat.chat.model import Problem


def explain(error: Exception) -> str:
    """Return one line for a person; for anything unexpected, keep the traceback in the log file."""
    problem = getattr(error, "problem", None)
    if isinstance(problem, Problem):
        return " ".join(part for part in (problem.what, problem.kept, problem.remedy) if part)
    return f"something went wrong that should not have: {type(error).__name__}: {error}. {_record(error)}"


def _record(error: Exception) -> str:
    from tui_chat.config.paths import config_file, resolve_paths
    from tui_chat.config.settings import load_settings

    file = resolve_paths(load_settings(config_file()).settings.paths).logs / "tui-chat.log"
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handler = logging.FileHandler(file, encoding="utf-8")
    except OSError as unwritable:
        return f"The log could not be written either: {unwritable}."
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    log = logging.getLogger("tui_chat.cli")
    log.propagate = False
    log.addHandler(handler)
    log.error("unexpected", exc_info=error)
    log.removeHandler(handler)
    handler.close()
    return f"The details are in {file}."
