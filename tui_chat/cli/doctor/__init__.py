"""`tui-chat doctor`: what works here and what does not, one subject per module."""
