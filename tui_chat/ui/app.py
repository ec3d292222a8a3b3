"""The application: joins screens, themes, keys and the desk. It paints first and connects afterwards."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual import events, work
from textual.app import SystemCommand
from textual.screen import Screen

from tui_chat.ui.clipboard import copy_natively
from tui_chat.ui.commands import COMMANDS, Place
from tui_chat.ui.garbage import SWEEP_EVERY_S, Sweeper, settle_down
from tui_chat.ui.keys import all_shown, bindings
from tui_chat.ui.look import ORDINARY, Look
from tui_chat.ui.screens.chat import ChatScreen
from tui_chat.ui.themed import ThemedApp, remember_theme
from tui_chat.ui.words import count

if TYPE_CHECKING:
    from tui_chat.client.workspace import Workspace
    from tui_chat.config.settings import LoadedSettings
    from tui_chat.ui.opening import Opening

log = logging.getLogger("tui_chat.ui")

SETTLE_AFTER_S = 0.5
"""By then the conversation is usually there; what can wait must not come between start and that."""

TWICE_S = 2.0
"""Two presses of ctrl+c within this time quit."""


class TuiChat(ThemedApp):
    """One terminal's view of the conversations of this machine."""

    TITLE = "tui-chat"
    CSS_PATH = "screens/chat.tcss"  # Textual reads no file of a default screen
    BINDINGS: ClassVar = bindings(Place.EVERYWHERE)
    COMMAND_PALETTE_BINDING = "ctrl+p"

    def __init__(
        self,
        loaded: LoadedSettings,
        workspace: Callable[[], Workspace],
        opening: Opening,
        log_file: Path,
        look: Look = ORDINARY,
    ) -> None:
        """Make the app; nothing is read but a theme file.

        Args:
            loaded: The settings, and what was wrong with them, if anything was.
            workspace: Makes what this terminal works with; called once, after the first paint.
            opening: The conversation to begin with.
            log_file: Where unexpected errors are written.
            look: What the terminal can show.
        """
        super().__init__(loaded.settings.ui.theme, look)
        self._loaded = loaded
        self._workspace = workspace
        self._opening = opening
        self._log_file = log_file
        self._interrupted = float("-inf")
        self._sweeper = Sweeper()

    def get_default_screen(self) -> Screen[Any]:
        """Open on the chat, so that the first paint is already the right one."""
        problems = tuple(p for p in (self._loaded.problem, self.theme_problem) if p is not None)
        return ChatScreen(self._loaded.settings.ui, self._workspace, self._opening, problems)

    def on_mount(self) -> None:
        """Put off whatever can wait until something is painted."""
        self.set_timer(SETTLE_AFTER_S, self._settle)

    def _settle(self) -> None:
        settle_down()
        self.set_interval(SWEEP_EVERY_S, self._sweep)
        self.register_other_themes()

    def _sweep(self) -> None:
        chat = self.screen_stack[0]
        if isinstance(chat, ChatScreen) and chat.answering:
            self._sweeper.stir()
        self._sweeper.sweep()

    async def on_event(self, event: events.Event) -> None:
        """Take note of keys and the mouse on their way."""
        if isinstance(event, events.InputEvent):
            self._sweeper.stir()
        await super().on_event(event)

    # Commands

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """List our commands in the palette, and of Textual's only what people need."""
        for command in COMMANDS:
            if command.palette and screen.check_action(command.action.removeprefix("screen."), ()):
                yield SystemCommand(
                    command.title, all_shown(command.keys), self._runner(command.action, screen)
                )
        yield SystemCommand(
            "Save a screenshot",
            "An SVG file in the downloads folder",
            lambda: self.set_timer(0.1, self.deliver_screenshot),
        )

    def _runner(self, action: str, screen: Screen[Any]) -> Any:
        async def run() -> None:
            await self.run_action(action, screen)

        return run

    def action_help(self) -> None:
        """Show the keys of the place where the focus is; once more, and they go."""
        from tui_chat.ui.screens.help import HelpScreen

        if isinstance(self.screen, HelpScreen):
            self.screen.dismiss(None)
        else:
            self.push_screen(HelpScreen(getattr(self.screen, "places", (Place.EVERYWHERE,))))

    def action_models(self) -> None:
        """Choose a model."""
        self._chat.show_models()

    def action_residents(self) -> None:
        """Show who holds what memory."""
        self._chat.show_residents()

    def action_servers(self) -> None:
        """Show the model servers."""
        self._chat.show_servers()

    def action_branches(self) -> None:
        """Show the map of branches."""
        self._chat.show_branches()

    def action_context(self) -> None:
        """Show what the context is spent on."""
        self._chat.show_context()

    def action_arrange(self) -> None:
        """Arrange the panels, or leave them so."""
        self._chat.arrange_panels()

    @work
    async def action_themes(self) -> None:
        """Choose a theme."""
        from tui_chat.ui.screens.themes import ThemesScreen

        if isinstance(self.screen, ThemesScreen):
            return
        if (name := await self.push_screen_wait(ThemesScreen())) is not None:
            self.say(remember_theme(name))

    def action_presets(self) -> None:
        """Choose a preset."""
        self._chat.show_presets()

    def action_drawing(self) -> None:
        """Change how answers are drawn."""
        self._chat.action_drawing()

    def action_sessions(self) -> None:
        """Choose a session."""
        self._chat.choose_session()

    def action_new_chat(self) -> None:
        """Start a new chat; the one on the screen is kept."""
        self._chat.new_chat()

    def action_new_ephemeral(self) -> None:
        """Start a chat that is kept nowhere."""
        self._chat.new_chat(ephemeral=True)

    async def action_quit(self) -> None:
        """Leave, unless that would lose something without a word."""
        self._chat.leave_app()

    @property
    def _chat(self) -> ChatScreen:
        screen = self.screen_stack[0]
        assert isinstance(screen, ChatScreen)
        return screen

    def action_help_quit(self) -> None:
        """Quit on the second ctrl+c; Textual calls this when there was nothing to copy."""
        now = monotonic()
        if now - self._interrupted <= TWICE_S:
            self._chat.leave_app()
            return
        self._interrupted = now
        self.say("ctrl+c again quits; with a selection it copies")

    action_interrupt = action_help_quit

    # Copying, telling, failing

    def copy_to_clipboard(self, text: str) -> None:
        """Copy by every way there is, and say so."""
        if not text:
            self.say("there is nothing to copy")
            return
        super().copy_to_clipboard(text)
        self.run_worker(self._copy_natively(text), group="clipboard", exit_on_error=False)

    async def _copy_natively(self, text: str) -> None:
        tools = await copy_natively(text)
        with_tools = f", {', '.join(tools)}" if tools else ""
        self.say(f"copied {count(len(text), 'character')} (terminal{with_tools})")

    def say(self, text: str) -> None:
        """Show a passing note where the person is looking."""
        if isinstance(self.screen, ChatScreen):
            self.screen.note(text)
        else:
            self.notify(text, markup=False, timeout=3)

    async def run_action(self, action: Any, *args: Any, **kwargs: Any) -> bool:
        """Run an action; one that fails is logged and told, and the chat goes on."""
        try:
            return await super().run_action(action, *args, **kwargs)
        except Exception:
            log.exception("action %s failed", action)
            self.say("that did not work; the log says why (tui-chat engine logs)")
            return True

    def _handle_exception(self, error: Exception) -> None:
        """Leave in order, with two lines instead of a traceback; the log has the rest."""
        log.error("the screen failed", exc_info=error)
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
            self._exit_renderables.append(
                Text(
                    "tui-chat met an error it did not expect and left. Every message sent is kept;"
                    f" an answer being written goes on.\nPress up and enter to go on, with"
                    f" `tui-chat --continue`; details are in {self._log_file}"
                )
            )
        self._return_code = 1
        self._close_messages_no_wait()
