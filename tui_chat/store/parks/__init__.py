"""Parked KV caches: in RAM under a budget, then on disk under another."""
