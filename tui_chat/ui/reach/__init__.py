"""Reaching what lies behind the terminal: clipboard, notifications and title, through tmux and SSH."""
