"""The terminal application. It renders what the client tells it and sends back what the person wants."""
