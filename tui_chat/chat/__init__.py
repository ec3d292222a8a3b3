"""The domain: conversation tree, context, answers. Pure data and functions, no I/O."""
