"""The pocket model's text encoder: the host's T5 class, two layers, only the vocabulary's rows.

Needs ComfyUI on the import path.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor, nn

from .prompts import TEXT_TOKENS, WORDS

WIDTH = 128
T5_SIZES = {"d_model": WIDTH, "d_kv": 64, "num_heads": 2, "num_layers": 2, "d_ff": 384}
_T5_REST = {"dense_act_fn": "gelu_pytorch_tanh", "is_gated_act": True, "model_type": "t5"}


@lru_cache(maxsize=1)
def tokenizer():
    """The host's own T5 tokenizer, padding to TEXT_TOKENS."""
    from comfy.text_encoders.sd3_clip import T5XXLTokenizer

    return T5XXLTokenizer(min_length=TEXT_TOKENS)


def token_ids(text: str) -> list[int]:
    """T5 token ids of a text, with its end token, padded to TEXT_TOKENS."""
    return [pair[0] for pair in tokenizer().tokenize_with_weights(text)[0]]


def vocabulary() -> list[int]:
    """The ids of the T5 vocabulary that the pocket model's words are made of, ascending."""
    texts = [*WORDS, *(f"{word}," for word in WORDS), ""]
    return sorted({i for text in texts for i in token_ids(text)})


def build(rows: int) -> nn.Module:
    """A freshly initialised T5 with `rows` embedding rows (the initialisation of the T5 paper's
    code).
    """
    import comfy.ops
    from comfy.text_encoders.t5 import T5

    config = {**T5_SIZES, **_T5_REST, "vocab_size": rows}
    model = T5(config, torch.float32, "cpu", comfy.ops.disable_weight_init)
    for name, weight in model.named_parameters():
        if name.endswith("norm.weight"):
            weight.data.fill_(1.0)
        elif "shared" in name:
            weight.data.normal_(0, 1.0)
        elif name.endswith("SelfAttention.q.weight"):
            weight.data.normal_(0, (WIDTH * T5_SIZES["d_kv"]) ** -0.5)
        else:
            weight.data.normal_(0, weight.shape[1] ** -0.5)
    for block in model.encoder.block:
        for layer in block.layer:
            layer.layer_norm.register_forward_pre_hook(_copy_input)
    return model


def _copy_input(_module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    # The host adds to the residual stream in place, which autograd forbids for a saved input.
    return (inputs[0].clone(),)
