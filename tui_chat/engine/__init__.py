"""The detached process that owns residents, queue and running generations."""
