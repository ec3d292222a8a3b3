"""tui-chat: a terminal cockpit for local language models."""

__version__ = "0.1.0"
