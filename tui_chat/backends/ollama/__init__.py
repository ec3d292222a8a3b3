"""Ollama: its models are listed, planned, loaded, unloaded, fetched and asked as if they were our own."""
