"""Models from a hub that speaks Hugging Face's language: what it has, what suits this machine, getting it."""
