"""Train a pocket model: `make pocket`, or `python pocket/train.py --comfyui DIR --model sd3`.

The transformer and its text encoder are trained together on the picture book, by two tasks at once:
rectified flow; and to look, in the joint attention, at the image from a word that is right for the
picture, and not to look from a word that is wrong for it. Where to look is never said: label maps
are not shown to them, except that the flow loss weighs things more than grounds. The first part of
the training sees whole pictures at half the resolution. Interrupted training goes on where it
stopped.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from pocket.book import Batch, Book
    from pocket.checkpoint import Parts
    from pocket.kinds import Kind

ROOT = Path(__file__).resolve().parent.parent
# Appended, not inserted: the host's nodes.py must not be hidden by the pack's nodes folder.
sys.path.append(str(ROOT))

MODELS = ("flux", "sd3", "video")
SCENES = 64_000
HALF = 0.5  # share of the time at half resolution, unless the kind says otherwise
BATCH_HALF, BATCH_FULL = 64, 24
MUON_RATE, ADAM_RATE = 2e-3, 1.2e-3
LOOKS_WEIGHT = 0.2  # of the second task's loss
NAMED = 0.16  # share of the batches with one name, and of those with several, in place of prompts


class Pocket(nn.Module):
    """Text encoder and transformer, trained as one."""

    def __init__(self, rows: int, kind: Kind):
        from pocket import text, words

        super().__init__()
        self.kind = kind
        self.text = text.build(rows)
        self.add_module(kind.name, kind.build())
        alone = [words.rows(name, None)[0] for name in words.NAMES]
        self.register_buffer("alone", torch.tensor(alone), persistent=False)

    @property
    def transformer(self) -> nn.Module:
        """The host's model of this kind."""
        return self.get_submodule(self.kind.name)

    def context(self, rows: Tensor, names: Tensor | None) -> Tensor:
        """Text tokens [B, T, width] of prompts, or [B, K, width] of names encoded one by one."""
        if names is None:
            return self.text(rows, None)[0]
        return self.text(self.alone, None)[0][:, 0][names]

    def forward(
        self, latents: Tensor, times: Tensor, context: Tensor, stride: float
    ) -> tuple[Tensor, Tensor]:
        """Velocity [B, N, 64] of noisy latents [B, 16, H, W] at times [B], and the share of each
        text token's attention that goes to the image [layers, B, T]. stride: distance of
        neighbouring tokens at full resolution.
        """
        return self.kind.code.forward(self.transformer, latents, times, context, stride)

    def warm_start(self, parts: Parts, vocabulary: list[int]) -> None:
        """Begin with the text encoder of another pocket model, and with what its transformer has in
        common with this kind.
        """
        rows = parts.text["shared.weight"][vocabulary]
        self.text.load_state_dict({**parts.text, "shared.weight": rows})
        own = self.transformer.state_dict()
        self.transformer.load_state_dict({**own, **self.kind.warm(parts.transformer)})


def noise_levels(true: Tensor) -> Tensor:
    """Times in 0..1: mostly logit-normal towards noise, where the text is needed; uniform up to 0.8
    for pictures whose text has wrong words (`true` is False), where there must be something to see.
    """
    count = len(true)
    normal = torch.sigmoid(torch.randn(count) * 1.1 + 0.9)
    times = torch.where(torch.rand(count) < 0.3, torch.rand(count), normal)
    return torch.where(true, times, 0.8 * torch.rand(count)).clamp(1e-3, 1.0)


