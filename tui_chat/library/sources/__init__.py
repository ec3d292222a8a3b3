"""Where models are: our own folder, and those of the other programs on this machine."""
