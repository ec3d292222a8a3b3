"""`tui-chat ask`: one question, one answer, streamed to stdout or as one JSON object."""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tui_chat.cli.printable import printable, readable

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui_chat.chat.model import Message, Sampling
    from tui_chat.chat.routing import Route
    from tui_chat.client.engine import EngineClient
    from tui_chat.client.workspace import Workspace
    from tui_chat.store.journal import JournalState
    from tui_chat.wire.api import GenerateRequest
    from tui_chat.wire.events import Event
    from tui_chat.wire.pictures import Picture

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("prompt", nargs="?", help="the question; text on stdin is appended, or is all of it")
    parser.add_argument("--model", metavar="NAME", help="model id, part of one, or a path to a GGUF file")
    parser.add_argument("--preset", metavar="NAME", help="preset; the other arguments go before it")
    parser.add_argument(
        "--image", action="append", type=Path, metavar="FILE", help="picture to show; may be repeated"
    )
    parser.add_argument("--system", metavar="TEXT", help="system prompt")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the text")
    parser.add_argument("--context", type=int, metavar="N", help="context size in tokens")
    sampling = parser.add_argument_group("sampling")
    sampling.add_argument("--max-tokens", type=int, metavar="N", help="stop after N tokens")
    sampling.add_argument("--temperature", type=float, metavar="T", help="0 is greedy")
    sampling.add_argument("--top-k", type=int, metavar="K")
    sampling.add_argument("--top-p", type=float, metavar="P")
    sampling.add_argument("--min-p", type=float, metavar="P")
    sampling.add_argument("--repeat-penalty", type=float, metavar="X", help="1 is off")
    sampling.add_argument("--frequency-penalty", type=float, metavar="X")
    sampling.add_argument("--presence-penalty", type=float, metavar="X")
    sampling.add_argument("--seed", type=int, metavar="N")
    sampling.add_argument("--stop", action="append", metavar="TEXT", help="stop before TEXT; may be repeated")


def run(args: argparse.Namespace) -> int:
    """Ask, print, and return 0 only when the answer is complete."""
    import asyncio
    import gc

    from tui_chat.cli.pictures import PictureError, read_pictures

    gc.disable()  # a short life: collecting would take longer than what it frees
    prompt = _prompt(args.prompt)
    if not prompt.strip():
        sys.stderr.write('tui-chat: nothing was asked. Try: tui-chat ask "Why is the sky blue?"\n')
        return 2
    try:
        pictures = read_pictures(args.image or ())
    except PictureError as error:
        sys.stderr.write(f"tui-chat: {error} Nothing was asked.\n")
        return 2
    return asyncio.run(_ask(args, prompt, pictures))


def _prompt(given: str | None) -> str:
    piped = "" if sys.stdin is None or sys.stdin.isatty() else _piped()
    return "\n\n".join(part for part in (readable(given or ""), piped) if part)


def _piped() -> str:
    """All of stdin, also where it is no text of this locale, as a diff of old files may be."""
    sys.stdin.reconfigure(errors="replace")  # type: ignore[union-attr]
    return sys.stdin.read()


async def _ask(args: argparse.Namespace, prompt: str, pictures: tuple[Picture, ...]) -> int:
    from datetime import UTC, datetime

    from tui_chat.chat.ids import new_id
    from tui_chat.chat.model import Answer, FinishReason, Message, Role, Session
    from tui_chat.cli.settings import load
    from tui_chat.client.workspace import Workspace
    from tui_chat.config.presets import Preset, find_presets
    from tui_chat.store.journal import fold
    from tui_chat.wire.api import GenerateRequest, Turn

    paths, settings = load()
    workspace = Workspace(paths, settings)
    preset = find_presets().named(args.preset) if args.preset else Preset()
    wanted = args.model or preset.model
    route = None if wanted else await _route(workspace, prompt, preset.name, shows=bool(pictures))
    model = route.model if route else await _model(workspace, wanted)
    if model is None:
        sys.stderr.write(
            "tui-chat: there is no model on this machine. Get one: tui-chat models get starter\n"
        )
        return 1
    sampling = _sampling(args, preset.sampling.over(settings.sampling))
    now = datetime.now(UTC)
    answer = Message(new_id(now), Role.ASSISTANT, "", now, answer=Answer(model=model, sampling=sampling))
    told = preset.system.strip() if args.system is None else readable(args.system)
    system = (Turn(Role.SYSTEM, told),) if told else ()
    request = GenerateRequest(
        id=answer.id,
        model=model,
        turns=(*system, Turn(Role.USER, route.text if route else prompt, pictures=pictures)),
        sampling=sampling,
        context=args.context,
        only_while_heard=True,
    )
    show = _Printer(streams=not args.json)
    if route is not None:
        show.tell(f"to {route.model}, {route.words}")
    state = await _follow(workspace.engine_client, answer, request, show)
    session = Session(id=answer.id, created=now, updated=now, messages=(answer,))
    return show.finish(fold(session, state, FinishReason.ENGINE_DIED).messages[0])


