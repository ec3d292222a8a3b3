"""What the screen costs and keeps: how it is read, reached by keys, and painted over slow lines."""
