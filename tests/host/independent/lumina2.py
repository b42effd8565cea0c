"""Lumina 2 and Z-Image for one picture: the model's output and the concepts' scores."""

import torch
from torch.nn.functional import pad, silu

from .maths import centred, linear, root_mean_square
from .rows import angles, attention, part, rotate, sinusoid


class Model:
    """A checkpoint's numbers (float64) and the sizes of its class."""

    def __init__(self, weights, sizes):
        self.weights = {name: tensor.double() for name, tensor in weights.items()}
        self.sizes = sizes
        self.fill = sizes.get("pad_tokens_multiple") or 1

    def run(self, x, time, text, concepts, places, carry=True):
        """Output [channels, H, W] and scores [layers, C, N].

        x: [channels, H, W], sides even. time: 0 to 1. text: [L, width]. concepts: [C, width], at
        places [C] along the text's axis. carry: whether a block's output enters the next.
        """
        w, (channels, height, width) = self.weights, x.shape
        t = sinusoid((1.0 - time) * self.sizes.get("time_scale", 1.0))
        t = linear(w, "t_embedder.mlp.2", silu(linear(w, "t_embedder.mlp.0", t)))
        patches = x.double().reshape(channels, height // 2, 2, width // 2, 2)
        patches = patches.permute(1, 3, 2, 4, 0).flatten(2).flatten(0, 1)
        image, count = linear(w, "x_embedder", patches), len(patches)
        image = self._filled(image, "x_pad_token")
        caption = self._filled(self._caption(text), "cap_pad_token")
        grid = torch.cartesian_prod(torch.arange(height // 2), torch.arange(width // 2))
        image_places = torch.cat([torch.full((count, 1), len(caption) + 1), grid], 1)
        image_places = pad(image_places, (0, 0, 0, len(image) - count))
        text_places = pad(torch.arange(1, len(caption) + 1)[:, None], (0, 2))
        own = pad(torch.tensor(places)[:, None], (0, 2))
        for i in range(2):
            caption, _ = self._block(f"context_refiner.{i}", caption, text_places, None)
            image, _ = self._block(f"noise_refiner.{i}", image, image_places, t)
        stream = self._caption(concepts)
        for i in range(2):  # alone, one by one
            rows = zip(stream.split(1), own.split(1), strict=True)
            stream = torch.cat([self._block(f"context_refiner.{i}", *row, None)[0] for row in rows])
        state, all_places = torch.cat([caption, image]), torch.cat([text_places, image_places])
        main = slice(len(caption), len(caption) + count)
        scores = []
        for i in range(self.sizes["n_layers"]):
            seen = (state[main], all_places[main])
            moved, concept_out = self._block(f"layers.{i}", stream, own, t, seen)
            state, out = self._block(f"layers.{i}", state, all_places, t)
            scores.append(concept_out @ out[main].T)
            stream = moved if carry else stream
        scale = linear(w, "final_layer.adaLN_modulation.1", silu(t))
        out = linear(w, "final_layer.linear", centred(state[main]) * (1 + scale))
        out = out.reshape(height // 2, width // 2, 2, 2, channels).permute(4, 0, 2, 1, 3)
        return -out.reshape(channels, height, width), torch.stack(scores)

    def _caption(self, text):
        w = part(self.weights, "cap_embedder")
        return linear(w, "1", root_mean_square(text.double(), w["0.weight"], 1e-5))

    def _filled(self, rows, token):
        missing = -len(rows) % self.fill
        return torch.cat([rows, *[self.weights[token]] * missing]) if missing else rows

    def _qkv(self, w, x, places):
        sizes, head = self.sizes, self.sizes["dim"] // self.sizes["n_heads"]
        heads = (sizes["n_heads"], sizes["n_kv_heads"], sizes["n_kv_heads"])
        parts = linear(w, "attention.qkv", x).split([count * head for count in heads], dim=-1)
        q, k, v = (p.reshape(len(x), -1, head) for p in parts)
        turn = angles(places, sizes["axes_dims"], sizes["rope_theta"])
        eps = torch.finfo(torch.float32).eps
        q = rotate(root_mean_square(q, w["attention.q_norm.weight"], eps), turn)
        k = rotate(root_mean_square(k, w["attention.k_norm.weight"], eps), turn)
        times = sizes["n_heads"] // sizes["n_kv_heads"]
        return q, k.repeat_interleave(times, 1), v.repeat_interleave(times, 1)

    def _block(self, name, x, places, t, seen=None):
        """What x becomes, and its attention's output; seen: more to attend to, and its places."""
        w = part(self.weights, name)
        scale, gate, mlp_scale, mlp_gate = 0.0, 1.0, 0.0, 1.0
        if t is not None:
            z_image = self.sizes.get("z_image_modulation", False)
            name, vector = ("adaLN_modulation.0", t) if z_image else ("adaLN_modulation.1", silu(t))
            scale, gate, mlp_scale, mlp_gate = linear(w, name, vector).chunk(4)
            gate, mlp_gate = gate.tanh(), mlp_gate.tanh()

        def normed(rows):
            return root_mean_square(rows, w["attention_norm1.weight"], 1e-5) * (1 + scale)

        q, k, v = self._qkv(w, normed(x), places)
        if seen is not None:
            _, more_k, more_v = self._qkv(w, normed(seen[0]), seen[1])
            k, v = torch.cat([k, more_k]), torch.cat([v, more_v])
        out = attention(q, k, v)
        update = linear(w, "attention.out", out)
        x = x + gate * root_mean_square(update, w["attention_norm2.weight"], 1e-5)
        hidden = root_mean_square(x, w["ffn_norm1.weight"], 1e-5) * (1 + mlp_scale)
        hidden = silu(linear(w, "feed_forward.w1", hidden)) * linear(w, "feed_forward.w3", hidden)
        update = linear(w, "feed_forward.w2", hidden)
        return x + mlp_gate * root_mean_square(update, w["ffn_norm2.weight"], 1e-5), out
