"""The keys of each place, as data."""
