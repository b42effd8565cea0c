"""Measures the pocket models and their heatmaps against exact label maps.

On held-out scenes of the picture book (for the video model clips, see `truth_video`): (a) are the
prompted things in the generated pictures; (b) do the heatmaps follow the label maps, for existing
and for generated pictures; (c) does an absent concept look absent; (d) for the pictures, which
tokens should stand for a concept of several. Prints Markdown tables for BENCHMARKS.md.
"""

import argparse
import json
import os
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from torch import Tensor

import truth_maps
import truth_tokens
from bench_host import MODELS, start_host
from table_cells import cell
from truth_figures import FIRST_SEED, interval, judge, pooled, summary, table
from truth_video import VideoBench

PARTS = ("existing", "generated", "tokens")
COUNTS = {"flux": 200, "sd3": 200, "video": 100}


def main() -> None:
    """Run the parts and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--comfyui", type=Path, default=os.environ.get("COMFYUI_DIR"))
    parser.add_argument("--model", choices=MODELS, help="one model only")
    parser.add_argument(
        "--count", type=int, help="held-out scenes and prompts; 200 for pictures, 100 for clips"
    )
    parser.add_argument(
        "--noise", type=float, default=0.5, help="of existing pictures, of the schedule"
    )
    parser.add_argument("--cfg", type=float, default=3.0)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument(
        "--layers", default="auto", help="of the joint blocks; auto: the pack's own"
    )
    parser.add_argument("--pictures", type=Path, help="folder for the generated pictures")
    parser.add_argument(
        "--record", action="store_true", help="put the scores into the model's file"
    )
    parser.add_argument("--part", choices=PARTS, help="one part only")
    arguments = parser.parse_args()
    start_host(arguments.comfyui)
    asked = arguments.count
    for model in (arguments.model,) if arguments.model else MODELS:
        arguments.count = asked or COUNTS[model]
        with torch.inference_mode():
            bench = VideoBench(arguments) if model == "video" else Bench(arguments, model)
            print(f"### Pocket {MODELS[model]}\n", flush=True)
            for part in (arguments.part,) if arguments.part else bench.parts:
                print(getattr(bench, part)(), flush=True)
        if arguments.record:
            bench.record()


class Bench:
    """A pocket model as loaded by its node, and its scores."""

    parts = PARTS

    def __init__(self, arguments: argparse.Namespace, model: str) -> None:
        from concept_attention.core.defaults import defaults
        from concept_attention.core.families import family_of
        from concept_attention.core.selection import parse
        from concept_attention.nodes.pocket import LoadPocketModel

        self.arguments, self.name = arguments, model
        self.model, self.clip, self.vae = LoadPocketModel.execute(MODELS[model]).args
        self.transformer = self.model.get_model_object("diffusion_model")
        auto, blocks = defaults(model), family_of(self.transformer).blocks(self.transformer)
        text = auto.layers if arguments.layers == "auto" else arguments.layers
        self.layers, self.unit = parse(text, len(blocks), "layers"), auto.unit_concepts
        self.random = torch.Generator().manual_seed(0)
        self.scores: dict[str, Any] = {}

    def existing(self) -> str:
        """Table of heatmaps of existing pictures: noised, one forward."""
        rng = random.Random(0)
        rows = [self._existing(FIRST_SEED + i, rng) for i in range(self.arguments.count)]
        title = f"Existing pictures, noise {self.arguments.noise}, one forward, n = {len(rows)}"
        self.scores["existing pictures"] = summary(rows)
        return table(title, rows)

    def record(self) -> None:
        """Write the scores into the metadata of the pocket model's file."""
        from concept_attention.pocket import checkpoint

        path = checkpoint.FILES[self.name]
        metadata = {**checkpoint.read(self.name).metadata, "scores": json.dumps(self.scores)}
        checkpoint.write(path, checkpoint.tensors(path), metadata)

    def _existing(self, seed: int, rng: random.Random) -> dict[str, Any]:
        from concept_attention.nodes.image import capture_pictures
        from concept_attention.nodes.sources import source_of
        from concept_attention.pocket.prompts import prompt_of
        from concept_attention.pocket.world import scene

        drawn = scene(seed)
        prompt = prompt_of(random.Random(seed), drawn)
        names = [*drawn.things, drawn.ground, drawn.sky]
        picture = torch.from_numpy(drawn.picture)[None].float() / 255
        concepts, absent = self._concepts(names, drawn.things, rng)
        conditioning = self.clip.encode_from_tokens_scheduled(self.clip.tokenize(prompt))
        with self._collecting(names) as collector:
            capture_pictures(
                self.model,
                source_of(self.model, picture, None, self.vae),
                conditioning,
                concepts,
                self.arguments.noise,
                seed=seed,
                memory_mb=1024,
                observe=collector.observe,
            )
        labels = torch.from_numpy(drawn.labels).long()
        return self._judge(collector.maps((16, 16)), names, absent, labels)

    def generated(self) -> str:
        """Tables of generated pictures: things present, heatmaps over all steps."""
        from concept_attention.pocket import measure

        start = time.monotonic()
        reader = measure.Reader.load()
        check = self._check_reader(reader)
        rng = random.Random(1)
        rows = [
            self._generated(FIRST_SEED + 10**6 + i, rng, reader)
            for i in range(self.arguments.count)
        ]
        found = [row["found"] for row in rows]
        share = interval(found, pooled)
        self.scores |= {"things present": round(share[0], 3), "generated pictures": summary(rows)}
        steps, cfg = self.arguments.steps, self.arguments.cfg
        lines = [
            f"Prompted things present in {len(rows)} generated pictures ({steps} steps, cfg "
            f"{cfg}): {cell(*share, '.1%')}. {check}",
            "",
            table(f"Generated pictures, all {steps} steps, n = {len(rows)}", rows),
            f"{time.monotonic() - start:.0f} s",
        ]
        return "\n".join(lines)

    def tokens(self) -> str:
        """Tables of the choices of tokens, on existing pictures; of half as many, each often."""
        count = max(1, self.arguments.count // 2)
        measured = truth_tokens.Tokens(self.model, self.clip, self.vae)
        return measured.tables([FIRST_SEED + i for i in range(count)])

    def _generated(self, seed: int, rng: random.Random, reader: Any) -> dict[str, Any]:
        from concept_attention.pocket.prompts import prompt_of
        from concept_attention.pocket.things import THINGS
        from concept_attention.pocket.world import scene

        drawn = scene(seed)
        prompt = prompt_of(random.Random(seed), drawn)
        said = prompt.replace(",", " ").replace("beach", "sand").split()
        names = [name for name in (*drawn.things, drawn.ground, drawn.sky) if name in said]
        concepts, absent = self._concepts(names, drawn.things, rng)
        with self._collecting(names) as collector:
            sampled = truth_maps.sampled(
                self.model,
                self.clip,
                prompt,
                concepts,
                torch.zeros(1, 16, 32, 32),
                collector,
                seed=seed,
                steps=self.arguments.steps,
                cfg=self.arguments.cfg,
            )
        picture = (self.vae.decode(sampled) * 255).round().to(torch.uint8)
        self._keep(seed, picture, prompt)
        labels = reader.labels(picture)[0]
        present = reader.present(picture)[0]
        result = self._judge(collector.maps((16, 16)), names, absent, labels)
        result["found"] = [bool(present[list(THINGS).index(name)]) for name in drawn.things]
        return result

    def _collecting(self, names: Sequence[str]) -> Any:
        return truth_maps.collecting(self.transformer, self.layers, len(names) + 1, self.unit)

    def _concepts(
        self, names: Sequence[str], things: Sequence[str], rng: random.Random
    ) -> tuple[Any, str]:
        """Single-word concepts: what is there, one thing that is not, and the background."""
        from concept_attention.core.concepts import DEFAULT_BACKGROUND
        from concept_attention.nodes.encode import encode_concepts
        from concept_attention.pocket.things import THINGS

        absent = rng.choice([thing for thing in THINGS if thing not in things])
        return encode_concepts(self.clip, [*names, absent], [DEFAULT_BACKGROUND]), absent

    def _judge(
        self, maps: dict[str, Tensor], names: Sequence[str], absent: str, labels: Tensor
    ) -> dict[str, Any]:
        from concept_attention.pocket.things import THINGS
        from concept_attention.pocket.world import LABELS

        wanted = torch.tensor([LABELS.index(name) for name in names])
        truth = labels[None] == wanted[:, None, None]
        is_thing = [name in THINGS for name in names]
        shape = (len(names) + 2, *maps["output"].shape[1:])
        chance = torch.rand(shape, generator=self.random).softmax(0)[:-1]
        return {
            kind: judge(heat, truth, is_thing) for kind, heat in {**maps, "chance": chance}.items()
        }

    def _check_reader(self, reader: Any) -> str:
        """How well the reader knows scenes whose labels are known."""
        from concept_attention.pocket.things import THINGS
        from concept_attention.pocket.world import scene

        drawn = [scene(FIRST_SEED + 2 * 10**6 + i) for i in range(100)]
        pictures = torch.stack([torch.from_numpy(d.picture) for d in drawn])
        labels = torch.stack([torch.from_numpy(d.labels) for d in drawn])
        truth = torch.tensor([[name in d.things for name in THINGS] for d in drawn])
        seen, pixels = reader.present(pictures), (reader.labels(pictures) == labels).float().mean()
        recall, false = seen[truth].float().mean(), seen[~truth].float().mean()
        return (
            f"(The reader of pictures, on 100 drawn ones: {pixels:.1%} of the pixels right, "
            f"{recall:.1%} of the things found, {false:.1%} of the absent ones seen.)"
        )

    def _keep(self, seed: int, picture: Tensor, prompt: str) -> None:
        folder = self.arguments.pictures
        if folder is not None:
            from PIL import Image

            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture[0].numpy()).save(
                folder / f"{seed}-{prompt.replace(' ', '_')}.png"
            )


if __name__ == "__main__":
    main()
