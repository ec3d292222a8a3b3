"""Conversations as documents: Markdown, HTML, and JSON that can be imported again. Pure functions."""
