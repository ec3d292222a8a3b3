"""The journal of one answer: appended to while it streams, folded into the session when it settles."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import msgspec

from tui_chat.chat.model import Answer, FinishReason, Message, Problem, ProblemCode, Session
from tui_chat.store.errors import StoreError, disk_problem
from tui_chat.store.files import read_regular, sync_folder, write_whole
from tui_chat.wire.api import JournalHeader
from tui_chat.wire.events import Channel, Delta, Numbered, Settled

VERSION = 1
_KEPT = "Everything up to here is in the journal, and the answer goes on in memory."


class JournalWriter:
    """Appends the events of one generation to a new file of one JSON object per line.

    Raises (from every method that touches the disk):
        StoreError: The disk refused; the file ends with the last whole line.
    """

    def __init__(self, path: Path, header: JournalHeader) -> None:
        self._path = path
        self._named = False
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            self._fd: int | None = os.open(path, flags, 0o600)
        except OSError as error:
            raise self._failed(error, kept="Your message is saved.") from error
        try:
            self._write(msgspec.json.encode(header) + b"\n")
        except StoreError:
            self.close()
            with suppress(OSError):
                path.unlink()
            raise

    def append(self, *events: Numbered) -> None:
        """Write `events` as whole lines in one go; `sync` makes them survive a power cut."""
        self._write(b"".join(_encode_line(event) for event in events))

    def sync(self) -> None:
        """Wait until the disk has everything appended so far."""
        assert self._fd is not None, "the journal is closed"
        try:
            os.fdatasync(self._fd)
            if not self._named:
                sync_folder(self._path.parent)
                self._named = True
        except OSError as error:
            raise self._failed(error) from error

    def close(self) -> None:
        """Let go of the file; does nothing the second time."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _write(self, data: bytes) -> None:
        assert self._fd is not None, "the journal is closed"
        whole = os.fstat(self._fd).st_size
        try:
            write_whole(self._fd, data)
        except OSError as error:
            with suppress(OSError):  # half a line would be glued to the next append
                os.ftruncate(self._fd, whole)
            raise self._failed(error) from error

    def _failed(self, error: OSError, kept: str = _KEPT) -> StoreError:
        code = ProblemCode.JOURNAL_FAILED
        return StoreError(
            disk_problem(code, "writing the journal of the answer", self._path, error, kept=kept)
        )


