"""What takes too long for `make test`: run by `make soak`, whose files pytest does not find by itself."""
