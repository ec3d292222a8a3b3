"""Small models of many architectures: the metadata that llama.cpp needs to make their tensors.

Shapes are scaled down; what decides the layout (heads, windows, experts, states) is as in real ones.
"""

from __future__ import annotations

Value = bool | int | float | str | list[int] | list[bool] | list[float]
Facts = dict[str, Value]

VOCABULARY, WIDTH, HIDDEN, HEADS, KV_HEADS, LAYERS = 1024, 512, 1024, 8, 2, 6


def dense(**changes: Value) -> Facts:
    """The common keys of a transformer; a key's dots are written as double underscores."""
    facts: Facts = {
        "block_count": LAYERS,
        "context_length": 32768,
        "embedding_length": WIDTH,
        "feed_forward_length": HIDDEN,
        "vocab_size": VOCABULARY,
        "attention.head_count": HEADS,
        "attention.head_count_kv": KV_HEADS,
        "attention.layer_norm_rms_epsilon": 1e-5,
        "attention.layer_norm_epsilon": 1e-5,
        "rope.dimension_count": WIDTH // HEADS,
    }
    return facts | {key.replace("__", "."): value for key, value in changes.items()}


def moe(**changes: Value) -> Facts:
    return dense(**{"expert_count": 8, "expert_used_count": 2, "expert_feed_forward_length": 256, **changes})


def headed(size: int, **changes: Value) -> Facts:
    """With heads of a size of their own."""
    return dense(
        **{
            "attention__key_length": size,
            "attention__value_length": size,
            "rope__dimension_count": size,
            **changes,
        }
    )


MAMBA: Facts = {
    "ssm__conv_kernel": 4,
    "ssm__inner_size": 1024,
    "ssm__state_size": 16,
    "ssm__time_step_rank": 32,
}
MAMBA2: Facts = MAMBA | {"ssm__time_step_rank": 16, "ssm__group_count": 1}
NO_HEADS: Facts = {"attention__head_count": 0, "attention__head_count_kv": 0, "feed_forward_length": 0}
NO_HEADS_BUT_WIDTH: Facts = {"attention__head_count": 0, "attention__head_count_kv": 0}
SHARED: Facts = {"leading_dense_block_count": 1, "expert_shared_count": 1, "expert_weights_scale": 1.0}
ALTERNATING = [0, 0, 2, 0, 0, 2]

