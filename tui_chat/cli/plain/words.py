"""What can be asked for by a word that begins with a slash."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from difflib import get_close_matches
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, NamedTuple

from tui_chat.chat.acts import Redo, Undo
from tui_chat.chat.export.outline import line_of
from tui_chat.chat.model import Problem
from tui_chat.store.errors import StoreError
from tui_chat.ui.opening import Opening
from tui_chat.wire.words import size

if TYPE_CHECKING:
    from tui_chat.cli.plain.chat import PlainChat

_LISTED = 20
"""Sessions that are listed at most."""
_END = 80
"""Characters of a message that is only named."""


class Word(NamedTuple):
    """A word, what may follow it, and what it does."""

    takes: str
    about: str
    do: Callable[[PlainChat, str], Awaitable[None]]


async def perform(chat: PlainChat, line: str) -> None:
    """Do what a line that begins with a slash asks for; a word that is none is said to be so."""
    name, _, argument = line.removeprefix("/").strip().partition(" ")
    word = WORDS.get(name.lower())
    if word is None:
        close = get_close_matches(name, WORDS, n=1)
        meant = f"Did you mean /{close[0]}? " if close else ""
        chat.voice.say(f"There is no /{name}. {meant}/help lists them; a space before it sends it as it is.")
        return
    await word.do(chat, argument.strip())


async def _help(chat: PlainChat, argument: str) -> None:
    chat.voice.say(
        "What you write is sent with enter. Three quotes (" + '"""' + ") begin and end several lines."
    )
    chat.voice.say("Ctrl+c stops an answer, which is kept; where you write, it leaves, as ctrl+d does.")
    for name, word in WORDS.items():
        chat.voice.say(f"/{name}{word.takes and f' {word.takes}'}: {word.about}")


async def _models(chat: PlainChat, argument: str) -> None:
    chosen = chat.conversation.session.model
    models = await chat.workspace.models()
    for model in models:
        state = "broken" if model.problem else model.state.value.replace("_", " ")
        mark = ", answers here" if model.id == chosen else ""
        chat.voice.say(f"{model.id}, {size(model.size_bytes)}, {state}{mark}")
    if not models:
        chat.voice.say("There is no model on this machine. Get one: tui-chat models get starter")


async def _model(chat: PlainChat, argument: str) -> None:
    if not argument:
        chat.voice.say(f"{chat.conversation.session.model or 'No model'} answers. /models lists them.")
        return
    found = await chat.workspace.find_model(argument)
    if isinstance(found, Problem):
        chat.voice.problem(found)
        return
    await chat.conversation.choose_model(found)
    chat.voice.say(f"{found} answers from here on.")


async def _sessions(chat: PlainChat, argument: str) -> None:
    sessions = await chat.workspace.sessions()
    for each in sessions[:_LISTED]:
        title = line_of(each.title or each.preview) or each.id
        chat.voice.say(each.problem.what if each.problem else f"{title}, {each.messages} messages, {each.id}")
    if len(sessions) > _LISTED:
        chat.voice.say(f"and {len(sessions) - _LISTED} older ones: tui-chat sessions list")
    if not sessions:
        chat.voice.say("No chat is kept yet. The first message makes one.")


async def _resume(chat: PlainChat, argument: str) -> None:
    if not argument:
        chat.voice.say("Say which one: /resume NAME, with its title, a part of it, or its id.")
        return
    from tui_chat.store.listing import named

    found = named(await chat.workspace.sessions(), argument)
    if len(found) != 1:
        chat.voice.say(f"{len(found) or 'No'} chats are called “{argument}”. /sessions lists them.")
    elif found[0].id == chat.conversation.session.id:
        chat.voice.say("That one is open.")
    else:
        await chat.open(Opening(name=found[0].id))
        await chat.settle()


async def _new(chat: PlainChat, argument: str) -> None:
    await chat.open(Opening())


async def _retry(chat: PlainChat, argument: str) -> None:
    if not chat.conversation.tree.path():
        chat.voice.say("Nothing was asked yet.")
        return
    await chat.conversation.retry()
    await chat.settle()


async def _undo(chat: PlainChat, argument: str) -> None:
    if await chat.conversation.do(Undo()) is not None:
        chat.voice.say(f"Taken back; /redo does it again. {_end(chat)}")


async def _redo(chat: PlainChat, argument: str) -> None:
    if await chat.conversation.do(Redo()) is not None:
        chat.voice.say(f"Done again. {_end(chat)}")


def _end(chat: PlainChat) -> str:
    said = [message for message in chat.conversation.tree.path() if message.said]
    return (
        f"The chat ends with: {shorten(line_of(said[-1].text), _END, placeholder=' …')}"
        if said
        else "The chat is empty."
    )


async def _show(chat: PlainChat, argument: str) -> None:
    said = [message for message in chat.conversation.tree.path() if message.said]
    for message in said:
        chat.voice.tell(message)
    if not said:
        chat.voice.say("Nothing was said yet.")


async def _take(chat: PlainChat, argument: str) -> None:
    await chat.conversation.take_over()
    chat.voice.say("This chat is written here.")


async def _fork(chat: PlainChat, argument: str) -> None:
    try:
        copy = await chat.conversation.fork()
    except StoreError as error:
        chat.voice.problem(error.problem)
        return
    await copy.close()
    await chat.open(Opening(name=copy.session.id))


async def _attach(chat: PlainChat, argument: str) -> None:
    from tui_chat.store.attaching import AttachError
    from tui_chat.ui.words import typed_path

    if not argument:
        chat.voice.say("Say which file: /attach PATH.")
        return
    try:
        attached = await chat.conversation.attachable(Path(typed_path(argument)), argument)
    except AttachError as error:
        chat.voice.say(f"{line_of(str(error))}.")
    except StoreError as error:
        chat.voice.problem(error.problem)
    else:
        await chat.attach((*chat.attached, attached))
        chat.say_attached()


async def _detach(chat: PlainChat, argument: str) -> None:
    await chat.attach(())
    chat.voice.say("Nothing is attached now.")


async def _quit(chat: PlainChat, argument: str) -> None:
    chat.left = True


WORDS = {
    "help": Word("", "say this", _help),
    "model": Word("NAME", "have another model answer, by its id or a part of it", _model),
    "models": Word("", "list the models", _models),
    "sessions": Word("", "list the chats that are kept", _sessions),
    "resume": Word("NAME", "open another chat, by its title, a part of it, or its id", _resume),
    "new": Word("", "begin a new chat", _new),
    "attach": Word("PATH", "have a file go with the next message: a text, or a picture", _attach),
    "detach": Word("", "take out what goes with the next message", _detach),
    "show": Word("", "say the whole chat", _show),
    "retry": Word("", "have the last question answered once more; the first answer is kept", _retry),
    "undo": Word("", "take back what was done last", _undo),
    "redo": Word("", "do it again", _redo),
    "fork": Word("", "go on in a copy of this chat", _fork),
    "take": Word("", "take over a chat that another terminal has open", _take),
    "quit": Word("", "leave; an answer that is on its way goes on", _quit),
}
