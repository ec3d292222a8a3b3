"""Talking to the engine: start it, attach, stream, resume."""
