"""The worker process: one GGUF model, and the only place that imports llama_cpp."""
