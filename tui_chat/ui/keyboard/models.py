"""Keys of the lists of models."""

from __future__ import annotations

from tui_chat.ui.command import Command, Place

MODELS: tuple[Command, ...] = (
    Command(
        "models.choose", "enter", "screen.choose", "Switch this chat to the model", Place.MODELS, "switch"
    ),
    Command(
        "models.less", "left", "screen.context(-1)", "Load it with less context", Place.MODELS, priority=True
    ),
    Command(
        "models.more",
        "right",
        "screen.context(1)",
        "Load it with more context",
        Place.MODELS,
        "context",
        priority=True,
        label="←→",
    ),
    Command(
        "models.kv_less",
        "left_square_bracket,shift+left",
        "screen.kv_type(-1)",
        "Load it with a thriftier KV cache",
        Place.MODELS,
        priority=True,
    ),
    Command(
        "models.kv_more",
        "right_square_bracket,shift+right",
        "screen.kv_type(1)",
        "Load it with a more exact KV cache",
        Place.MODELS,
        "KV",
        priority=True,
        label="[ ]",
    ),
    Command(
        "models.warm",
        "ctrl+l",
        "screen.warm",
        "Load it as planned, without switching",
        Place.MODELS,
        "warm up",
        priority=True,
    ),
    Command(
        "models.unload",
        "ctrl+x",
        "screen.unload",
        "Unload it, or stop loading it",
        Place.MODELS,
        "unload",
        priority=True,
    ),
    Command(
        "models.pin",
        "ctrl+t",
        "screen.pin",
        "Pin it in memory, or let it go again",
        Place.MODELS,
        "pin",
        priority=True,
    ),
    Command(
        "models.details",
        "ctrl+o",
        "screen.details",
        "Show all that is known of it and its plan",
        Place.MODELS,
        "details",
        priority=True,
    ),
    Command(
        "models.servers",
        "ctrl+s",
        "screen.servers",
        "Show the servers that have models, and how they are",
        Place.MODELS,
        "servers",
        priority=True,
    ),
    Command(
        "models.route",
        "ctrl+r",
        "screen.route",
        "Have each message go to the model that its route names",
        Place.MODELS,
        "by routes",
        priority=True,
    ),
    Command(
        "models.starter",
        "ctrl+g",
        "screen.get_starter",
        "Get the starter model (94 MiB)",
        Place.MODELS,
        "get the starter model",
    ),
    Command("models.close", "escape", "screen.leave", "Back to the chat", Place.MODELS, "back"),
    Command(
        "residents.unload",
        "u,ctrl+x",
        "screen.unload",
        "Unload it, or stop loading it",
        Place.RESIDENTS,
        "unload",
    ),
    Command(
        "residents.pin",
        "p,ctrl+t",
        "screen.pin",
        "Pin it in memory, or let it go again",
        Place.RESIDENTS,
        "pin",
    ),
    Command("residents.close", "escape,q", "screen.leave", "Back to where one was", Place.RESIDENTS, "back"),
    Command(
        "compare.mark",
        "space",
        "screen.mark",
        "Mark the model, or no longer",
        Place.COMPARE,
        "mark",
        priority=True,
    ),
    Command(
        "compare.start", "enter", "screen.choose", "Have the marked models answer", Place.COMPARE, "answer"
    ),
    Command("compare.close", "escape", "screen.leave", "Back to the chat", Place.COMPARE, "back"),
)
