"""Sessions and journals on disk: atomic, locked, versioned, recoverable."""
