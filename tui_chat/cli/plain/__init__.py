"""`tui-chat --plain`: the chat line by line, for screen readers and for terminals that only print."""
