"""What the hardware does: read by sources, sampled off the engine's loop, kept in a log."""
