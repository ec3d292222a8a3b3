"""Ways to run a model, all behind the verbs of `backends.protocol`."""