ARCHITECTURES: dict[str, tuple[str, Facts]] = {
    "llama": ("llama", dense()),
    "llama-gqa1": ("llama", dense(attention__head_count_kv=1)),
    "llama-mha": ("llama", dense(attention__head_count_kv=8)),
    "llama-tied": ("llama", dense()),
    "qwen3-tied": ("qwen3", headed(128)),
    "llama-head128": ("llama", headed(128)),
    "mixtral": ("llama", dense(expert_count=8, expert_used_count=2)),
    "llama4": ("llama4", moe(interleave_moe_layer_step=1)),
    "mistral3": ("mistral3", headed(128)),
    "qwen2": ("qwen2", dense()),
    "qwen2moe": ("qwen2moe", moe(expert_shared_feed_forward_length=512)),
    "qwen3": ("qwen3", headed(128)),
    "qwen3moe": (
        "qwen3moe",
        moe(attention__key_length=128, attention__value_length=128, rope__dimension_count=128),
    ),
    "qwen3next": (
        "qwen3next",
        moe(
            **MAMBA2,
            expert_shared_feed_forward_length=256,
            full_attention_interval=4,
            attention__key_length=256,
            attention__value_length=256,
            rope__dimension_count=64,
        )
        | {"ssm.group_count": 8, "ssm.state_size": 64},
    ),
    "gemma": ("gemma", headed(64)),
    "gemma2": (
        "gemma2",
        headed(64, attention__sliding_window=1024, attn_logit_softcapping=50.0, final_logit_softcapping=30.0),
    ),
    "gemma3": ("gemma3", headed(64, attention__sliding_window=512)),
    "gemma3n": (
        "gemma3n",
        headed(
            64,
            block_count=25,
            attention__sliding_window=512,
            altup__num_inputs=4,
            altup__active_idx=0,
            embedding_length_per_layer_input=64,
        ),
    ),
    "gemma4": (
        "gemma4",
        headed(
            128,
            attention__sliding_window=512,
            attention__sliding_window_pattern=[True, True, False, True, True, False],
            attention__shared_kv_layers=3,
            attention__key_length_swa=64,
            attention__value_length_swa=64,
            embedding_length_per_layer_input=64,
            rope__dimension_count_swa=64,
        ),
    ),
    "gpt-oss": (
        "gpt-oss",
        moe(attention__sliding_window=128, attention__key_length=64, attention__value_length=64),
    ),
    "phi2": ("phi2", dense()),
    "phi3": ("phi3", dense(attention__sliding_window=2048)),
    "phimoe": ("phimoe", moe()),
    "deepseek": (
        "deepseek",
        moe(**SHARED),
    ),
    "deepseek2": (
        "deepseek2",
        moe(
            leading_dense_block_count=1,
            expert_shared_count=1,
            expert_weights_scale=1.0,
            attention__head_count_kv=1,
            attention__q_lora_rank=128,
            attention__kv_lora_rank=128,
            attention__key_length=160,
            attention__value_length=128,
            attention__key_length_mla=96,
            attention__value_length_mla=64,
            rope__dimension_count=32,
        ),
    ),
    "glm4": ("glm4", dense()),
    "glm4moe": (
        "glm4moe",
        moe(**SHARED, expert_gating_func=2),
    ),
    "mamba": (
        "mamba",
        dense(**MAMBA, **NO_HEADS),
    ),
    "mamba2": (
        "mamba2",
        dense(**MAMBA2, **NO_HEADS),
    ),
    "rwkv6": (
        "rwkv6",
        dense(
            attention__head_count=0,
            attention__head_count_kv=0,
            wkv__head_size=64,
            time_mix_extra_dim=32,
            time_decay_extra_dim=32,
            rescale_every_n_layers=6,
            token_shift_count=2,
        ),
    ),
    "rwkv7": (
        "rwkv7",
        dense(
            attention__head_count=0,
            attention__head_count_kv=0,
            wkv__head_size=64,
            attention__decay_lora_rank=64,
            attention__iclr_lora_rank=64,
            attention__value_residual_mix_lora_rank=32,
            attention__gate_lora_rank=128,
            token_shift_count=2,
        ),
    ),
    "jamba": ("jamba", moe(**MAMBA, attention__head_count_kv=ALTERNATING)),
    "falcon-h1": ("falcon-h1", dense(**MAMBA2)),
    "plamo2": (
        "plamo2",
        dense(
            **MAMBA2 | {"ssm__group_count": 0},
            attention__head_count_kv=ALTERNATING,
            attention__head_count=[0, 0, 8, 0, 0, 8],
            attention__key_length=64,
            attention__value_length=64,
        ),
    ),
    "granite": ("granite", dense(logit_scale=4.0)),
    "granitemoe": ("granitemoe", moe(logit_scale=4.0)),
    "granitehybrid": (
        "granitehybrid",
        moe(
            **MAMBA2,
            attention__head_count_kv=ALTERNATING,
            expert_shared_feed_forward_length=256,
            rope__scaling__finetuned=True,
        ),
    ),
    "nemotron": ("nemotron", dense()),
    "nemotron_h": (
        "nemotron_h",
        dense(
            **MAMBA2,
            attention__head_count_kv=[0, 0, 2, 0, 0, 0],
            feed_forward_length=[0, 1024, 0, 0, 1024, 0],
        ),
    ),
    "lfm2": ("lfm2", dense(attention__head_count_kv=ALTERNATING, shortconv__l_cache=3)),
    "lfm2moe": (
        "lfm2moe",
        moe(
            attention__head_count_kv=ALTERNATING,
            shortconv__l_cache=3,
            leading_dense_block_count=2,
            expert_gating_func=2,
        ),
    ),
    "cohere2": ("cohere2", dense(attention__sliding_window=1024, logit_scale=0.25)),
    "command-r": ("command-r", dense(logit_scale=0.25)),
    "olmo2": ("olmo2", dense(attention__head_count_kv=8)),
    "olmo3": ("olmo2", dense(attention__head_count_kv=8, attention__sliding_window=1024)),
    "olmoe": ("olmoe", moe(attention__head_count_kv=8)),
    "smollm3": ("smollm3", dense()),
    "exaone4": ("exaone4", dense(block_count=64, attention__sliding_window=1024)),
    "exaone4-small": ("exaone4", dense(attention__sliding_window=1024)),
    "starcoder2": ("starcoder2", dense()),
    "gptneox": ("gptneox", dense(attention__head_count_kv=8, use_parallel_residual=True)),
    "stablelm": ("stablelm", dense()),
    "falcon": ("falcon", dense()),
    "minicpm3": (
        "minicpm3",
        dense(
            attention__head_count_kv=8,
            attention__q_lora_rank=128,
            attention__kv_lora_rank=128,
            attention__key_length=96,
            attention__value_length=64,
            rope__dimension_count=32,
        ),
    ),
    "internlm2": ("internlm2", dense()),
    "hunyuan-dense": ("hunyuan-dense", headed(128)),
    "ernie4_5": ("ernie4_5", headed(128)),
    "dots1": (
        "dots1",
        moe(
            expert_gating_func=2,
            attention__head_count_kv=8,
            leading_dense_block_count=1,
            expert_shared_count=1,
            expert_weights_scale=1.0,
        ),
    ),
    "bailingmoe": (
        "bailingmoe",
        moe(**SHARED),
    ),
    "seed_oss": ("seed_oss", headed(128)),
    "smallthinker": ("smallthinker", moe(attention__sliding_window=1024, expert_gating_func=2)),
    "arcee": ("arcee", dense()),
    "apertus": (
        "apertus",
        dense() | {f"/xielu.{key}": [0.5] * 6 for key in ("alpha_n", "alpha_p", "beta", "eps")},
    ),
    "bert": ("bert", dense(attention__causal=False) | {"/tokenizer.ggml.token_type_count": 2}),
}
