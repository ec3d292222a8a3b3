"""Finding the servers that run on this machine: by process, by port, and by what answers there."""
