"""Argument parsing and the commands; thin, with lazy imports."""
