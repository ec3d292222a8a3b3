"""How the screen gets to the terminal: only what changed, no faster than the line takes it."""
