"""Which models exist on this machine, and how to get more."""
