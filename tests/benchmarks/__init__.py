"""Measurements of the numbers the project promises; `make bench` runs them."""