def losses(model: Pocket, batch: Batch, strength: float, half: bool) -> tuple[Tensor, Tensor]:
    """Loss of the flow (predict noise minus picture) and of the looks (right words look at the
    image, wrong ones do not).

    strength: how much more a thing weighs than a ground. Texts with wrong words have no part in the
    flow.
    """
    from pocket.fast import to_tokens

    device = model.alone.device
    clean, noise = batch.latents, torch.randn_like(batch.latents)
    times = noise_levels(batch.true)
    # A quarter of the tokens shows the whole picture with half the noise in its average: with this
    # much less noise, a time means the same picture at both resolutions.
    level = times / (times + 2 * (1 - times)) if half else times
    t = level[:, None, None, None]
    names = None if batch.names is None else batch.names.to(device)
    context = model.context(batch.rows.to(device), names)
    velocity, looks = model(
        ((1 - t) * clean + t * noise).to(device), times.to(device), context, 2.0 if half else 1.0
    )
    weight = batch.true[:, None, None, None] * (1 + strength * batch.things[:, None])
    weight = to_tokens((weight / model.flow_scale).expand_as(clean)).to(device)
    error = (velocity.float() - to_tokens(noise - clean).to(device)).square()
    flow = (weight * error).sum() / weight.sum()
    verdicts = batch.verdicts.to(device)
    judged = (verdicts >= 0) & (times.to(device) < 0.9)[:, None]
    look = looks.float()[:, judged].clamp(1e-4, 1 - 1e-4)
    right = verdicts[judged].float().expand_as(look)
    return flow, -(right * look.log() + (1 - right) * (1 - look).log()).mean()


