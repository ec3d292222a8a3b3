"""The Textual application: renders state, sends intents, decides nothing."""
