"""Workflows in this process: the host's own executor and caches, and nodes of another pack.

The other pack loads tiny models and has samplers of its own kind.
"""

import asyncio
import functools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import comfy.sample
import execution
import nodes as host_nodes
import server
import torch
from comfy_execution.graph_utils import GraphBuilder

from concept_attention.nodes import NODES

from . import models

CATEGORY = "another pack"


class Load:
    """A tiny model with concepts, prompts and a latent."""

    CATEGORY, FUNCTION = CATEGORY, "load"
    RETURN_TYPES = ("MODEL", "CONCEPT_ATTENTION_CONCEPTS", "CONDITIONING", "CONDITIONING", "LATENT")

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802, the host's name
        return {"required": {"family": ("STRING", {"default": "dev"})}}

    def load(self, family: str) -> tuple[Any, ...]:
        prompts = models.prompt(family, 1), models.prompt(family, 2)
        named = models.concepts(family)
        return models.model(family), named, *prompts, models.latent(family)


def _sampled(model: Any, positive: Any, negative: Any, samples: Any, seed: int) -> torch.Tensor:
    noise = comfy.sample.prepare_noise(samples, seed)
    rest = (noise, models.STEPS, 1.0, "euler", "simple", positive, negative, samples)
    return comfy.sample.sample(model, *rest, disable_pbar=True, seed=seed)


class Sample:
    """A sampler of another pack: the host's sampling called by its own code."""

    CATEGORY, FUNCTION = CATEGORY, "sample"
    RETURN_TYPES = ("LATENT", "IMAGE")
    widths: tuple[int, ...] = (7,)  # of its tiles, in image tokens

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802
        kinds = {"model": "MODEL", "positive": "CONDITIONING", "negative": "CONDITIONING"}
        inputs = {name: (kind,) for name, kind in kinds.items()}
        return {"required": {**inputs, "latent": ("LATENT",), "seed": ("INT", {"default": 3})}}

    def sample(self, model, positive, negative, latent, seed):
        token = latent["samples"].shape[-1] // 7
        parts = torch.split(latent["samples"], [width * token for width in self.widths], -1)
        done = [_sampled(model, positive, negative, part, seed) for part in parts]
        joined = torch.cat(done, -1)
        return {"samples": joined}, picture(joined)


class SampleTiles(Sample):
    """Samples the left and the right part on their own and puts them together."""

    widths = (4, 3)


class Expand:
    """Samples inside: the host puts other nodes in its place while it runs."""

    CATEGORY, FUNCTION = CATEGORY, "expand"
    RETURN_TYPES = ("LATENT", "CONCEPT_ATTENTION_HANDLE")

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802
        plain = Sample.INPUT_TYPES()["required"]
        optional = {"concepts": ("CONCEPT_ATTENTION_CONCEPTS",)}
        return {"required": plain, "optional": optional}

    def expand(self, model, concepts=None, **rest):
        graph, handle = GraphBuilder(), None
        if concepts is not None:
            attach = graph.node("ConceptAttentionAttach", model=model, concepts=concepts)
            model, handle = attach.out(0), attach.out(1)
        sample = graph.node("Sample", model=model, **rest)
        return {"result": (sample.out(0), handle), "expand": graph.finalize()}


class Picture:
    """A stand-in for decoding."""

    CATEGORY, FUNCTION = CATEGORY, "decode"
    RETURN_TYPES = ("IMAGE",)

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802
        optional = {"brightness": ("FLOAT", {"default": 1.0})}
        return {"required": {"latent": ("LATENT",)}, "optional": optional}

    def decode(self, latent, brightness=1.0):
        return (picture(latent["samples"]) * brightness,)


def picture(samples: torch.Tensor) -> torch.Tensor:
    """[B, H, W, 3] of a latent [B, C, H, W]."""
    return samples[:, :3].movedim(1, -1).sigmoid()


class Keep:
    """Hands a value to the test."""

    CATEGORY, FUNCTION, OUTPUT_NODE = CATEGORY, "keep", True
    RETURN_TYPES = ()
    kept: dict[str, Any] = {}  # noqa: RUF012, the host makes the node's objects

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802
        return {"required": {"value": ("*",), "name": ("STRING", {"default": "capture"})}}

    def keep(self, value, name):
        self.kept[name] = value
        return ()


_NODES = {each.__name__: each for each in (Load, Sample, SampleTiles, Expand, Picture, Keep)}
_NODES |= {each.GET_SCHEMA().node_id: each for each in NODES}


class Host:
    """The host's executor; `run` queues a workflow."""

    def __init__(self, cache: execution.CacheType = execution.CacheType.CLASSIC) -> None:
        sizes = {"lru": 10, "ram": 0.0, "ram_inactive": 0.0}
        self._executor = execution.PromptExecutor(_server(), cache_type=cache, cache_args=sizes)
        self._count = 0
        self.cached: set[str] = set()

    def run(
        self, prompt: dict[str, Any], extra_pnginfo: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """What its Keep nodes were given; ValueError with what the host objects to or reports.

        In a thread of its own, as in the host: the browser's tests leave a loop in this one.
        """
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(self._run, prompt, extra_pnginfo).result()

    def _run(self, prompt: dict[str, Any], extra: dict[str, Any] | None) -> dict[str, Any]:
        self._count += 1
        number = f"{id(self)} {self._count}"
        valid, problem, outputs, found = asyncio.run(
            execution.validate_prompt(number, prompt, None)
        )
        if not valid:
            details = [error["details"] for node in found.values() for error in node["errors"]]
            raise ValueError(problem["message"], *details)
        Keep.kept = {}
        data = {} if extra is None else {"extra_pnginfo": extra}
        self._executor.execute(prompt, number, data, outputs)
        messages = dict(self._executor.status_messages)
        self.cached = set(messages["execution_cached"]["nodes"])
        if not self._executor.success:
            failed = messages["execution_error"]
            raise ValueError(f"{failed['node_id']}: {failed['exception_message']}")
        return Keep.kept


@functools.cache
def _server() -> server.PromptServer:
    """The host's server, which listens to nobody."""
    found = getattr(server.PromptServer, "instance", None)
    return found or server.PromptServer(asyncio.new_event_loop())


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    """A node of a workflow; a link is a pair of a node's id and the place of its output."""
    linked = {k: list(v) if isinstance(v, tuple) else v for k, v in inputs.items()}
    return {"class_type": kind, "inputs": linked}


host_nodes.NODE_CLASS_MAPPINGS.update(_NODES)
