"""What the stand-in of each kind does otherwise: its lists, its chunks, and its own verbs."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote

from tests.servers.http_stand_in import Exchange
from tests.servers.openai_stand_in import (
    CONTEXT,
    MODEL,
    OTHER,
    Json,
    OpenAIStandIn,
    rendered,
    tokens_of,
)
from tui_chat.wire.servers import ServerKind

LOAD_S = 0.3


class VLLMStandIn(OpenAIStandIn):
    """Counts along with every chunk if asked to, and tells Prometheus what it does."""

    kind = ServerKind.VLLM
    thinking_field = "reasoning"
    prefix = "vllm"
    used = "kv_cache_usage_perc"

    def __init__(self, port: int = 0) -> None:
        self.read = self.written = 0
        super().__init__(port)

    def models(self) -> list[Json]:
        return [{"id": MODEL, "object": "model", "owned_by": "vllm", "max_model_len": CONTEXT, "root": MODEL}]

    async def first(self, exchange: Exchange, body: Json, prompt: int) -> None:
        self.read += prompt
        delta = {"role": "assistant", "content": ""}
        await exchange.event(self.chunk(delta, running=(prompt, 0), body=body))

    def chunk(self, delta: Json | None, finish: str | None = None, **more: Any) -> Json:
        made = super().chunk(delta, finish, usage=more.get("usage"))
        if more.get("running") and (more["body"].get("stream_options") or {}).get("continuous_usage_stats"):
            self.written += bool(delta and not delta.get("role"))
            made["usage"] = self.usage(*more["running"])
        return made

    def failure(self) -> Any:
        return {"error": {"message": self.fails, "type": "InternalServerError", "param": None, "code": 500}}

    def goes_on(self, body: Json) -> bool:
        return body.get("continue_final_message") is True and body.get("add_generation_prompt") is False

    async def more(self, exchange: Exchange) -> bool:
        if exchange.path == "/version":
            await exchange.reply({"version": "0.11.2"})
        elif exchange.path == "/metrics":
            await exchange.reply(self.metrics(), kind="text/plain")
        elif exchange.path == "/tokenize":
            await exchange.reply(self.tokenized(exchange.body))
        else:
            return False
        return True

    def metrics(self) -> str:
        label = f'{{engine="0",model_name="{MODEL}"}}'
        values = {
            "num_requests_running": self.running,
            "num_requests_waiting": 0,
            self.used: 0.25,
            "prompt_tokens_total": self.read,
            "generation_tokens_total": self.written,
        }
        return "".join(f"# TYPE x y\n{self.prefix}:{name}{label} {value}\n" for name, value in values.items())

    def tokenized(self, body: Json) -> Json:
        if "messages" in body:
            text = rendered(body["messages"], asks=body.get("add_generation_prompt", True))
        else:
            text = body["prompt"]
        tokens = list(range(len(tokens_of(text))))
        return {"count": len(tokens), "max_model_len": CONTEXT, "tokens": tokens}


class SGLangStandIn(VLLMStandIn):
    """As vLLM, under other names."""

    kind = ServerKind.SGLANG
    thinking_field = "reasoning_content"
    prefix = "sglang"

    def goes_on(self, body: Json) -> bool:
        return body.get("continue_final_message") is True

    def metrics(self) -> str:
        values = {
            "num_running_reqs": self.running,
            "num_queue_reqs": 0,
            "token_usage": 0.5,
            "gen_throughput": 12.5,
        }
        return "".join(f'sglang:{name}{{model_name="{MODEL}"}} {value}\n' for name, value in values.items())

    async def more(self, exchange: Exchange) -> bool:
        if exchange.path == "/health":
            await exchange.reply("", kind="text/plain")
        elif exchange.path == "/get_model_info":
            await exchange.reply({"model_path": MODEL, "has_image_understanding": True})
        elif exchange.path == "/get_server_info":
            await exchange.reply({"version": "0.5.6"})
        elif exchange.path == "/tokenize" and "messages" in exchange.body:
            await exchange.reply({"error": {"message": "prompt is required"}}, 400)
        else:
            return await super().more(exchange) if exchange.path != "/version" else False
        return True


class LMStudioStandIn(OpenAIStandIn):
    """Loads and unloads instances; `old` is a release before it could be told to."""

    kind = ServerKind.LM_STUDIO
    old = False

    def models(self) -> list[Json]:
        return [{"id": each, "object": "model", "owned_by": "organization_owner"} for each in (MODEL, OTHER)]

    async def more(self, exchange: Exchange) -> bool:
        path, body = exchange.path, exchange.body
        if path == "/api/v0/models":
            await exchange.reply({"object": "list", "data": [self._old(each) for each in (MODEL, OTHER)]})
        elif self.old or not path.startswith("/api/v1/models"):
            return False
        elif path == "/api/v1/models":
            await exchange.reply({"models": [self._new(each) for each in (MODEL, OTHER)]})
        elif path == "/api/v1/models/load":
            await asyncio.sleep(LOAD_S)
            self.loaded.add(body["model"])
            await exchange.reply({"type": "llm", "instance_id": body["model"], "status": "loaded"})
        else:
            self.loaded.discard(body["instance_id"])
            await exchange.reply({"instance_id": body["instance_id"]})
        return True

    def _new(self, name: str) -> Json:
        instances = [{"id": name, "config": {"context_length": CONTEXT}}] if name in self.loaded else []
        return {
            "type": "llm",
            "key": name,
            "architecture": "llama",
            "quantization": {"name": "Q4_K_M", "bits_per_weight": 4},
            "size_bytes": 1000,
            "loaded_instances": instances,
            "max_context_length": 8192,
            "capabilities": {"vision": name == OTHER, "trained_for_tool_use": False},
        }

    def _old(self, name: str) -> Json:
        loaded = (
            {"state": "loaded", "loaded_context_length": CONTEXT}
            if name in self.loaded
            else {"state": "not-loaded"}
        )
        kind = {"id": name, "object": "model", "type": "vlm" if name == OTHER else "llm", "arch": "llama"}
        return kind | {"quantization": "Q4_K_M", "max_context_length": 8192} | loaded


class TextGenStandIn(OpenAIStandIn):
    """Its usage comes with the end, or in a chunk without choices, with ``usage: null`` before."""

    kind = ServerKind.TEXTGEN

    def chunk(self, delta: Json | None, finish: str | None = None, **more: Any) -> Json:
        return {"usage": None} | super().chunk(delta, finish, usage=more.get("usage"))

    async def more(self, exchange: Exchange) -> bool:
        path = exchange.path.removeprefix("/v1/internal")
        if path == exchange.path:
            return False
        if path == "/model/list":
            await exchange.reply({"model_names": ["None", MODEL, OTHER]})
        elif path == "/model/info":
            await exchange.reply({"model_name": next(iter(self.loaded), "None"), "lora_names": []})
        elif path == "/model/load":
            await asyncio.sleep(LOAD_S)
            self.loaded = {exchange.body["model_name"]}
            await exchange.reply("OK".join('""'))
        elif path == "/model/unload":
            self.loaded = set()
            await exchange.reply("OK".join('""'))
        elif path == "/token-count":
            await exchange.reply({"length": len(tokens_of(exchange.body["text"]))})
        elif path == "/chat-prompt":
            await exchange.reply({"prompt": rendered(exchange.body["messages"])})
        else:
            return False
        return True


class LlamaStandIn(OpenAIStandIn):
    """What llama-server's router and llama-swap have in common: a llama.cpp server for each model."""

    def chunk(self, delta: Json | None, finish: str | None = None, **more: Any) -> Json:
        made = super().chunk(delta, finish, usage=more.get("usage"))
        if more.get("running") and more["body"].get("timings_per_token"):
            prompt, done = more["running"]
            made["timings"] = {"cache_n": 0, "prompt_n": prompt, "prompt_ms": 10.0}
            made["timings"] |= {"predicted_n": done, "predicted_ms": 2.0 * (done - 1) or 0.001}
        return made

    async def first(self, exchange: Exchange, body: Json, prompt: int) -> None:
        for processed in (prompt // 2, prompt) if body.get("return_progress") else ():
            chunk = self.chunk({"role": "assistant", "content": None})
            progress = {"total": prompt, "cache": 0, "processed": processed, "time_ms": 5}
            await exchange.event(chunk | {"prompt_progress": progress})

    def goes_on(self, body: Json) -> bool:
        return body["messages"][-1]["role"] == "assistant"

    async def chat(self, exchange: Exchange) -> None:
        self.loaded.add(exchange.body["model"])  # both load by themselves
        await super().chat(exchange)

    async def native(self, exchange: Exchange, path: str, model: str) -> bool:
        """What the llama.cpp server of `model` does."""
        if model not in self.loaded:
            await exchange.reply({"error": {"message": "model is not loaded"}}, 400)
        elif path == "/slots":
            writing = [{"id": 0, "n_ctx": CONTEXT, "is_processing": self.running > 0, "id_task": 1}]
            await exchange.reply(writing)
        elif path == "/props":
            await exchange.reply({"default_generation_settings": {"n_ctx": CONTEXT}, "build_info": "b1"})
        elif path == "/tokenize":
            tokens = tokens_of(exchange.body["content"])
            await exchange.reply({"tokens": [{"id": 1, "piece": token} for token in tokens]})
        elif path == "/apply-template":
            asks = exchange.body.get("add_generation_prompt", True)
            await exchange.reply({"prompt": rendered(exchange.body["messages"], asks=asks)})
        else:
            return False
        return True


class RouterStandIn(LlamaStandIn):
    """llama-server without a model of its own; `breaks` are those it cannot load."""

    kind = ServerKind.LLAMA_SERVER
    breaks: frozenset[str] = frozenset()

    def __init__(self, port: int = 0) -> None:
        self.progress: dict[str, float] = {}
        self.failed: set[str] = set()
        super().__init__(port)

    def _entry(self, name: str) -> Json:
        if name in self.progress:
            status: Json = {"value": "loading", "progress": {"value": self.progress[name]}}
        else:
            status = {"value": "loaded" if name in self.loaded else "unloaded"}
        if name in self.failed:
            status |= {"failed": True, "exit_code": 1}
        meta = (
            {"n_ctx": CONTEXT, "n_ctx_train": 8192, "n_params": 5, "size": 6} if name in self.loaded else None
        )
        return {"id": name, "status": status | {"args": ["llama-server", "--model", "/x.gguf"]}, "meta": meta}

    async def more(self, exchange: Exchange) -> bool:
        path, body = exchange.path, exchange.body
        if path == "/health":
            await exchange.reply({"status": "ok"})
        elif path == "/models":
            await exchange.reply({"data": [self._entry(each) for each in (MODEL, OTHER)]})
        elif path == "/props" and not exchange.query:
            await exchange.reply({"role": "router", "build_info": "b1"})
        elif path == "/models/load":
            await exchange.reply({"success": True})
            asyncio.get_running_loop().create_task(self._load(body["model"]))
        elif path == "/models/unload":
            self.loaded.discard(body["model"])
            self.progress.pop(body["model"], None)
            await exchange.reply({"success": True})
        else:
            model = exchange.query.get("model") or (body or {}).get("model")
            if model is None:
                await exchange.reply({"error": {"message": "model name is missing from the request"}}, 400)
                return True
            return await self.native(exchange, path, model)
        return True

    async def _load(self, name: str) -> None:
        for progress in (0.0, 0.5, 1.0):
            self.progress[name] = progress
            await asyncio.sleep(LOAD_S)
            if name not in self.progress:
                return  # it was unloaded
        del self.progress[name]
        if name in self.breaks:
            self.failed.add(name)
        else:
            self.loaded.add(name)


class LlamaSwapStandIn(LlamaStandIn):
    """Starts servers by itself, and shows them under ``/upstream``."""

    kind = ServerKind.LLAMA_SWAP

    def models(self) -> list[Json]:
        return [{"id": each, "object": "model", "owned_by": "llama-swap"} for each in (MODEL, OTHER)]

    async def more(self, exchange: Exchange) -> bool:
        path = exchange.path
        if path == "/running":
            await exchange.reply(
                {"running": [{"model": each, "state": "ready"} for each in sorted(self.loaded)]}
            )
        elif path == "/api/version":
            await exchange.reply({"version": "v170", "commit": "1"})
        elif path.startswith("/api/models/unload/"):
            self.loaded.discard(path.removeprefix("/api/models/unload/"))
            await exchange.reply("OK", kind="text/plain")
        else:
            for name in (MODEL, OTHER):
                before = f"/upstream/{quote(name, safe='')}"
                if exchange.raw_path.startswith(before):
                    return await self.native(exchange, exchange.raw_path.removeprefix(before), name)
            return False
        return True


KINDS: dict[str, type[OpenAIStandIn]] = {
    "openai": OpenAIStandIn,
    "vllm": VLLMStandIn,
    "sglang": SGLangStandIn,
    "lmstudio": LMStudioStandIn,
    "textgen": TextGenStandIn,
    "llama-swap": LlamaSwapStandIn,
    "router": RouterStandIn,
}
