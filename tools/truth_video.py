"""The pocket video model and its heatmaps against exact label maps of every frame.

On held-out clips of the picture book's world: as `bench_truth` for pictures, the mean over the
frames; and whether the maps follow the motion.
"""

import argparse
import json
import random
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

import truth_maps
from table_cells import cell
from truth_figures import FIRST_SEED, METRICS, interval, judge, pooled, summary, table
from truth_motion import centres, follow, motion_summary, motion_table

TOKEN, GROUP = 16, 4  # side of a token in pixels; frames of a latent frame
LEAST_BLOCKS = 5  # of a thing that is there, about a sixth of a small one


class VideoBench:
    """The pocket video model as loaded by its node, and its scores."""

    parts = ("existing", "generated")

    def __init__(self, arguments: argparse.Namespace) -> None:
        from concept_attention.core.defaults import defaults
        from concept_attention.core.selection import parse
        from concept_attention.nodes.pocket import LoadPocketModel

        self.arguments = arguments
        self.model, self.clip, self.vae = LoadPocketModel.execute("CogVideoX").args
        self.transformer = self.model.get_model_object("diffusion_model")
        auto = defaults("cogvideox")
        text = auto.layers if arguments.layers == "auto" else arguments.layers
        self.layers = parse(text, len(self.transformer.blocks), "layers")
        self.unit = auto.unit_concepts
        self.random = torch.Generator().manual_seed(0)
        self.scores: dict[str, Any] = {}

    def existing(self) -> str:
        """Tables of heatmaps of existing clips: noised, one forward."""
        rng = random.Random(0)
        rows = [self._existing(FIRST_SEED + i, rng) for i in range(self.arguments.count)]
        return self._tables(f"noise {self.arguments.noise}, one forward", "existing clips", rows)

    def generated(self) -> str:
        """Tables of generated clips: things present, heatmaps over all steps."""
        from concept_attention.pocket import measure

        reader = measure.Reader.load(measure.CLIPS_FILE)
        rng = random.Random(1)
        rows = [
            self._generated(FIRST_SEED + 10**6 + i, rng, reader)
            for i in range(self.arguments.count)
        ]
        share = interval([row["found"] for row in rows], pooled)
        self.scores["things present"] = round(share[0], 3)
        text = f"Prompted things present in {len(rows)} generated clips ({self.arguments.steps} "
        text += f"steps, cfg {self.arguments.cfg}): {cell(*share, '.1%')}. "
        text += self._check_reader(reader)
        title = f"all {self.arguments.steps} steps"
        return f"{text}\n\n{self._tables(title, 'generated clips', rows)}"

    def record(self) -> None:
        """Write the scores into the metadata of the model's file."""
        from concept_attention.pocket import checkpoint

        path = checkpoint.FILES["video"]
        metadata = {**checkpoint.read("video").metadata, "scores": json.dumps(self.scores)}
        checkpoint.write(path, checkpoint.tensors(path), metadata)

    def _tables(self, how: str, what: str, rows: Sequence[dict[str, Any]]) -> str:
        truth, motion = [row["truth"] for row in rows], [row["motion"] for row in rows]
        motion = [row for row in motion if row["output"]]
        things = sum(len(row["output"]) for row in motion)
        self.scores[what] = {**summary(truth), **motion_summary(motion)}
        title = f"{what.capitalize()}, {how}, n = {len(rows)}"
        return (
            f"{table(title, truth)}\n{motion_table(f'The same: motion of {things} things', motion)}"
        )

    def _existing(self, seed: int, rng: random.Random) -> dict[str, Any]:
        from concept_attention.nodes.capture import make_run
        from concept_attention.pocket.clips import clip
        from concept_attention.pocket.prompts import prompt_of

        drawn = clip(seed)
        prompt = prompt_of(random.Random(seed), drawn)
        names = [*drawn.things, drawn.ground, drawn.sky]
        frames = torch.from_numpy(drawn.frames).float() / 255
        latent = self.model.model.process_latent_in(self.vae.encode(frames)).float()
        noise = torch.randn(latent.shape, generator=torch.Generator().manual_seed(seed))
        sigma = torch.tensor([self.arguments.noise / (1 - self.arguments.noise)])
        noisy = (latent + sigma * noise) / (sigma.square() + 1).sqrt()
        concepts = self._concepts(names, drawn.things, rng)
        context = self.clip.encode_from_tokens(self.clip.tokenize(prompt))
        with self._collecting(names) as collector:
            run = make_run(self.model, concepts, "all", "all", 1024, None)
            run._observe = collector.observe
            run.begin(noisy.shape, [float(sigma), 0.0], [{"uuid": 0}])
            wrappers = {kind: {"bench": [wrapper]} for kind, wrapper in run.wrappers.items()}
            options = {"wrappers": wrappers, "uuids": [0]}
            forward = partial(
                self.model.model.apply_model, c_crossattn=context, transformer_options=options
            )
            run.predict_noise(forward, noisy, sigma)
        labels = torch.from_numpy(drawn.labels).long()
        return self._judge(collector, latent.shape, names, labels, seed)

    def _generated(self, seed: int, rng: random.Random, reader: Any) -> dict[str, Any]:
        from concept_attention.pocket.clips import clip
        from concept_attention.pocket.prompts import prompt_of
        from concept_attention.pocket.things import THINGS

        drawn = clip(seed)
        prompt = prompt_of(random.Random(seed), drawn)
        said = prompt.replace(",", " ").replace("beach", "sand").split()
        names = [name for name in (*drawn.things, drawn.ground, drawn.sky) if name in said]
        concepts = self._concepts(names, drawn.things, rng)
        shape = (1, 16, 1 + len(drawn.frames) // 4, *(n // 8 for n in drawn.labels.shape[1:]))
        with self._collecting(names) as collector:
            sampled = truth_maps.sampled(
                self.model,
                self.clip,
                prompt,
                concepts,
                torch.zeros(shape),
                collector,
                seed=seed,
                steps=self.arguments.steps,
                cfg=self.arguments.cfg,
            )
        frames = (self.vae.decode(sampled)[0].clamp(0, 1) * 255).round().to(torch.uint8)
        self._keep(seed, frames, prompt)
        labels, seen = reader.labels(frames), reader.blocks(frames)
        result = self._judge(collector, shape, names, labels, seed)
        result["found"] = [there(seen[:, list(THINGS).index(name)]) for name in drawn.things]
        return result

    def _collecting(self, names: Sequence[str]) -> Any:
        return truth_maps.collecting(self.transformer, self.layers, len(names) + 1, self.unit)

    def _concepts(self, names: Sequence[str], things: Sequence[str], rng: random.Random) -> Any:
        """Single-word concepts: what is there, one thing that is not, and the background."""
        from concept_attention.core.concepts import DEFAULT_BACKGROUND
        from concept_attention.nodes.encode import encode_concepts
        from concept_attention.pocket.clips import MOVES

        absent = rng.choice([thing for thing in MOVES if thing not in things])
        return encode_concepts(self.clip, [*names, absent], [DEFAULT_BACKGROUND])

    def _judge(
        self, collector: Any, shape: Sequence[int], names: Sequence[str], labels: Tensor, seed: int
    ) -> dict[str, Any]:
        """Figures of one clip: mean over the frames, and the motion of every thing."""
        from concept_attention.core.frames import spans, to_frames
        from concept_attention.pocket.clips import MOVES
        from concept_attention.pocket.world import LABELS

        maps = collector.maps((shape[2], shape[3] // 2, shape[4] // 2))
        size = (len(names) + 2, *maps["output"].shape[1:])
        maps["chance"] = torch.rand(size, generator=self.random).softmax(0)[:-1]
        frames = {
            kind: to_frames(heat, spans(shape[2], shape[2], 4), "video")
            for kind, heat in maps.items()
        }
        wanted = torch.tensor([LABELS.index(name) for name in names])
        truth = labels[None] == wanted[:, None, None, None]
        is_thing = [name in MOVES for name in names]
        moving = [i for i, thing in enumerate(is_thing) if thing and truth[i].any(-1).any(-1).all()]
        other = self._other_way(seed)
        return {
            "truth": {kind: over_frames(heat, truth, is_thing) for kind, heat in frames.items()},
            "motion": {
                kind: [follow(centres(heat[i]) * TOKEN, way(truth[i]), other) for i in moving]
                for kind, heat in maps.items()
            },
        }

    def _other_way(self, seed: int) -> Tensor:
        """The way of a thing in another clip."""
        from concept_attention.pocket.clips import clip
        from concept_attention.pocket.world import LABELS

        drawn = clip(seed + 5 * 10**5)
        return way(torch.from_numpy(drawn.labels == LABELS.index(drawn.things[0])))

    def _check_reader(self, reader: Any) -> str:
        """How well the reader knows clips whose labels are known."""
        from concept_attention.pocket.clips import MOVES, clip
        from concept_attention.pocket.things import THINGS

        right, seen, truth = [], [], []
        for i in range(50):
            drawn = clip(FIRST_SEED + 2 * 10**6 + i)
            frames, labels = torch.from_numpy(drawn.frames), torch.from_numpy(drawn.labels)
            right.append((reader.labels(frames) == labels).float().mean())
            blocks = reader.blocks(frames)
            seen.append([there(blocks[:, list(THINGS).index(name)]) for name in MOVES])
            truth.append([name in drawn.things for name in MOVES])
        found, wanted = torch.tensor(seen), torch.tensor(truth)
        recall, false = found[wanted].float().mean(), found[~wanted].float().mean()
        pixels = torch.stack(right).mean()
        return (
            f"(The reader of frames, on {len(right)} drawn clips: {pixels:.1%} of the pixels "
            f"right, {recall:.1%} of the things found, {false:.1%} of the absent ones seen.)"
        )

    def _keep(self, seed: int, frames: Tensor, prompt: str) -> None:
        folder = self.arguments.pictures
        if folder is not None:
            from PIL import Image

            folder.mkdir(parents=True, exist_ok=True)
            strip = torch.cat(tuple(frames[::3]), 1)
            Image.fromarray(strip.numpy()).save(folder / f"{seed}-{prompt.replace(' ', '_')}.png")


def over_frames(heat: Tensor, truth: Tensor, is_thing: Sequence[bool]) -> dict[str, Any]:
    """Figures of a clip: heat [C + 1, F, h, w], truth [C, F, H, W]; means over the frames, and the
    highest peaks.
    """
    figures = [judge(heat[:, frame], truth[:, frame], is_thing) for frame in range(truth.shape[1])]
    mean = {name: sum(one[name] for one in figures) / len(figures) for name in METRICS}
    peaks = [max(own) for own in zip(*(one["present"] for one in figures), strict=True)]
    return {**mean, "present": peaks, "absent": max(one["absent"] for one in figures)}


def way(seen: Tensor) -> Tensor:
    """Centre (row, column) of a thing in every latent frame [T, 2], of bool [4 T - 3, H, W]."""
    whole = centres(seen.float())
    groups = [whole[:1], *whole[1:].split(GROUP)]
    return torch.stack([group.mean(0) for group in groups])


def there(blocks: Tensor) -> bool:
    """Whether a thing is in a clip: it takes enough 8 x 8 blocks in at least half of the frames."""
    return bool((blocks >= LEAST_BLOCKS).float().mean() >= 0.5)
