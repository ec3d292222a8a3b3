"""`tui-chat models get hf:OWNER/REPO`: what there is, what suits this machine, and getting it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from tui_chat.chat.model import Problem
    from tui_chat.library.hub.address import HubAddress
    from tui_chat.library.hub.choices import Choice
    from tui_chat.library.hub.recommend import Recommendation, Verdict
    from tui_chat.library.hub.repository import Repository
    from tui_chat.memory.machine import Machine
    from tui_chat.memory.profile import Profile


def get_from_hub(name: str, folder: Path, *, seeing: bool, only_list: bool, as_json: bool) -> int:
    """Show what the repository has, and fetch what was named or what suits this machine.

    With a model comes its projector, if models are to be `seeing`.

    Raises:
        DownloadError: It could not be had.
    """
    from tui_chat.backends.llamacpp.build import gpu_kinds
    from tui_chat.library.hub.address import HubAddress, parse_address
    from tui_chat.library.hub.choices import choices_of, main_family
    from tui_chat.library.hub.recommend import assess, recommend
    from tui_chat.library.hub.repository import read_repository
    from tui_chat.library.hub.room import room_of
    from tui_chat.memory.devices import read_machine

    address = parse_address(name)
    assert isinstance(address, HubAddress), "the command line has checked it"
    repository, machine = read_repository(address.repository), read_machine(gpu_kinds())
    choices, room = choices_of(repository, seeing=seeing), room_of(machine)
    family = main_family(choices)
    beside = _beside(repository, family, machine)
    verdicts = assess(choices, repository.parameters, room, beside)
    best = recommend([verdict for verdict in verdicts if verdict.choice in family], room)
    if only_list:
        print(_as_json(verdicts, best) if as_json else _table(verdicts, best))
        return 0
    chosen = _chosen(address, repository, verdicts, best)
    return _get(repository, chosen, folder, machine, as_json=as_json)


def _beside(repository: Repository, family: list[Choice], machine: Machine) -> int:
    """What the model takes beside its weights, which is the same for all quants; 0 if it does not tell."""
    from tui_chat.library.errors import DownloadError
    from tui_chat.library.hub.fetch import fetch_first_header
    from tui_chat.library.hub.room import beside_weights
    from tui_chat.memory.gguf import GgufError
    from tui_chat.memory.profile import read_profile

    if not family:
        return 0
    try:
        with fetch_first_header(repository, family[-1]) as path:
            profile = read_profile([path])
    except (DownloadError, GgufError):
        return 0  # what is wrong is said when it is to be fetched
    return beside_weights(profile, machine) if profile.layers else 0


def _chosen(
    address: HubAddress, repository: Repository, verdicts: list[Verdict], best: Recommendation
) -> Choice:
    """What was named; else what is recommended, which is told with what else there was."""
    from tui_chat.library.hub.choices import Choice, named_choice

    choices = [verdict.choice for verdict in verdicts]
    if address.quant or address.file:
        named = named_choice(repository, choices, address)
        if not isinstance(named, Choice):
            _stop(named)
        if any(each.choice == named and not each.in_memory for each in verdicts):
            _say(f"{named.label} does not fit into this machine's memory with 8,192 tokens.")
        return named
    if sys.stderr.isatty():
        _say(_table(verdicts, best))
    if best.choice is None:
        _stop(_no_fit(repository, choices, best))
    _say(f"Chosen: {best.choice.label}, {best.reason}.")
    return best.choice


def _get(repository: Repository, choice: Choice, folder: Path, machine: Machine, *, as_json: bool) -> int:
    from tui_chat.cli.progress import ProgressLine
    from tui_chat.library.hub.fetch import cached_path, fetch_choice

    path = cached_path(repository, choice)
    if path is not None:
        _say("It is in the Hugging Face cache already, where tui-chat finds it. Nothing was downloaded.")
    else:
        _say(_forecast(repository, choice, machine))
        try:
            with ProgressLine(sys.stderr) as progress:
                path = fetch_choice(repository, choice, folder, progress.update)
        except KeyboardInterrupt:
            _say("tui-chat: stopped. What was fetched is kept; the same command goes on from there.")
            raise
    if as_json:
        import msgspec

        told = {"path": str(path), "quant": choice.label, "size_bytes": choice.size}
        if choice.projector is not None:
            told["projector"] = choice.projector.path
        print(msgspec.json.encode(told).decode())
    else:
        print(path)
    return 0


def _forecast(repository: Repository, choice: Choice, machine: Machine) -> str:
    """Read the header before anything is downloaded, and say what it says and how the model would run."""
    from tui_chat.library.errors import DownloadError
    from tui_chat.library.hub.fetch import fetch_first_header
    from tui_chat.memory.gguf import GgufError
    from tui_chat.memory.profile import read_profile
    from tui_chat.wire.words import size

    try:
        with fetch_first_header(repository, choice) as path:
            profile = read_profile([path])
    except GgufError as error:
        raise DownloadError(error.problem) from error
    whole = len(choice.files) == 1
    parameters = profile.parameters if whole else repository.parameters
    facts = [f"{repository.name} {choice.label}", size(choice.size)]
    facts += [f"{parameters / 1e9:.3g} billion parameters"] if parameters else []
    facts += [profile.architecture]
    facts += [f"trained on {profile.trained_context:,} tokens"] if profile.trained_context else []
    facts += [f"sees pictures with {choice.projector.path}"] if choice.projector else []
    told = ", ".join(facts) + "."
    eyes = choice.projector.size if choice.projector else 0
    return f"{told}\n{_plan(profile, machine, eyes)}" if whole and profile.layers else told


def _plan(profile: Profile, machine: Machine, eyes: int) -> str:
    """How the model would be loaded as the machine is now, by arithmetic."""
    from tui_chat.memory.placement import Search, Wish
    from tui_chat.memory.spans import Spans
    from tui_chat.memory.wording import reason

    search = Search(Spans(profile), Wish(), machine, eyes)
    return reason(search, search.best())


def _table(verdicts: list[Verdict], best: Recommendation) -> str:
    from tui_chat.wire.words import size

    if not verdicts:
        return "The repository has no GGUF model to chat with."
    heads = ("QUANT", "SIZE", "WITH 8,192 TOKENS", "", "FILE")
    rows = [
        (
            verdict.choice.label,
            size(verdict.choice.size),
            size(verdict.needed),
            verdict.words + (", recommended" if verdict.choice == best.choice else ""),
            verdict.choice.files[0].path + _parts(len(verdict.choice.files)),
        )
        for verdict in verdicts
    ]
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(4)]
    lines = []
    for row in (heads, *rows):
        cells = [
            cell.rjust(width) if column in (1, 2) else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=False))
        ]
        lines.append("  ".join((*cells, row[4])))
    if best.choice is None:
        lines.append(f"Nothing is recommended: {best.reason}.")
    return "\n".join(lines)


def _parts(count: int) -> str:
    return f" and {count - 1} more" if count > 1 else ""


def _as_json(verdicts: list[Verdict], best: Recommendation) -> str:
    import msgspec

    listed = [
        {
            "quant": verdict.choice.label,
            "size_bytes": verdict.choice.size,
            "needed_bytes": verdict.needed,
            "fits": verdict.in_memory or verdict.on_gpu,
            "on_gpu": verdict.on_gpu,
            "recommended": verdict.choice == best.choice,
            "files": [file.path for file in verdict.choice.all_files],
        }
        for verdict in verdicts
    ]
    return msgspec.json.format(msgspec.json.encode(listed)).decode()


def _no_fit(repository: Repository, choices: list[Choice], best: Recommendation) -> Problem:
    from tui_chat.chat.model import Problem, ProblemCode

    if not choices:
        return Problem(
            code=ProblemCode.MODEL_UNKNOWN,
            what=f"{repository.name} has no GGUF model to chat with.",
            remedy="Many models have a second repository for that, with GGUF in its name.",
        )
    return Problem(
        code=ProblemCode.OUT_OF_MEMORY,
        what=f"Nothing in {repository.name} fits: {best.reason}.",
        remedy=f"Choose a smaller model, or name a quant: hf:{repository.name}:{choices[-1].label}",
    )


def _stop(problem: Problem) -> NoReturn:
    from tui_chat.library.errors import DownloadError

    raise DownloadError(problem)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
