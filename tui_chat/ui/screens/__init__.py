"""Screens; each is imported only when it is first shown."""
