"""Conversations of other programs and our own, as new sessions. Nothing in them is run or followed."""
