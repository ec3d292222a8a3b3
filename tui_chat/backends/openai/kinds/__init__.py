"""One file for each kind of server, and which class speaks to which."""

from __future__ import annotations

from tui_chat.backends.openai.dialect import Dialect
from tui_chat.backends.openai.kinds.llama_server import LlamaServer
from tui_chat.backends.openai.kinds.llama_swap import LlamaSwap
from tui_chat.backends.openai.kinds.lm_studio import LMStudio
from tui_chat.backends.openai.kinds.sglang import SGLang
from tui_chat.backends.openai.kinds.textgen import TextGen
from tui_chat.backends.openai.kinds.vllm import VLLM
from tui_chat.wire.servers import ServerKind

DIALECTS: dict[ServerKind, type[Dialect]] = {
    each.kind: each for each in (Dialect, LlamaServer, LlamaSwap, LMStudio, SGLang, TextGen, VLLM)
}
"""By kind; any other kind speaks as OpenAI does."""
