"""What the screen costs the line to the terminal, and what every screen owes whoever looks at it."""
