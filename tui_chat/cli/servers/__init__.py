"""`tui-chat servers`: the model servers that there are, and what they have."""
