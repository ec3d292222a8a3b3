"""Widgets of the chat application."""
