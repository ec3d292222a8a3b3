"""Servers that speak OpenAI's chat completions: llama-server, vLLM, LM Studio and their like."""
