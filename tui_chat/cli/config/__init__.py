"""`tui-chat config`: the settings from the command line."""
