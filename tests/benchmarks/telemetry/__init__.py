"""What the instruments cost, and what they must never do: slow an answer down."""
