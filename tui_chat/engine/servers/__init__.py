"""Servers beside us: which there are, what they have, and their models among our residents."""
