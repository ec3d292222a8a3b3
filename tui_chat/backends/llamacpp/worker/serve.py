"""The worker's life: load, then answer orders until the host hangs up."""

from __future__ import annotations

import gc
import os
import socket
import threading
from queue import SimpleQueue
from time import perf_counter

from tui_chat.backends.llamacpp.abort import AbortFlags
from tui_chat.backends.llamacpp.messages import (
    LENGTH_BYTES,
    Counted,
    Failed,
    Generate,
    Happened,
    Holds,
    Load,
    Loaded,
    Order,
    Progress,
    Reading,
    Refused,
    Reply,
    Report,
    Tokenize,
    TurnsCounted,
    Upkeep,
    body_length,
    decode_order,
    frame,
)
from tui_chat.backends.llamacpp.worker.cache import branches_of
from tui_chat.backends.llamacpp.worker.counting import count_turns
from tui_chat.backends.llamacpp.worker.generation import Generator
from tui_chat.backends.llamacpp.worker.logs import NativeLog
from tui_chat.backends.llamacpp.worker.model import Model, load_model
from tui_chat.backends.llamacpp.worker.resize import ContextLostError
from tui_chat.backends.llamacpp.worker.scribe import Scribe
from tui_chat.backends.llamacpp.worker.template import RenderError, template_problem
from tui_chat.backends.llamacpp.worker.upkeep import attend
from tui_chat.backends.protocol import BackendError
from tui_chat.wire.events import Event, Settled

_PROGRESS_STEP = 0.01

Orders = SimpleQueue[tuple[Generate | Upkeep, float]]
"""What is to be done with the context, each with the time its order came in."""


class Line:
    """The socket to the host, which hangs up to have the worker leave."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._sending = threading.Lock()

    def send(self, report: Report) -> None:
        """Send one report, from any thread; leaves the process if nobody listens any more."""
        data = frame(report)
        try:
            with self._sending:
                self._sock.sendall(data)
        except OSError:
            os._exit(0)

    def receive(self) -> Order:
        """Wait for the next order; leaves the process when the host hangs up."""
        return decode_order(self._read(body_length(self._read(LENGTH_BYTES))))

    def _read(self, count: int) -> bytes:
        data = bytearray()
        while len(data) < count:
            try:
                more = self._sock.recv(count - len(data))
            except OSError:
                more = b""
            if not more:
                os._exit(0)
            data += more
        return bytes(data)


def serve(sock: socket.socket, flags: AbortFlags) -> None:
    """Load the model that the first order names, then do as told until the host hangs up."""
    log = NativeLog()
    line = Line(sock)
    order = line.receive()
    if not isinstance(order, Load):
        raise TypeError(f"the first order is {type(order).__name__}, not Load")
    try:
        model = load_model(order, log, _Progress(line))
    except BackendError as error:
        line.send(Refused(error.problem))
        line.receive()
        return
    orders: Orders = SimpleQueue()
    threading.Thread(target=_listen, args=(line, model.scribe, orders), daemon=True).start()
    gc.freeze()
    gc.disable()  # a collection in the middle of an answer would be a stutter
    line.send(Loaded(model.description))
    _work(line, model, flags, orders, log)


def _listen(line: Line, scribe: Scribe, orders: Orders) -> None:
    """Take orders on a thread of its own, so that counting tokens never waits for an answer.

    The thread sleeps in the kernel between orders and so costs the decode loop nothing. Reading the
    vocabulary is safe beside an evaluation; the context is touched by the main thread alone.
    """
    while True:
        order = line.receive()
        if isinstance(order, Reading):
            line.send(_read(order, scribe))
        elif not isinstance(order, Load):
            orders.put((order, perf_counter()))


def _read(order: Reading, scribe: Scribe) -> Reply:
    if isinstance(order, Tokenize):
        return Counted(order.number, len(scribe.vocabulary.tokenize(order.text, special=False)))
    try:
        return TurnsCounted(order.number, count_turns(scribe, order.turns))
    except RenderError as error:
        return Failed(order.number, template_problem(error))


def _work(line: Line, model: Model, flags: AbortFlags, orders: Orders, log: NativeLog) -> None:
    """Carry out one order after the other, until the model has lost its context."""
    generator = Generator(model)
    while True:
        order, received = orders.get()
        if isinstance(order, Generate):
            _generate(line, generator, flags, order, received)
        else:
            try:
                reply, generator.model = attend(order, generator.model, log, flags.of(order.number))
            except ContextLostError as error:
                line.send(Failed(order.number, error.problem))
                return
            line.send(Holds(branches_of(generator.model.cache)))
            line.send(reply)
        gc.collect()


def _generate(line: Line, generator: Generator, flags: AbortFlags, order: Generate, received: float) -> None:
    def send(event: Event) -> None:
        if isinstance(event, Settled):  # whoever hears of the end may ask at once what is kept of it
            line.send(Holds(branches_of(generator.model.cache)))
        line.send(Happened(order.number, event))

    flag = flags.of(order.number)
    generator.model.cache.arm(flag)
    generator.answer(order, received, flag, send)


class _Progress:
    """Passes on only as much of llama.cpp's progress as moves a bar."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._sent = -1.0

    def __call__(self, fraction: float) -> None:
        if fraction >= self._sent + _PROGRESS_STEP:
            self._sent = fraction
            self._line.send(Progress(fraction))
