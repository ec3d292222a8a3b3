"""GGUF models run by llama.cpp, each in a worker process of its own."""