async def _follow(
    engine: EngineClient, answer: Message, request: GenerateRequest, show: Callable[[Event], None]
) -> JournalState:
    """Follow the answer to its end; Ctrl-C stops it, and what it said is kept."""
    import asyncio
    import signal

    from tui_chat.client.live import Errand, LiveAnswer, follow_answer

    live = LiveAnswer.starting(answer.id)

    def hear(event: Event) -> LiveAnswer:
        nonlocal live
        live = live.after(event)
        show(event)
        return live

    following = asyncio.create_task(
        follow_answer(engine, Errand(answer, "", request, None), hear, lambda _: None)
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, lambda: asyncio.ensure_future(engine.cancel(answer.id)))
    state = await following
    await engine.close()
    return state


async def _route(workspace: Workspace, prompt: str, preset: str, *, shows: bool) -> Route | None:
    """Where the routes in the settings send the question; None where there is none for it."""
    from datetime import UTC, datetime

    from tui_chat.chat.model import Session
    from tui_chat.client.routing import find_route

    if not workspace.settings.routes:
        return None
    now = datetime.now(UTC)
    session = Session(id="", created=now, updated=now, routed=True, preset=preset)
    return await find_route(workspace, session, (), prompt, shows=shows)


async def _model(workspace: Workspace, wanted: str | None) -> str | None:
    """The model to ask: the one named, the configured one, the one in memory, any; None without any."""
    from tui_chat.client.errors import EngineError

    if wanted:
        return await workspace.resolve_model(wanted)
    if workspace.settings.models.default is None:
        with contextlib.suppress(EngineError):  # not running yet: then nothing is in memory
            if residents := (await workspace.engine_client.info()).residents:
                return min(residents, key=lambda model: bool(model.server)).id
    return await workspace.default_model()


def _sampling(args: argparse.Namespace, base: Sampling) -> Sampling:
    import msgspec

    given = {
        name: getattr(args, name)
        for name in base.__struct_fields__
        if getattr(args, name, None) is not None and name != "stop"
    }
    return msgspec.structs.replace(base, **given, stop=tuple(args.stop or base.stop))


class _Printer:
    """Writes the answer to stdout as it comes, and what is being waited for to stderr."""

    def __init__(self, *, streams: bool) -> None:
        self._streams = streams
        self._status = streams and sys.stderr.isatty()
        self._safe = sys.stdout.isatty()
        self._dirty = False

    def __call__(self, event: Event) -> None:
        from tui_chat.wire.events import Channel, Delta, Loading, Prefill, Queued, Waiting

        match event:
            case Delta(text, _, Channel.ANSWER) if self._streams:
                self._wipe()
                sys.stdout.write(printable(text) if self._safe else text)
                sys.stdout.flush()
            case Delta():
                self.tell("thinking …")
            case Queued(ahead):
                self.tell(f"waiting for {ahead} other answer{'s' if ahead > 1 else ''}")
            case Loading(model, fraction, _):
                self.tell(f"loading {model} {fraction:.0%}")
            case Waiting(server, _, why, pause):
                self.tell(f"{why} Asking again in {pause:.1f} s" if pause else f"waiting for {server}")
            case Prefill(done, total, _, _):
                self.tell(f"reading {total} tokens {done / total:.0%}")

    def tell(self, status: str) -> None:
        """Say what is being waited for, where somebody is looking."""
        if self._status:
            sys.stderr.write(f"\r\x1b[2K{status}")
            sys.stderr.flush()
            self._dirty = True

    def _wipe(self) -> None:
        if self._dirty:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
            self._dirty = False

    def finish(self, message: Message) -> int:
        """Print what is left to print; return the exit status."""
        from tui_chat.chat.model import FinishReason

        self._wipe()
        answer = message.answer
        assert answer is not None
        if self._streams:
            sys.stdout.write("" if message.text.endswith("\n") or not message.text else "\n")
        else:
            sys.stdout.write(_as_json(message) + "\n")
        sys.stdout.flush()
        if answer.finish is FinishReason.STOP:
            return 0
        sys.stderr.write(f"tui-chat: {_why(message)}\n")
        return INTERRUPTED if answer.finish is FinishReason.CANCELLED else 1


def _why(message: Message) -> str:
    from tui_chat.chat.model import FinishReason

    answer = message.answer
    assert answer is not None
    if answer.problem is not None:
        return " ".join(part for part in (answer.problem.what, answer.problem.remedy) if part)
    if answer.finish is FinishReason.LENGTH:
        return f"the answer was cut off after {answer.usage.completion_tokens} tokens."
    return f"the answer is incomplete ({answer.finish})."


def _as_json(message: Message) -> str:
    import msgspec

    answer = message.answer
    assert answer is not None
    problem = msgspec.structs.asdict(answer.problem) if answer.problem else None
    fields = {
        "text": message.text,
        "thinking": message.thinking,
        "finish_reason": answer.finish,
        "model": answer.model,
        "seed": answer.seed,
        "usage": msgspec.structs.asdict(answer.usage),
        "timings": msgspec.structs.asdict(answer.timings),
        "problem": problem,
    }
    return msgspec.json.format(msgspec.json.encode(fields)).decode()
