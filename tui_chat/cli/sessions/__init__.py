"""`tui-chat sessions`: find, read, sort, export and import conversations."""
