"""The yardstick: the barest decode loop that llama.cpp's C functions allow, in a process of its own.

``python bare_loop.py MODEL [--tokens N] [--threads N] [--context N] [--prompt TEXT] [--seed N]`` prints one
JSON object: ``decode_tps`` (tokens after the first, per second), ``ttft_ms`` (prompt in, first token out,
model warm), ``prefill_tps`` and ``prompt_tokens``. It loads with the settings the worker uses, draws with
the chain that the default sampling gives, and does nothing with the tokens: no text, no messages, no stop.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
from time import perf_counter
from typing import Any

import llama_cpp.llama_cpp as lib

PROMPT = "Write a long and detailed story about an old lighthouse keeper and the sea."
CHATML = (
    "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
    "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"
)
"""The starter model's template for one user message, so that both sides evaluate the same tokens."""
BATCH = 512


def main() -> None:
    """Load, warm up, generate once, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--tokens", type=int, default=256)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--context", type=int, default=2048)
    parser.add_argument("--prompt", default=PROMPT)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()

    silent = lib.llama_log_callback(lambda _level, _text, _data: None)
    lib.llama_log_set(silent, None)
    lib.llama_backend_init()
    model = lib.llama_model_load_from_file(arguments.model.encode(), lib.llama_model_default_params())
    context = lib.llama_init_from_model(model, _context_params(arguments.context, arguments.threads))
    vocabulary = lib.llama_model_get_vocab(model)
    prompt = CHATML.format(arguments.prompt).encode()
    _generate(context, vocabulary, prompt, 8, arguments.seed)  # a resident model has answered before
    lib.llama_memory_clear(lib.llama_get_memory(context), False)
    print(json.dumps(_generate(context, vocabulary, prompt, arguments.tokens, arguments.seed)))


def _generate(context: Any, vocabulary: Any, prompt: bytes, wanted: int, seed: int) -> dict[str, float]:
    started = perf_counter()
    tokens = (lib.llama_token * len(prompt))()
    count = lib.llama_tokenize(vocabulary, prompt, len(prompt), tokens, len(prompt), False, True)
    for at in range(0, count, BATCH):
        part = (lib.llama_token * min(BATCH, count - at))(*tokens[at : min(at + BATCH, count)])
        _check(lib.llama_decode(context, lib.llama_batch_get_one(part, len(part))))
    prefilled = perf_counter()
    chain = _chain(seed)
    next_token = (lib.llama_token * 1)()
    batch = lib.llama_batch_get_one(next_token, 1)
    sample, decode = lib.llama_sampler_sample, lib.llama_decode
    next_token[0] = sample(chain, context, -1)
    first = perf_counter()
    for _ in range(wanted - 1):
        _check(decode(context, batch))
        next_token[0] = sample(chain, context, -1)
    last = perf_counter()
    return {
        "decode_tps": (wanted - 1) / (last - first),
        "ttft_ms": (first - started) * 1e3,
        "prefill_tps": count / (prefilled - started),
        "prompt_tokens": count,
    }


def _context_params(size: int, threads: int) -> Any:
    params = lib.llama_context_default_params()
    params.n_ctx = size
    params.n_batch = params.n_ubatch = BATCH
    params.n_seq_max = params.n_outputs_max = 1
    params.n_threads = params.n_threads_batch = threads
    params.swa_full = False
    return params


def _chain(seed: int) -> Any:
    """The chain of default `Sampling`."""
    chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
    for link in (
        lib.llama_sampler_init_top_k(40),
        lib.llama_sampler_init_top_p(ctypes.c_float(0.95), 1),
        lib.llama_sampler_init_min_p(ctypes.c_float(0.05), 1),
        lib.llama_sampler_init_temp(ctypes.c_float(0.7)),
        lib.llama_sampler_init_dist(seed),
    ):
        lib.llama_sampler_chain_add(chain, link)
    return chain


def _check(status: int) -> None:
    if status != 0:
        raise SystemExit(f"llama_decode returned {status}")


if __name__ == "__main__":
    main()
