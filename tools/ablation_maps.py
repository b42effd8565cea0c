"""Captures beside one forward of noised pictures, for the ablations of the method.

What a concept attends to is changed here only, around a forward; the pack's own code is as it is.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

import truth_maps

# What the concepts attend to.
BOTH, IMAGE, THEMSELVES, NEITHER = "image and themselves", "image", "themselves", "neither"


class Eye:
    """A pocket model that looks at noised pictures; concepts are encoded once each."""

    def __init__(self, model: Any, clip: Any) -> None:
        from concept_attention.pocket import checkpoint

        self.model, self.clip = model, clip
        self._projection = checkpoint.stored_vae()[0]
        self.transformer = model.get_model_object("diffusion_model")
        self._encoded: dict[tuple[str, str], Any] = {}

    def concepts(self, shown: Sequence[str], behind: Sequence[str], choice: str = "auto") -> Any:
        """Concepts of these texts and background; choice: of the tokens that stand for them."""
        from concept_attention.core.types import Concepts
        from concept_attention.nodes.encode import encode_concepts

        parts = []
        for text in (*shown, *behind):
            if (text, choice) not in self._encoded:
                self._encoded[text, choice] = encode_concepts(self.clip, [text], [], choice)
            parts.append(self._encoded[text, choice])
        items = [replace(part.items[0], background=i >= len(shown)) for i, part in enumerate(parts)]
        return Concepts(tuple(items), parts[0].encoder)

    def latent(self, picture: Tensor) -> Tensor:
        """Of a picture uint8 [H, W, 3]: [1, C, h, w], as the model takes it.

        By the projection that the pocket models' VAE was built from, which is much faster.
        """
        from concept_attention.pocket import latents

        return latents.encode(picture[None], *self._projection)

    def noised(
        self, latent: Tensor, levels: Sequence[float], seeds: Sequence[int]
    ) -> tuple[Tensor, Tensor]:
        """The latent with noise, [B, C, h, w], and its sigmas [B].

        levels: fractions of the model's schedule. seeds: of the noise.
        """
        from concept_attention.nodes.once import sigma_at

        sigmas = torch.tensor([sigma_at(self.model, level) for level in levels])
        noises = [
            torch.randn(latent.shape, generator=torch.Generator().manual_seed(seed))
            for seed in seeds
        ]
        sampling = self.model.get_model_object("model_sampling")
        parts = [
            sampling.noise_scaling(sigma[None], noise, latent)
            for sigma, noise in zip(sigmas, noises, strict=True)
        ]
        return torch.cat(parts), sigmas

    def look(
        self,
        noisy: Tensor,
        sigmas: Tensor,
        prompt: str,
        asked: Mapping[Any, Any],
        observers: Mapping[Any, Callable[..., None]] | None = None,
        attend_to: Mapping[Any, str] | None = None,
    ) -> dict[Any, Any]:
        """One forward, and a capture of all layers of it for every name's concepts.

        observers: for some names, what sees the vectors that are scored. attend_to: for some, what
        their concepts attend to. The forward ends when the last layer was read.
        """
        from concept_attention.nodes.capture import make_run

        runs = {}
        for name, concepts in asked.items():
            seen = (observers or {}).get(name)
            options = {} if seen is None else {"observe": seen}
            options["stop"] = not runs  # the first of them is the last to read
            run = make_run(self.model, concepts, "all", "all", 1024, None, **options)
            if attend_to and name in attend_to:
                _attend(run, attend_to[name])
            runs[name] = run
        wrappers: dict[str, dict[str, list[Any]]] = {}
        for run in runs.values():
            run.begin(noisy.shape, [sigmas[0].item(), 0.0], [{"uuid": 0}])
            for kind, wrapper in run.wrappers.items():
                wrappers.setdefault(kind, {}).setdefault("bench", []).append(wrapper)
        text = self.clip.encode_from_tokens(self.clip.tokenize(prompt))
        forward = partial(
            self.model.model.apply_model,
            c_crossattn=text.expand(len(noisy), -1, -1),
            transformer_options={"wrappers": wrappers, "uuids": [0]},
        )
        for run in runs.values():
            forward = partial(run.predict_noise, forward)
        forward(noisy, sigmas)
        for run in runs.values():
            run.report(0)
        return {name: run.capture() for name, run in runs.items()}


class Spaces:
    """Scores in other spaces than the output's, of the streams of several names in one forward."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.plain_k: dict[int, Tensor] = {}
        self._pending: dict[str, tuple[Tensor, Tensor]] = {}
        self._scores: dict[tuple[str, str], list[tuple[Tensor, Tensor]]] = {}

    @contextmanager
    def watching(self) -> Iterator[None]:
        """See what the concept streams of the model attend to."""
        with truth_maps.watching(self._model, self):
            yield

    def attended(
        self, stream: Any, counts: Sequence[int], layer: int, image_k: Tensor, image_v: Tensor
    ) -> None:
        """As `truth_maps.Collector.attended`; whose stream it is, `observer` is told next."""
        from concept_attention.core.attention import average

        own = stream._projected
        q, v = (average(_joined(side), counts) for side in (own.q, own.v))
        self._pending = {"value": (v, _joined(image_v))}
        if layer in self.plain_k:
            plain = self.plain_k[layer][stream.rows, :, -image_k.shape[-2] :]
            self._pending["cross_plain"] = (q, _joined(plain))
            self._pending["cross_rope"] = (q, _joined(image_k))
        else:
            self._pending["cross"] = (q, _joined(image_k))

    def observer(self, name: str) -> Callable[[int, Tensor, Tensor], None]:
        """What a run of this name shows its scored vectors to, layer by layer."""
        from concept_attention.core.attention import score

        def observe(layer: int, concept_out: Tensor, image_out: Tensor) -> None:
            for space, (concepts, image) in self._pending.items():
                norms = torch.linalg.vector_norm(concepts, dim=-1)
                found = self._scores.setdefault((name, space), [])
                found.append((score(concepts.float(), image), norms))

        return observe

    def captures(self, name: str, output: Any) -> dict[str, Any]:
        """By space: captures of the same run, the output space's own among them."""
        found = {"output": output}
        for (whose, space), layers in self._scores.items():
            if whose == name:
                scores = torch.stack([layer for layer, _ in layers], dim=1)[:, None]
                norms = torch.stack([norm for _, norm in layers], dim=1)[:, None]
                found[space] = replace(output, scores=scores, norms=norms)
        return found