class JournalState(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a journal says about its answer: all of it, also what one that went on began with.

    `tokens` are those of what is new. `path` is None for an answer in flight that has no journal. `torn`
    tells that lines other than an unfinished last one could not be read.
    """

    header: JournalHeader
    path: Path | None = None
    text: str = ""
    thinking: str = ""
    tokens: int = 0
    settled: Settled | None = None
    last_seq: int = 0
    torn: bool = False


class EmptyJournalError(ValueError):
    """The journal has nothing in it: its writer was stopped, or is about to write."""


class ForeignJournalError(ValueError):
    """The first line is no header of a journal."""


class UnknownJournalError(ValueError):
    """The journal's version is not ours."""


class _Version(msgspec.Struct):
    journal: int


def read_journal(path: Path) -> JournalState:
    """Read the journal at `path`, up to its last whole line.

    Raises:
        EmptyJournalError: It is empty.
        ForeignJournalError: It is no journal.
        UnknownJournalError: It belongs to another release.
        OSError: It cannot be read.
    """
    lines = read_regular(path)[0].split(b"\n")
    last = lines.pop()  # empty, or the line that was being written
    if not lines and not last:
        raise EmptyJournalError(f"{path.name} is empty")
    header = _decode_header(lines[0] if lines else last)
    texts = {Channel.ANSWER: [header.prefix], Channel.THINKING: [header.thought]}
    tokens, seq, settled, torn = 0, 0, None, False
    for line in (*lines[1:], *([last] if lines and last else ())):
        numbered = _decode_line(line)
        if numbered is None:
            torn = torn or line is not last
        elif numbered.seq > seq:
            seq = numbered.seq
            if isinstance(numbered.event, Delta):
                texts[numbered.event.channel].append(numbered.event.text)
                tokens += numbered.event.tokens
            elif isinstance(numbered.event, Settled):
                settled = numbered.event
    return JournalState(
        header=header,
        path=path,
        text="".join(texts[Channel.ANSWER]),
        thinking="".join(texts[Channel.THINKING]),
        tokens=tokens,
        settled=settled,
        last_seq=seq,
        torn=torn,
    )


def fold(session: Session, state: JournalState, otherwise: FinishReason) -> Session:
    """Return `session` with the journal's answer in the place of its placeholder. Pure and idempotent.

    The longer text wins over the shorter. A journal that settled has the last word on how the
    answer ended; without one, an answer that is settled already stays so and one in flight ends
    as `otherwise`. A journal whose answer is not in the session changes nothing.
    """
    messages = list(session.messages)
    for index in range(len(messages) - 1, -1, -1):
        if messages[index].id == state.header.id:
            messages[index] = _folded(messages[index], state, otherwise)
            return msgspec.structs.replace(session, messages=tuple(messages))
    return session


def _folded(message: Message, state: JournalState, otherwise: FinishReason) -> Message:
    answer = message.answer or state.header.answer
    if state.settled:
        answer = settled_answer(answer, state.settled)
    elif answer.finish is None:
        answer = _ended(answer, state, otherwise)
    return msgspec.structs.replace(
        message,
        text=max(message.text, state.text, key=len),
        thinking=max(message.thinking, state.thinking, key=len),
        answer=answer,
    )


def settled_answer(answer: Answer, settled: Settled) -> Answer:
    """Return `answer` with how it ended and all that was measured."""
    return msgspec.structs.replace(
        answer,
        finish=settled.finish,
        usage=settled.usage,
        timings=settled.timings,
        problem=settled.problem,
        seed=answer.seed if settled.seed is None else settled.seed,
        fingerprint=settled.fingerprint or answer.fingerprint,
        flight=settled.flight,
    )


def _ended(answer: Answer, state: JournalState, otherwise: FinishReason) -> Answer:
    tokens = max(state.tokens, answer.usage.completion_tokens)
    usage = msgspec.structs.replace(answer.usage, completion_tokens=tokens)
    went_on = bool(state.header.prefix or state.header.thought)
    problem = answer.problem or _why(otherwise, usage.completion_tokens, went_on)
    return msgspec.structs.replace(answer, finish=otherwise, usage=usage, problem=problem)


def _why(otherwise: FinishReason, tokens: int, went_on: bool) -> Problem | None:
    """Why an answer ended of which `tokens` are new, if that is worth a word."""
    if otherwise is not FinishReason.ENGINE_DIED:
        return None
    begun = "went on" if went_on else "began"
    return Problem(
        code=ProblemCode.ENGINE_DIED,
        what="The engine stopped before the answer was complete."
        if tokens
        else f"The answer was interrupted before it {begun}.",
        kept=_what_was_kept(tokens, went_on),
        remedy="Ask for the answer again.",
    )


def _what_was_kept(tokens: int, went_on: bool) -> str:
    if went_on:
        return "All that it had said was kept."
    if tokens == 0:
        return "Your message was kept."
    return (
        f"The first {tokens:,} tokens of the answer were kept." if tokens > 1 else "Its first token was kept."
    )


def _encode_line(event: Numbered) -> bytes:
    try:
        return msgspec.json.encode(event) + b"\n"
    except UnicodeEncodeError:
        assert isinstance(event.event, Delta)
        text = event.event.text.encode("utf-8", "replace").decode("utf-8")
        return (
            msgspec.json.encode(Numbered(event.seq, msgspec.structs.replace(event.event, text=text))) + b"\n"
        )


def _decode_header(line: bytes) -> JournalHeader:
    try:
        if (version := msgspec.json.decode(line, type=_Version).journal) != VERSION:
            raise UnknownJournalError(f"journal version {version} is not {VERSION}")
        return msgspec.json.decode(line, type=JournalHeader)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ForeignJournalError(str(error)) from error


def _decode_line(line: bytes) -> Numbered | None:
    try:
        return msgspec.json.decode(line, type=Numbered)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
