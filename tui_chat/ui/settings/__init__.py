"""The settings on the screen: their rows, what is said of one, and how one is asked for."""