@contextmanager
def attending(to: str) -> Iterator[None]:
    """Let concepts attend to BOTH (as the pack does), the IMAGE, THEMSELVES or NEITHER; then what
    comes out is their own value, as in the paper's code.
    """
    from concept_attention.core import stream

    attend = stream.attend

    def masked(q: Tensor, own_k: Tensor, own_v: Tensor, image_k: Tensor, image_v: Tensor) -> Tensor:
        if to == IMAGE:
            return attend(q, own_k[:, :, :0], own_v[:, :, :0], image_k, image_v)
        if to == THEMSELVES:
            return attend(q, own_k, own_v, image_k[:, :, :0], image_v[:, :, :0])
        if to == NEITHER:
            return own_v.float().transpose(1, 2).flatten(2)
        return attend(q, own_k, own_v, image_k, image_v)

    stream.attend = masked
    try:
        yield
    finally:
        stream.attend = attend


def _attend(run: Any, to: str) -> None:
    """Let the concepts of this run alone attend to something else."""
    make = run._reader

    def reader(*given: Any) -> Any:
        made = make(*given)
        attention = made.attention

        def attended(*parts: Any) -> None:
            with attending(to):
                attention(*parts)

        made.attention = attended
        return made

    run._reader = reader


def _joined(x: Tensor) -> Tensor:
    """[rows, heads, tokens, d] as [rows, tokens, heads d]."""
    return x.transpose(1, 2).flatten(2)
