"""The chat screen: title, conversation, status, input and hints. It renders and sends intents."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Static, TextArea

from tui_chat.client.changes import Access, Change, ServersChanged
from tui_chat.store.errors import StoreError
from tui_chat.ui.command import Place, around
from tui_chat.ui.commands import commands
from tui_chat.ui.offering import is_possible
from tui_chat.ui.panels import ORDER
from tui_chat.ui.presenter import Presenter
from tui_chat.ui.screens.attending import AttendingActions
from tui_chat.ui.screens.branching import ON_MESSAGE
from tui_chat.ui.screens.reading import IN_TEXT
from tui_chat.ui.transcript.view import Transcript
from tui_chat.ui.widgets.chips import ChipLine
from tui_chat.ui.widgets.lines import HintLine, Status, StatusLine, Title, TitleLine
from tui_chat.ui.widgets.panel import SidePanel
from tui_chat.ui.widgets.prompt import Prompt
from tui_chat.ui.widgets.suggestions import Suggestions

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui_chat.chat.attachments import Attachment
    from tui_chat.chat.model import Problem
    from tui_chat.client.conversation import Conversation
    from tui_chat.client.workspace import Workspace
    from tui_chat.config.settings import Settings, UiSettings
    from tui_chat.ui.keymap import Keymap
    from tui_chat.ui.opening import Opening

log = logging.getLogger("tui_chat.ui")

FORESEE_S = 0.3
"""How long nothing must have been typed before the engine is asked what sending would take."""


ALARM_S = 8.0
"""How long an alarm stays."""


class ChatScreen(AttendingActions):
    """One conversation and its input. There is one such screen; conversations change under it."""

    own_places = (Place.CHAT, Place.TRANSCRIPT, Place.SELECTING)
    AUTO_FOCUS = "#chat-input"

    def __init__(
        self,
        settings: UiSettings,
        workspace: Callable[[], Workspace],
        opening: Opening,
        problems: tuple[Problem, ...],
    ) -> None:
        """Make the screen; `workspace` is not called before the first paint, as its modules cost 40 ms."""
        super().__init__()
        self._settings = settings
        self._problems = problems
        self._make_workspace = workspace
        self._opening = opening
        self._conversation: Conversation | None = None
        self._opened = asyncio.Event()
        self._sending = asyncio.Lock()

    def compose(self) -> ComposeResult:
        """Lay out title, banner, body (room for panels beside the conversation), status, input, hints."""
        yield TitleLine(id="chat-title")
        yield Static(id="chat-banner", markup=False)
        with Horizontal(id="chat-body"):
            with Vertical(id="chat-conversation"):
                yield Transcript(fps=self.stream_fps(), id="chat-transcript")
                yield Static(id="chat-empty")
            yield SidePanel(ORDER, id="chat-panel")
        yield StatusLine(id="chat-status")
        yield Suggestions(id="chat-offered")
        yield ChipLine(id="chat-chips")
        with Horizontal(id="chat-entry"):
            yield Static("›", id="chat-mark")  # noqa: RUF001
            yield Prompt("Ask anything; {input.send} sends", id="chat-input")
        yield HintLine(id="chat-hints")

    def use_settings(self, settings: Settings) -> None:
        """Go by other settings from now on."""
        self._settings = settings.ui
        self.show_line()
        self._workspace.use(settings)
        self._presenter.facts.usual_preset = settings.chat.preset or ""
        self._presenter.refresh()

    def use_keys(self, keymap: Keymap) -> None:
        """React to other keys from now on, and name them."""
        super().use_keys(keymap)
        if self.is_mounted:
            self._presenter.use_keymap(keymap)
            self._show_chips()

    def on_mount(self) -> None:
        """Paint first; connect and read the disk when the first frame is out."""
        self._presenter = Presenter(self, self.keys_in_force)
        self.prompt.completion = self
        self.show_line()
        self.show_hints()
        self.call_after_refresh(self._start)

    # Opening and closing conversations

    @work(group="opening", exclusive=True)
    async def _start(self) -> None:
        from tui_chat.ui.opening import open_conversation

        self._workspace.subscribe(self._presenter.hear)
        self._workspace.subscribe(self._hear_of_servers)
        await self._arrange_as_before()
        self._presenter.facts.usual_preset = self._workspace.settings.chat.preset or ""
        opened = await open_conversation(self._workspace, self._opening)
        await self._show(opened.conversation)
        for problem in (*self._problems, opened.problem, *opened.notes):
            if problem is not None:
                self._presenter.notice(problem)
        if await self._workspace.is_new():
            self._presenter.greet()
        self.prompt.past.fill(await asyncio.to_thread(self._workspace.history.read))
        await self._workspace.start()
        self._presenter.know_models(await self._workspace.models())
        self.tick()
        if opened.choose:
            self.choose_session()

    def _hear_of_servers(self, change: Change) -> None:
        if isinstance(change, ServersChanged) and self.there:
            self._fetches.follow()
            self._know_models()

    @work(group="known-models", exclusive=True)
    async def _know_models(self) -> None:
        self._presenter.know_models(await self._workspace.models())

    @property
    def there(self) -> bool:
        """Whether there is still something to show news on."""
        return self.app.is_running and self.is_mounted

    async def on_unmount(self) -> None:
        """Keep the draft and how the panels are arranged, and let go of session and engine."""
        if self._conversation is not None:
            await self._arrangements.flush()
            self.workers.cancel_group(self, "starter")
            await self._drafts.flush()
            await self._conversation.close()
            await self._loader.close()
            await self._fetches.close()
            await self._workspace.stop()

    # Writing

    @on(TextArea.Changed, "#chat-input")
    def _typed(self) -> None:
        self.look()
        if self._conversation is not None:
            self.keep_draft(self.prompt.text)
            if self.prompt.text:
                self.warm()
            self._foresee(self.prompt.text, self.prompt.attachments)

    def weigh_draft(self) -> None:
        """Find out anew what sending what is typed would take."""
        if self.prompt.text or self.prompt.attachments:
            self._foresee(self.prompt.text, self.prompt.attachments)

    @work(group="foresight", exclusive=True)
    async def _foresee(self, text: str, attachments: tuple[Attachment, ...]) -> None:
        """Find out what sending `text` would take, once nothing has been typed for a moment."""
        self._presenter.expect(None)
        await asyncio.sleep(FORESEE_S)
        conversation, editing = self._conversation, self._editing
        outlook = None
        if conversation is not None:
            outlook = await conversation.foresee(text, editing, attachments)
        self._presenter.expect(outlook)

    @on(Prompt.Submitted)
    def _submitted(self, event: Prompt.Submitted) -> None:
        self.transcript.follow_end()
        self._send(event.text, event.attachments)

    @work(group="sending")
    async def _send(self, text: str, attachments: tuple[Attachment, ...]) -> None:
        await self._opened.wait()
        assert self._conversation is not None
        said = await self.called(text, attachments) if text.startswith("/") else text
        if said is None:
            return
        text, edited = said, self._editing
        self.leave_editing()
        conversation = self._conversation
        async with self._sending:
            if edited:
                sending = conversation.edit(edited, text, attachments)
            else:
                sending = conversation.send(text, attachments)
            if await sending:
                from tui_chat.store.drafts import NEW_CHAT

                if not conversation.ephemeral:
                    self._drafts.keep(NEW_CHAT, "")
                    self._drafts.keep_attachments(NEW_CHAT, ())
                    await self._remember(text)
                return
            if attachments:
                self.prompt.attach((*attachments, *self.prompt.attachments))
            if edited is not None:
                self.resume_editing(edited)

    async def _remember(self, text: str) -> None:
        try:
            await asyncio.to_thread(self._workspace.history.append, text)
        except StoreError as error:
            log.warning("prompt not remembered: %s", error)

    def give_back(self, draft: str) -> None:
        """Put text that could not be sent back into the input, before whatever was typed since."""
        typed = self.prompt.text
        self.prompt.put(f"{draft}\n{typed}" if typed.strip() else draft)

    # What the presenter shows

    def show_title(self, title: Title) -> None:
        """Show the title line, and the window's."""
        self.attend()
        self.query_one("#chat-title", TitleLine).show(title)

    def show_status(self, status: Status) -> None:
        """Show the status line."""
        self.query_one("#chat-status", StatusLine).show(status)

    @property
    def has_room_beside(self) -> bool:
        """Whether there is room for panels beside the conversation."""
        return self.has_class("-wide")

    def show_banner(self, text: str) -> None:
        """Show a line that stays under the title, or none."""
        banner = self.query_one("#chat-banner", Static)
        if text and banner.content != text:
            banner.update(text)
        banner.set_class(bool(text), "-on")

    def show_empty(self, text: Content | None) -> None:
        """Show `text` in place of a conversation without messages."""
        empty = self.query_one("#chat-empty", Static)
        if text is not None and empty.content != text:
            empty.update(text)
        self.query_one("#chat-conversation").set_class(text is not None, "-empty")

    def note(self, text: str) -> None:
        """Show a passing note on the status line."""
        self.query_one("#chat-status", StatusLine).note(text)

    def alarm(self, text: str) -> None:
        """Say something over whatever screen is shown, until it has surely been read."""
        self.app.notify(text, severity="warning", markup=False, timeout=ALARM_S)

    @property
    def answering(self) -> bool:
        """Whether an answer is being written."""
        return self._presenter.answering

    def newest_answer(self) -> str:
        """The text of the newest answer, empty without one."""
        answer = self._presenter.last_answer
        return answer.text if answer else ""

    @property
    def places(self) -> tuple[Place, ...]:
        """Where the person is, for help and hints."""
        writing = Place.FINDING if self.finding else Place.OFFERED if self.offering else Place.INPUT
        reading = Place.SELECTING if self.selecting else Place.TRANSCRIPT
        first = reading if self.reading else Place.PANELS if self.arranging else writing
        return (first, *around(first))

    def show_hints(self) -> None:
        """Show the keys that do something here, now; help is always the last."""
        every = [c for place in self.places for c in commands(place) if c.hint]
        possible = [c for c in every if is_possible(self, c)]
        reading = self.reading
        possible = [c for c in possible if self._stoppable or c.id != "answer.stop"]
        possible.sort(key=lambda c: 2 if c.id == "help" else int(not (reading and c.id == "answer.stop")))
        self.query_one("#chat-hints", HintLine).show(possible)

    def on_descendant_focus(self) -> None:
        """The hints depend on where the focus is, and only one place has it."""
        if self.prompt.has_focus:
            self.transcript.focus_message(None)
            self.close_find()
        self.show_hints()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Switch off what would do nothing now, so that neither hints nor palette offer it."""
        conversation = self._conversation
        if action in IN_TEXT and not self.has_text_for(action):
            return False
        match action:
            case "stop":
                possible = self._stoppable or (self._editing is not None and not self.reading)
                return possible and not (self.finding or self.arranging or self.selecting or self.offering)
            case "read":
                return not (self.finding or self.arranging or self.offering)
            case "undo" | "redo":
                elsewhere = self.arranging or isinstance(self.focused, TextArea | Input)
                writing = self.app.screen is self and elsewhere
                return self._may_change and not writing  # in a text, it is the text's own
            case "reset":
                return self._may_change and bool(conversation and conversation.session.messages)
            case _ if action in ON_MESSAGE:
                return self.can(action)
            case "retry":
                failed = conversation is not None and conversation.live is None and self._presenter.failed
                return failed or self._presenter.held
            case "fork" | "take_over":
                return conversation is not None and conversation.access is Access.FOLLOWER
            case "get_starter":
                return not self._presenter.has_models and not self._starter.running
            case "take_back":
                ours = conversation is not None and conversation.access is Access.WRITER
                waits = conversation is not None and bool(conversation.queued)
                return ours and waits and self.focused is self.prompt and not self.prompt.text
            case "rename" | "edit_system" | "drawing":
                return self._may_change
        return True

    @property
    def _may_change(self) -> bool:
        return self._conversation is not None and self._conversation.access is Access.WRITER

    @property
    def _stoppable(self) -> bool:
        condensing = self._conversation is not None and self._conversation.condensing
        return condensing or self._presenter.answering or self._presenter.loading is not None

    # Actions

    def action_stop(self) -> None:
        """Stop the answer in flight; with none, leave the message alone, or stop loading the model."""
        conversation = self._conversation
        if conversation is not None and (conversation.live is not None or conversation.condensing):
            self.run_worker(conversation.cancel(), group="stopping")
        elif self._editing is not None and not self.reading:
            self.leave_editing()
        else:
            self.stop_loading()

    @work(group="sending")
    async def action_retry(self) -> None:
        """Have the failed answer written again; or have answers go on that wait because something is hot."""
        if self._presenter.held:
            await self._workspace.go_on()
            return
        if self._conversation is not None:
            async with self._sending:
                await self._conversation.retry()

    @work(group="sending")
    async def action_take_back(self) -> None:
        """Bring the newest queued message back into the input; its draft is on disk before it is let go."""
        async with self._sending:
            conversation = self._conversation
            if conversation is None or not conversation.queued:
                return
            waiting = conversation.queued[-1]
            self.keep_draft(waiting.text)
            self.keep_attachments((*waiting.attachments, *self.prompt.attachments))
            await self._drafts.flush()
            if await conversation.unqueue(waiting.id):
                self.give_back(waiting.text)
                self.prompt.attach((*waiting.attachments, *self.prompt.attachments))
            else:
                self.keep_draft(self.prompt.text)
                self.keep_attachments(self.prompt.attachments)
