"""Answers until its input ends: ``python -m …``, questions on standard input, answers on ``FD``."""

from __future__ import annotations

import os
import sys

import msgspec

from tui_chat.backends.llamacpp.build import backend_name
from tui_chat.backends.llamacpp.messages import LENGTH_BYTES, body_length
from tui_chat.backends.llamacpp.probing import (
    Answers,
    CountedIn,
    CountIn,
    Looked,
    Probe,
    Question,
    Uncountable,
)


def main() -> None:
    """Serve. Whatever llama.cpp does to this process, nobody's model is in it."""
    answers = os.fdopen(int(sys.argv[1]), "wb")
    from tui_chat.backends.llamacpp.worker.logs import NativeLog
    from tui_chat.backends.llamacpp.worker.native import lib
    from tui_chat.backends.llamacpp.worker.probe.measure import measure
    from tui_chat.backends.llamacpp.worker.probe.vocabularies import Vocabularies

    log = NativeLog()
    lib.llama_backend_init()
    vocabularies = Vocabularies(log)
    questions = msgspec.msgpack.Decoder(Question)
    while prefix := sys.stdin.buffer.read(LENGTH_BYTES):
        question = questions.decode(sys.stdin.buffer.read(body_length(prefix)))
        answer: Answers | CountedIn | Uncountable | Looked
        if isinstance(question, Probe):
            answer = Answers(backend_name(), measure(question, log))
        elif isinstance(question, CountIn):
            answer = vocabularies.count(question)
        else:
            answer = vocabularies.look(question)
        body = msgspec.msgpack.encode(answer)
        answers.write(len(body).to_bytes(LENGTH_BYTES, "big") + body)
        answers.flush()


if __name__ == "__main__":
    main()
