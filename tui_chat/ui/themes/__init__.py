"""Themes: what a file may say, how it is read, and what must be legible."""
