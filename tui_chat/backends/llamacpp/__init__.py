"""Models run by llama.cpp, one worker process each; `host` is the engine's side of it."""
