"""HunyuanVideo 1.0 and 1.5 for one video: the concepts' scores in every double block."""

import torch
from torch.nn.functional import gelu, silu

from .maths import centred, linear, root_mean_square
from .rows import angles, attention, part, rotate, sinusoid

_EPS = torch.finfo(torch.float32).eps


class Model:
    """A checkpoint's numbers (float64) and the sizes of its class."""

    def __init__(self, weights, sizes):
        self.weights = {name: tensor.double() for name, tensor in weights.items()}
        self.sizes = sizes

    def run(self, x, time, text, concepts, words, pooled=None, guidance=None, **mistakes):
        """Scores [depth, C, N].

        x: [channels, T, H, W], sides of whole tokens. time: 0 to 1000. text: [L, width], the first
        `words` of which are no padding. concepts: [C, width]. mistakes: carry=False, the stream
        enters each block as it entered the first; together=True, the refiner sees all concepts at
        once; own_pooled=True, the concepts are modulated with the prompt's pooled vector.
        """
        w, (channels, frames, height, width) = self.weights, x.shape
        prompt_vec = self._vec(time, pooled, guidance)
        vec = prompt_vec
        if pooled is not None and not mistakes.get("own_pooled"):
            vec = self._vec(time, torch.zeros_like(pooled), guidance)
        side = self.sizes["patch_size"][-1]
        height, width = height // side, width // side
        patches = x.double().reshape(channels, frames, height, side, width, side)
        patches = patches.permute(1, 2, 4, 0, 3, 5).flatten(3).flatten(0, 2)
        image = patches @ w["img_in.proj.weight"].flatten(1).T + w["img_in.proj.bias"]
        sides = (torch.arange(count) for count in (frames, height, width))
        places = torch.cartesian_prod(*sides)
        prompt = self._refined(text, time, words)
        if mistakes.get("together"):
            stream = self._refined(concepts, time, len(concepts))
        else:
            stream = torch.cat([self._refined(each[None], time, 1) for each in concepts])
        scores = []
        for i in range(self.sizes["depth"]):
            block = part(w, f"double_blocks.{i}")
            seen = self._qkv(block, "img", image, prompt_vec, places)
            own = self._qkv(block, "txt", stream, vec)
            given = self._qkv(block, "txt", prompt, prompt_vec)
            out = attention(*(torch.cat(pair) for pair in zip(given, seen, strict=True)))
            image_out, concept_out = out[len(prompt) :], self._attend(own, seen)
            scores.append(concept_out @ image_out.T)
            image = self._moved(block, "img", image, image_out, prompt_vec)
            prompt = self._moved(block, "txt", prompt, out[: len(prompt)], prompt_vec)
            if mistakes.get("carry", True):
                stream = self._moved(block, "txt", stream, concept_out, vec)
        return torch.stack(scores)

    def _attend(self, own, seen):
        q, k, v = own
        return attention(q, torch.cat([k, seen[1]]), torch.cat([v, seen[2]]))

    def _vec(self, time, pooled, guidance):
        vec = self._embedded("time_in", sinusoid(time))
        if pooled is not None:
            vec = vec + self._embedded("vector_in", pooled.double())
        if guidance is not None:
            vec = vec + self._embedded("guidance_in", sinusoid(1000.0 * guidance))
        return vec

    def _embedded(self, name, x):
        hidden = silu(linear(self.weights, f"{name}.in_layer", x))
        return linear(self.weights, f"{name}.out_layer", hidden)

    def _refined(self, text, time, words):
        """[words, D] of a text whose other rows count for its mean alone."""
        w, text = self.weights, text.double()
        vec = self._embedded("txt_in.t_embedder", sinusoid(time))
        vec = vec + self._embedded("txt_in.c_embedder", text.mean(0))
        x = linear(w, "txt_in.input_embedder", text[:words])
        for i in range(2):
            block = part(w, f"txt_in.individual_token_refiner.blocks.{i}")
            gate, mlp_gate = linear(block, "adaLN_modulation.1", silu(vec)).chunk(2)
            q, k, v = self._split(linear(block, "self_attn.qkv", self._normed(block, "norm1", x)))
            x = x + gate * linear(block, "self_attn.proj", attention(q, k, v))
            hidden = silu(linear(block, "mlp.0", self._normed(block, "norm2", x)))
            x = x + mlp_gate * linear(block, "mlp.2", hidden)
        if "cond_type_embedding.weight" in w:
            x = x + w["cond_type_embedding.weight"][0]
        return x

    def _normed(self, block, name, x):
        return centred(x) * block[f"{name}.weight"] + block[f"{name}.bias"]

    def _split(self, qkv):
        heads = self.sizes["num_heads"]
        return (x.reshape(len(x), heads, -1) for x in qkv.chunk(3, dim=-1))

    def _mods(self, block, side, vec):
        return linear(block, f"{side}_mod.lin", silu(vec)).chunk(6)

    def _qkv(self, block, side, x, vec, places=None):
        shift, scale = self._mods(block, side, vec)[:2]
        q, k, v = self._split(linear(block, f"{side}_attn.qkv", centred(x) * (1 + scale) + shift))
        q = root_mean_square(q, block[f"{side}_attn.norm.query_norm.weight"], _EPS)
        k = root_mean_square(k, block[f"{side}_attn.norm.key_norm.weight"], _EPS)
        if places is not None:
            turn = angles(places, self.sizes["axes_dim"], self.sizes["theta"])
            q, k = rotate(q, turn), rotate(k, turn)
        return q, k, v

    def _moved(self, block, side, x, out, vec):
        _, _, gate, shift, scale, mlp_gate = self._mods(block, side, vec)
        x = x + gate * linear(block, f"{side}_attn.proj", out)
        hidden = linear(block, f"{side}_mlp.0", centred(x) * (1 + scale) + shift)
        return x + mlp_gate * linear(block, f"{side}_mlp.2", gelu(hidden, approximate="tanh"))
