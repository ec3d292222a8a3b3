"""What a model file says of itself and what it costs."""