class Training:
    """Model, averaged weights, optimisers and clock of one training, with checkpoints."""

    half = HALF
    scenes, batches = SCENES, (BATCH_HALF, BATCH_FULL)
    latents = ("projection", "mean")  # attributes that define the latents
    objective = "rectified flow"

    def __init__(self, arguments: argparse.Namespace):
        from pocket import checkpoint, text
        from pocket.kinds import KINDS

        self.kind = KINDS[arguments.model]
        self.path = arguments.cache / self.kind.name / "transformer.pt"
        minutes = self.kind.minutes if arguments.minutes is None else arguments.minutes
        self.half = self.kind.half
        self.seconds, self.device = minutes * 60, arguments.device
        self.new_vae = arguments.new_vae
        self.vocabulary = text.vocabulary()
        torch.manual_seed(0)
        self.model = Pocket(len(self.vocabulary), self.kind)
        if self.kind.warm is not None:
            self.model.warm_start(checkpoint.read(), self.vocabulary)
        self.model.to(self.device)
        self.average = {k: v.detach().clone() for k, v in self.model.state_dict().items()}
        self.optimisers = build_optimisers(self.model)
        self.step, self.spent, self.pictures = 0, 0.0, 0
        if self.path.exists():
            self.resume()
        else:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            for name, value in zip(self.latents, self.latent_tensors(), strict=True):
                setattr(self, name, value)
        # Strong channels weigh more than weak ones.
        self.model.flow_scale = self.strengths()

    def latent_tensors(self) -> tuple[Tensor, ...]:
        """What defines the latents: fitted anew, or the pack's own."""
        from pocket import checkpoint, latents

        if self.new_vae:
            return latents.fit(range(10**8, 10**8 + 400))
        return checkpoint.stored_vae()[0]

    def strengths(self) -> Tensor:
        """How much of the pixels is in a channel of the latents: [16, 1, 1]."""
        return self.projection.norm(dim=1)[:, None, None]

    def losses(self, batch: Batch, strength: float, half: bool) -> tuple[Tensor, Tensor]:
        """Losses of the two tasks."""
        return losses(self.model, batch, strength, half)

    def book(self, report: Callable[[str], None], workers: int) -> Book:
        """The training set."""
        from pocket.book import Book

        return Book(range(self.scenes), self.projection, self.mean, report, workers)

    def vae(self, minutes: float) -> dict[str, Tensor]:
        """The VAE as it is stored, its decoder trained for so many minutes where it is new; nothing
        where the file of another pocket model has it.
        """
        from pocket import checkpoint, vae

        if self.kind.name != "flux":
            return {}
        latent = {name: getattr(self, name) for name in self.latents}
        if not self.new_vae:
            return checkpoint.shrink_vae(checkpoint.stored_vae()[1], latent)
        path, say = self.path.with_name("decoder.pt"), partial(print, flush=True)
        decoder = vae.train_decoder(path, *latent.values(), minutes, self.device, say)
        return checkpoint.shrink_vae(decoder.cpu().state_dict(), latent)

    def resume(self) -> None:
        """Take up the checkpoint."""
        saved = torch.load(self.path, map_location=self.device, weights_only=True)
        if saved["new_vae"] != self.new_vae:
            raise SystemExit(
                f"error: {self.path} was trained {'with' if saved['new_vae'] else 'without'} "
                "--new-vae. Say the same, or remove it."
            )
        self.model.load_state_dict(saved["model"])
        for optimiser, state in zip(self.optimisers, saved["optimisers"], strict=True):
            optimiser.load_state_dict(state)
        for name in (*self.latents, "average", "step", "spent", "pictures"):
            setattr(self, name, saved[name])
        for name in self.latents:
            setattr(self, name, saved[name].cpu())
        torch.manual_seed(self.step)

    def save(self) -> None:
        """Write the checkpoint, whole or not at all."""
        names = (*self.latents, "average", "step", "spent", "pictures", "new_vae")
        state = {name: getattr(self, name) for name in names}
        state["model"] = self.model.state_dict()
        state["optimisers"] = [optimiser.state_dict() for optimiser in self.optimisers]
        part = self.path.with_suffix(".part")
        torch.save(state, part)
        part.replace(self.path)

    @property
    def progress(self) -> float:
        """Share of the planned time that is spent."""
        return min(1.0, self.spent / self.seconds)

    def advance(self, book: Book) -> tuple[float, float]:
        """One step of the optimisers."""
        from pocket import fast

        progress = self.progress
        half = progress < self.half
        scale = min(1.0, self.step / 200) * min(1.0, 1.6 * (1 - progress))
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = scale * group["peak"]
        chance = torch.rand(()).item()
        names = 1 if chance < NAMED else 3 if chance < 2 * NAMED else 0
        batch = book.batch(self.batches[0 if half else 1], half, names)
        # Things weigh seven times as much as grounds at first, so that they are learned at all;
        # that makes them too large in doubt, so it fades.
        with fast.bfloat16(self.device):
            flow, looks = self.losses(batch, 1 + 5 * (1 - progress), half)
        (flow + LOOKS_WEIGHT * looks).backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimiser in self.optimisers:
            optimiser.step()
            optimiser.zero_grad()
        self.step, self.pictures = self.step + 1, self.pictures + len(batch.true)
        keep = min(0.998, self.step / (self.step + 50))
        weights = self.model.state_dict()
        names = list(weights)
        torch._foreach_lerp_(
            [self.average[n] for n in names], [weights[n] for n in names], 1 - keep
        )
        return flow.item(), looks.item()

    def run(self) -> None:
        """Train until the planned time is spent."""
        book = self.book(partial(print, flush=True), min(8, torch.get_num_threads()))
        clock, saved, seen = time.monotonic(), time.monotonic(), []
        while self.progress < 1:
            seen.append(self.advance(book))
            now = time.monotonic()
            self.spent, clock = self.spent + now - clock, now
            if self.step % 50 == 0:
                print(self.report(seen), flush=True)
                seen = []
            if now - saved > 120:
                self.save()
                saved = now
        self.save()

    def report(self, seen: list[tuple[float, float]]) -> str:
        """One line of progress."""
        flow, looks = (sum(part) / len(seen) for part in zip(*seen, strict=True))
        return (
            f"{self.progress:6.1%}  {self.spent / 60:5.1f} min  step {self.step}  "
            f"{self.pictures} pictures  flow {flow:.4f}  looks {looks:.4f}"
        )


def build_optimisers(model: Pocket) -> tuple[torch.optim.Optimizer, ...]:
    """Muon for the matrices of the blocks, AdamW for all else."""
    muon, decayed, others = [], [], []
    for name, weight in model.named_parameters():
        if weight.ndim == 2 and "block" in name and "mod" not in name and "bias" not in name:
            muon.append(weight)
        else:
            (decayed if weight.ndim > 1 else others).append(weight)
    groups = [
        {"params": decayed, "weight_decay": 0.01},
        {"params": others, "weight_decay": 0.0},
    ]
    first = torch.optim.Muon(
        muon, MUON_RATE, weight_decay=0.03, ns_steps=4, adjust_lr_fn="match_rms_adamw"
    )
    second = torch.optim.AdamW(groups, ADAM_RATE, betas=(0.9, 0.98), fused=True)
    for optimiser, peak in ((first, MUON_RATE), (second, ADAM_RATE)):
        for group in optimiser.param_groups:
            group["peak"] = peak
    return first, second


