"""Counts operations and kept bytes with models that have no memory: full size, any machine."""

import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from unittest import mock

import torch
from torch.utils.flop_counter import FlopCounterMode

import bench_evaluate
import bench_models
from bench_naive import Naive

CONCEPTS = 4
ARCHS = ("mid", "flux1", "flux2")
_ATTENTIONS = ("optimized_attention", "optimized_attention_masked")


@dataclass(frozen=True)
class Counts:
    """Of one evaluation: operations without capture, and how many times those a capture takes.

    kept, naive_kept: bytes that stay in memory until the run ends, for every step.
    """

    flops: int
    ratio: float
    naive_ratio: float
    kept: int
    naive_kept: int


def operations(
    arch: str,
    concepts: int,
    dtype: torch.dtype = torch.bfloat16,
    tokens: int = 1,
    **options: Any,
) -> int:
    """Operations of one evaluation; with capture where there are concepts, of `tokens` each.

    options: of the capture, see bench_evaluate.captured. arch: see bench_models.SIZES. ComfyUI and
    the pack must be importable: bench_models.prepare.
    """
    size = bench_models.SIZES[arch]
    model = bench_models.build(size, "meta", dtype)
    given = bench_models.inputs(model, size)
    if not concepts:
        return _flops(lambda: bench_evaluate.plain(model, given, 1))
    items = bench_models.concepts(model, size, concepts, tokens)
    return _flops(lambda: bench_evaluate.captured(model, given, items, 1, **options))


def count(arch: str) -> Counts:
    """Count one evaluation of every kind, bfloat16."""
    size = bench_models.SIZES[arch]
    model = bench_models.build(size, "meta", torch.bfloat16)
    given = bench_models.inputs(model, size)
    concepts = bench_models.concepts(model, size, CONCEPTS)
    naive, captures = Naive(model, concepts, keep="meta"), []

    def captured() -> None:
        captures.append(bench_evaluate.captured(model, given, concepts, 1)[1])

    plain = _flops(lambda: bench_evaluate.plain(model, given, 1))
    ratio = _flops(captured) / plain
    naive_ratio = _flops(lambda: naive.run(given, 1)) / plain
    kept = captures[0].scores.nbytes + captures[0].norms.nbytes
    return Counts(plain, ratio, naive_ratio, kept, naive.held)


def _flops(function: Callable[[], object]) -> int:
    from comfy.ldm.modules.attention import attention_pytorch

    with ExitStack() as stack:
        # The host's other ways of attention ask the device for its free memory: "meta" has none.
        for name, module in list(sys.modules.items()):
            if not name.startswith("comfy.ldm."):
                continue
            for attention in _ATTENTIONS:
                if hasattr(module, attention):
                    stack.enter_context(mock.patch.object(module, attention, attention_pytorch))
        stack.enter_context(torch.inference_mode())
        counter = stack.enter_context(FlopCounterMode(display=False))
        function()
    return counter.get_total_flops()
