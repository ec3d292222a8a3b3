"""What the engine and its clients say to each other: plain types, no transport."""