def export(training: Training, vae: dict[str, Tensor], path: Path) -> None:
    """Write the product's file: averaged weights, the VAE, and how they were trained.

    vae: its tensors as stored, nothing where another pocket model's is used.
    """
    from pocket import checkpoint

    average = {key: value.cpu() for key, value in training.average.items()}
    tensors = {**checkpoint.shrink(average, training.vocabulary), **vae}
    summary = {
        "pictures": training.pictures,
        "scenes": training.scenes,
        "steps": training.step,
        "batch": training.batches,
        "minutes": round(training.spent / 60, 1),
        "optimiser": f"Muon {MUON_RATE} for the blocks, AdamW {ADAM_RATE} for the rest, warm-up, "
        "linear decay, averaged weights",
        "objective": f"{training.objective}, prompts dropped 10 %, things weighted 7 : 1 at first; "
        f"and looks of right and of wrong words, weight {LOOKS_WEIGHT}",
        "resolution": "half, then full",
        "start": "the pocket Flux's weights where they fit" if training.kind.warm else "random",
    }
    checkpoint.write(path, tensors, checkpoint.describe(summary, training.kind.name))
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")


def prepare_host(folder: Path) -> None:
    """Put ComfyUI on the import path, on the CPU where there is no GPU."""
    sys.path.insert(0, str(folder))
    sys.argv = [sys.argv[0], *([] if torch.cuda.is_available() else ["--cpu"])]
    import comfy.options

    comfy.options.enable_args_parsing()


def compile_blocks(kind: Kind) -> None:
    """Compile the functions that compute a kind's blocks."""
    if not torch.cuda.is_available() and shutil.which(os.environ.get("CXX", "g++")) is None:
        print("There is no C++ compiler (g++): training runs uncompiled, which takes longer.")
        return
    for name in kind.compiled:
        setattr(kind.code, name, torch.compile(getattr(kind.code, name), dynamic=False))


def main() -> None:
    """Parse the command line and train."""
    host, home = os.environ.get("COMFYUI_DIR") or None, os.environ.get("XDG_CACHE_HOME", "")
    cache = Path(home if Path(home).is_absolute() else Path.home() / ".cache")
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--comfyui", type=Path, default=host, required=host is None, help="folder of ComfyUI")
    add("--cache", type=Path, default=cache / "concept-attention" / "pocket", help="checkpoints")
    add("--model", choices=MODELS, default="flux", help="the architecture (default: flux)")
    add("--minutes", type=float, help="until the learning rate is 0 (95; sd3 86, video 93)")
    add("--decoder-minutes", type=float, default=9, help="for the VAE's decoder, after it")
    add("--new-vae", action="store_true", help="fit and train the VAE too, not the pack's own")
    add("--out", type=Path, help="file to write (default: pocket-MODEL.safetensors in the cache)")
    arguments = parser.parse_args()
    if arguments.new_vae and arguments.model == "sd3":
        parser.error("--new-vae goes with --model flux, whose file holds the VAE of both.")
    arguments.device = "cuda" if torch.cuda.is_available() else "cpu"
    random.seed(0)
    prepare_host(arguments.comfyui)
    from pocket.kinds import KINDS
    from pocket.video_train import VideoTraining

    compile_blocks(KINDS[arguments.model])
    training = (VideoTraining if arguments.model == "video" else Training)(arguments)
    done, minutes = training.progress, training.seconds / 60
    print(f"Pocket {training.kind.title}: {done:.0%} of {minutes:.0f} minutes done", flush=True)
    training.run()
    out = arguments.out or arguments.cache / f"pocket-{arguments.model}.safetensors"
    export(training, training.vae(arguments.decoder_minutes), out)


if __name__ == "__main__":
    main()
