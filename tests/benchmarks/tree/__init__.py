"""Branches: what following them costs the model, and what keeping and finding conversations costs.

Every module here that has a `rows` is run, in the order of their names.
"""
