"""What applying a preset comes to in a conversation, with what of it this machine cannot do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from tui_chat.chat.acts import SetUp
from tui_chat.chat.model import Problem, Setup
from tui_chat.config.presets import Preset, PresetError, find_presets

if TYPE_CHECKING:
    from tui_chat.client.workspace import Workspace


async def applying(workspace: Workspace, preset: Preset | None) -> tuple[SetUp, Problem | None]:
    """Return the act that applies `preset`, or takes one away, and what of it cannot be had.

    A model that is not on this machine leaves the chat its own.
    """
    usual = workspace.settings.sampling
    if preset is None:
        return SetUp(Setup(sampling=usual)), None
    policy = preset.policy.whole if preset.policy is not None else None
    model = await workspace.find_model(preset.model) if preset.model is not None else None
    if not isinstance(model, Problem):
        return SetUp(preset.setup(usual), model, policy), None
    kept = "The chat keeps the model it has; all else of the preset holds."
    missing = msgspec.structs.replace(model, what=f"The preset {preset.name}: {model.what}", kept=kept)
    return SetUp(preset.setup(usual), None, policy), missing


async def applying_named(workspace: Workspace, name: str) -> tuple[SetUp | None, Problem | None]:
    """As `applying`, for the preset called `name`; no act where there is no such preset, which is said."""
    found = await asyncio.to_thread(find_presets)
    try:
        return await applying(workspace, found.named(name))
    except PresetError as error:
        return None, error.problem
