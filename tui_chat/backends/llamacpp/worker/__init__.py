"""The worker: a process with one GGUF model, and the only place that imports llama_cpp."""
