"""What the host's joint attention computed, seen from outside, and scores in plain maths of it."""

from dataclasses import dataclass
from typing import Any

import torch

from concept_attention.core.types import Concept, Concepts

from .models import STEPS, TINY, inputs, model, plain, prompt, seeded

# Models whose concepts, if they are all of the prompt's tokens, are what these tokens are. The
# others give a concept another place, or the prompt padding or company that concepts have not.
TWINS = ("dev", "schnell", "sd3", "sd35", "cog2b", "cog5b", "cog15", "chroma")


@dataclass(frozen=True)
class Joint:
    """One block's joint attention: [B, L, heads, d] each, text before image."""

    q: torch.Tensor
    k: torch.Tensor
    v: torch.Tensor
    out: torch.Tensor


def joint(family: str, **changes: Any) -> list[list[Joint]]:
    """For every step, the joint attention of every layer of a plain run, float64."""
    calls: list[Joint] = []

    def spy(func: Any, q: Any, k: Any, v: Any, heads: int, *args: Any, **kwargs: Any) -> Any:
        out = func(q, k, v, heads, *args, **kwargs)
        parts = [x.transpose(1, 2) if x.ndim == 4 else x for x in (q, k, v)]
        if not kwargs.get("skip_reshape", False):
            parts = [q, k, v]
        shaped = (x.double().reshape(*x.shape[:2], heads, -1) for x in (*parts, out))
        calls.append(Joint(*shaped))
        return out

    spied = model(family).clone()
    spied.model_options["transformer_options"]["optimized_attention_override"] = spy
    plain(spied, **inputs(family, **changes))
    longest = max(call.q.shape[1] for call in calls)
    calls = [call for call in calls if call.q.shape[1] == longest]  # 3.5 Medium attends twice
    each = len(calls) // STEPS
    return [calls[i * each : i * each + TINY[family].layers] for i in range(STEPS)]


def plain_scores(call: Joint, rows: list[list[int]], image: slice, space: str) -> torch.Tensor:
    """Scores [B, C, N] of concepts that are the means of text rows, in plain maths."""

    def own(x: torch.Tensor) -> torch.Tensor:
        return torch.stack([x[:, at].mean(1) for at in rows], 1)

    if space == "DAAM":
        logits = torch.einsum("bchd,bnhd->bhcn", own(call.k), call.q[:, image])
        return (logits / call.q.shape[-1] ** 0.5).softmax(2).mean(1)
    sides = {"output": "out", "value": "v", "cross-attention": "q"}
    text = own(getattr(call, sides[space]))
    seen = call.k if space == "cross-attention" else getattr(call, sides[space])
    return torch.einsum("bchd,bnhd->bcn", text, seen[:, image])


def bare(family: str, seed: int = 1, tokens: int = 3) -> list[Any]:
    """A prompt whose pooled vector is zero, as it is for concepts."""
    ((rows, values),) = prompt(family, seed, tokens)
    pooled = values["pooled_output"]
    return [[rows, {**values, "pooled_output": None if pooled is None else pooled * 0}]]


def twins(family: str, seed: int = 1, tokens: int = 3) -> Concepts:
    """Concepts that are the tokens of `bare`."""
    rows = seeded(1, tokens, 48, seed=seed)[0]
    items = (Concept(f"token {i}", row[None], (i,), tokens) for i, row in enumerate(rows))
    return Concepts(tuple(items), TINY[family].encoder)
