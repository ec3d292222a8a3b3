"""What a person tells the model beforehand: a preset, a system prompt, how answers are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from textual import work

from tui_chat.chat.acts import SetUp
from tui_chat.chat.model import Setup
from tui_chat.chat.setups import setup_of
from tui_chat.ui.screens.branching import BranchingActions

if TYPE_CHECKING:
    from tui_chat.ui.widgets.filtered import Sought


class InstructingActions(BranchingActions):
    """The actions of a screen in whose conversation the model can be told something else from here on."""

    @property
    def _setup(self) -> Setup | None:
        """What the model is told on the branch that is shown."""
        return setup_of(self._conversation.tree) if self._conversation is not None else None

    def show_presets(self, sought: Sought | None = None) -> None:
        """Show the presets to choose from; once more, and they go."""
        from tui_chat.ui.screens.presets import PresetsScreen

        if isinstance(self.app.screen, PresetsScreen):
            self.app.screen.dismiss(None)
        elif self.app.screen is self:
            self._choose_preset(sought)

    @work(group="asking", exclusive=True)
    async def _choose_preset(self, sought: Sought | None) -> None:
        from tui_chat.client.presets import applying
        from tui_chat.ui.screens.presets import PresetsScreen

        conversation, setup = self._conversation, self._setup
        if conversation is None or setup is None:
            return
        presets = PresetsScreen(setup.preset, self._workspace.settings.sampling, sought)
        chosen = await self.app.push_screen_wait(presets)
        if chosen is None or self._conversation is not conversation:
            return
        doing, problem = await applying(self._workspace, chosen.preset)
        await self._tell(doing, chosen.preset.name if chosen.preset is not None else "no preset")
        if problem is not None:
            self._presenter.notice(problem)

    @work(group="asking", exclusive=True)
    async def action_edit_system(self) -> None:
        """Change what the model is told beforehand; it is no preset's then."""
        from tui_chat.ui.screens.editor import EditorScreen

        setup = self._setup
        if setup is None:
            return
        editor = EditorScreen("The system prompt of this chat, from here on", setup.system)
        text = await self.app.push_screen_wait(editor)
        if text is not None and text.strip() != setup.system.strip():
            told = msgspec.structs.replace(setup, system=text.strip(), preset="")
            await self._tell(SetUp(told), "another system prompt")

    @work(group="asking", exclusive=True)
    async def action_drawing(self) -> None:
        """Change how answers are drawn from here on."""
        from tui_chat.ui.screens.drawing import DrawingScreen

        setup = self._setup
        if setup is None:
            return
        screen = DrawingScreen(setup.sampling, self._workspace.settings.sampling)
        sampling = await self.app.push_screen_wait(screen)
        if sampling is not None:
            await self._tell(
                SetUp(msgspec.structs.replace(setup, sampling=sampling)), "answers drawn otherwise"
            )

    async def _tell(self, doing: SetUp, name: str) -> None:
        """Have it hold from here on, unless it does already."""
        conversation = self._conversation
        if conversation is None:
            return
        session = conversation.session
        same = doing.setup == self._setup and doing.policy in (None, session.policy)
        if same and doing.model in (None, session.model):
            self.note("it is like that already")
        elif await conversation.do(doing) is not None:
            back = self.with_keys("{tree.undo} in the conversation takes it back")
            self.note(f"from here on: {name} · {back}")
