"""The application: joins screens, themes, keys and the desk. It paints first and connects afterwards."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from rich.text import Text
from textual import constants, events, work
from textual.screen import Screen

from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.config.settings import LoadedSettings
from tui_chat.ui.bandwidth import FORCED, NEXT, told
from tui_chat.ui.chords import Chords
from tui_chat.ui.command import Command, Place
from tui_chat.ui.garbage import SWEEP_EVERY_S, Sweeper, settle_down
from tui_chat.ui.keymap import Keymap, keymap_of
from tui_chat.ui.keys import Keyed
from tui_chat.ui.look import ORDINARY, Look
from tui_chat.ui.offering import here, is_possible, reachable
from tui_chat.ui.screens.chat import ChatScreen
from tui_chat.ui.sentences import with_keys
from tui_chat.ui.themed import ThemedApp

if TYPE_CHECKING:
    from tui_chat.client.workspace import Workspace
    from tui_chat.config.settings import Bandwidth, Settings
    from tui_chat.ui.opening import Opening
    from tui_chat.ui.widgets.filtered import Sought

log = logging.getLogger("tui_chat.ui")

SETTLE_AFTER_S = 0.5
"""By then the conversation is usually there; what can wait must not come between start and that."""

TWICE_S = 2.0
"""Two presses of the key that copies within this time quit."""


def _bad_keys(keymap: Keymap) -> Problem | None:
    """Say what of the keys in the settings cannot be."""
    if not keymap.faults:
        return None
    return Problem(
        ProblemCode.CONFIG_INVALID,
        f"{'. '.join(keymap.faults)}.",
        "All other keys are as the settings have them.",
        "`tui-chat keys` lists what can be bound.",
    )


class TuiChat(Keyed, ThemedApp, inherit_bindings=False):
    """One terminal's view of the conversations of this machine."""

    TITLE = "tui-chat"
    CSS_PATH = "screens/chat.tcss"  # Textual reads no file of a default screen
    own_places = (Place.EVERYWHERE,)
    ENABLE_COMMAND_PALETTE = False

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
        self.keymap = keymap_of(loaded.settings.keys)
        super().__init__(loaded.settings.ui.theme, look)
        self._bandwidth = loaded.settings.ui.low_bandwidth
        self.line.forced = FORCED[self._bandwidth]
        self._loaded = loaded
        self._chords = Chords()
        self._workspace = workspace
        self._opening = opening
        self._log_file = log_file
        self._interrupted = float("-inf")
        self._sweeper = Sweeper()

    def get_default_screen(self) -> Screen[Any]:
        """Open on the chat, so that the first paint is already the right one."""
        problems = (self._loaded.problem, self.theme_problem, _bad_keys(self.keymap))
        told = tuple(problem for problem in problems if problem is not None)
        return ChatScreen(self._loaded.settings.ui, self._workspace, self._opening, told)

    def on_mount(self) -> None:
        """Put off whatever can wait until something is painted."""
        self.set_timer(SETTLE_AFTER_S, self._settle)
        self.line_changed()

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
        if isinstance(event, events.Key) and not event.is_forwarded and await self._chord(event.key):
            return
        await super().on_event(event)

    async def _chord(self, key: str) -> bool:
        """Take a key that begins or ends keys pressed one after the other."""
        taken, command = self._chords.take(key, self.screen, self.keymap)
        if command is not None:
            await self.run_action(command.action, self.screen)
        return taken

    # Commands

    def action_palette(self) -> None:
        """Show what can be done where the person is; once more, and it goes."""
        from tui_chat.ui.screens.palette import PaletteScreen

        screen = self.screen
        if isinstance(screen, PaletteScreen):
            screen.dismiss(None)
            return
        offered = [each for each in reachable(screen, self.keymap) if is_possible(screen, each)]
        offered.sort(key=lambda command: command.place in (Place.INPUT, Place.EDITING))
        self.push_screen(PaletteScreen(offered), self._run_chosen)

    async def _run_chosen(self, command: Command | None) -> None:
        if command is not None:
            await self.run_action(command.action, self.screen)

    def action_help(self) -> None:
        """Show the keys of the place where the focus is; once more, and they go."""
        from tui_chat.ui.screens.help import HelpScreen

        if isinstance(self.screen, HelpScreen):
            self.screen.dismiss(None)
        else:
            self.push_screen(HelpScreen(list(here(self.screen, self.keymap))))

    def action_models(self, sought: Sought | None = None) -> None:
        """Choose a model."""
        self._chat.show_models(sought)

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
    async def action_themes(self, sought: Sought | None = None) -> None:
        """Choose a theme."""
        from tui_chat.ui.screens.themes import ThemesScreen

        if isinstance(self.screen, ThemesScreen):
            return
        if (name := await self.push_screen_wait(ThemesScreen(sought))) is not None:
            from tui_chat.ui.settings.remembering import remember_theme

            self.say(await remember_theme(name))

    def action_presets(self, sought: Sought | None = None) -> None:
        """Choose a preset."""
        self._chat.show_presets(sought)

    def action_settings(self, sought: Sought | None = None) -> None:
        """Show the settings; once more, and they go."""
        from tui_chat.ui.screens.settings import SettingsScreen
        from tui_chat.ui.settings.suggesting import suggested

        if isinstance(self.screen, SettingsScreen):
            self.screen.dismiss(None)
        elif self.screen is self._chat:
            self.push_screen(SettingsScreen(self.use_settings, lambda each: suggested(self, each), sought))

    def use_settings(self, settings: Settings) -> str:
        """Have other settings take effect, as far as that can be at once; says what stands against it."""
        before, self._loaded = self._loaded.settings.ui, LoadedSettings(settings)
        if settings.ui.low_bandwidth is not before.low_bandwidth:
            self._go_by(settings.ui.low_bandwidth)
        self.use_keymap(keymap_of(settings.keys))
        self._chat.use_settings(settings)
        changed = settings.ui.theme != before.theme
        problems = (
            self._use_first_theme(self.look.theme(settings.ui.theme)) if changed else None,
            _bad_keys(self.keymap),
        )
        return " ".join(problem.what for problem in problems if problem is not None)

    def use_keymap(self, keymap: Keymap) -> None:
        """Have keys do what `keymap` says, at once and everywhere."""
        if keymap == self.keymap:
            return
        self.keymap = keymap
        self.use_keys(keymap)
        for screen in self.screen_stack:
            for node in screen.walk_children(with_self=True):
                if isinstance(node, Keyed):
                    node.use_keys(keymap)
                node.refresh()  # whatever it is, it may name keys

    def action_drawing(self) -> None:
        """Change how answers are drawn."""
        self._chat.action_drawing()

    def action_sessions(self, sought: Sought | None = None) -> None:
        """Choose a session."""
        self._chat.choose_session(sought=sought)

    def action_new_chat(self) -> None:
        """Start a new chat; the one on the screen is kept."""
        self._chat.new_chat()

    def action_new_ephemeral(self) -> None:
        """Start a chat that is kept nowhere."""
        self._chat.new_chat(ephemeral=True)

    async def action_quit(self) -> None:
        """Leave, unless that would lose something without a word."""
        self._chat.leave_app()

    def action_save_screenshot(self) -> None:
        """Save a picture of the screen, once what was chosen it from is gone."""
        self.set_timer(0.1, self.deliver_screenshot)

    def action_bandwidth(self) -> None:
        """Paint seldom, or as usual, or as the line is measured."""
        self._go_by(NEXT[self._bandwidth])
        self.say(told(self.line, self._bandwidth))

    def _go_by(self, bandwidth: Bandwidth) -> None:
        self._bandwidth = bandwidth
        self.line.forced = FORCED[bandwidth]
        self.line_changed()

    def line_changed(self) -> None:
        """Paint as the line allows from now on."""
        self.animation_level = "none" if self.line.slow else constants.TEXTUAL_ANIMATIONS
        if self._chat.there:
            self._chat.show_line()

    @property
    def _chat(self) -> ChatScreen:
        screen = self.screen_stack[0]
        assert isinstance(screen, ChatScreen)
        return screen

    def action_help_quit(self) -> None:
        """Quit when asked to a second time; Textual calls this when there was nothing to copy."""
        now = monotonic()
        if now - self._interrupted <= TWICE_S:
            self._chat.leave_app()
            return
        self._interrupted = now
        self.say(with_keys("{copy.selection} again quits; with a selection it copies", self.keymap))

    def action_interrupt(self) -> None:
        """Copy what is selected in the text that has the keyboard, or on the screen; else as above."""
        own = getattr(self.screen.focused, "selected_text", "")
        if text := own or self.screen.get_selected_text():
            self.copy_to_clipboard(text)
        else:
            self.action_help_quit()

    # Copying, telling, failing

    def copy_to_clipboard(self, text: str) -> None:
        """Copy by every way there is, and say so."""
        if not text:
            self.say("there is nothing to copy")
            return
        self._clipboard = text  # for pasting here; Textual would also send what is too long
        self.run_worker(self._copy(text), group="clipboard", exit_on_error=False)

    async def _copy(self, text: str) -> None:
        from tui_chat.ui.copying import copy_out

        await copy_out(self, text, self.say)

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
