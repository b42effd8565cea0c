"""Train the pocket model: `make pocket`, or `python pocket/train.py --comfyui DIR --minutes 98`.

The transformer and its text encoder are trained together by rectified flow on the picture book;
nothing but the pictures and prompts is ever shown to them. Interrupted training goes on where it
stopped.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import os
import random
import sys
import time
from pathlib import Path

import torch
from torch import Tensor, nn

ROOT = Path(__file__).resolve().parent.parent
# Appended, not inserted: the host's nodes.py must not be hidden by the pack's nodes folder.
sys.path.append(str(ROOT))

RATE = 1.2e-3
STAGES = ((0.0, 128), (0.6, 256))  # from this share of the time on, pictures of this size
FLUX = {
    "in_channels": 16,
    "out_channels": 16,
    "vec_in_dim": None,
    "context_in_dim": 128,
    "hidden_size": 256,
    "mlp_ratio": 4.0,
    "num_heads": 2,
    "depth": 5,
    "depth_single_blocks": 1,
    "axes_dim": [16, 56, 56],
    "theta": 10000,
    "patch_size": 2,
    "qkv_bias": True,
    "guidance_embed": False,
    "txt_ids_dims": [],
}


def build_flux() -> nn.Module:
    """The host's Flux class, freshly initialised: gates and the last layer at zero."""
    import comfy.ops
    from comfy.ldm.flux.model import Flux

    model = Flux(
        dtype=torch.float32, device="cpu", operations=comfy.ops.disable_weight_init, **FLUX
    )
    for name, weight in model.named_parameters():
        if name.endswith("_norm.weight"):
            weight.data.fill_(1.0)
        elif weight.ndim < 2 or "mod" in name or name.startswith("final_layer"):
            weight.data.zero_()
        else:
            nn.init.xavier_uniform_(weight.data)
    return model


class Pocket(nn.Module):
    """Text encoder and transformer, trained as one."""

    def __init__(self, rows: int):
        from pocket import text

        super().__init__()
        self.text, self.flux = text.build(rows), build_flux()

    def forward(self, latents: Tensor, times: Tensor, rows: Tensor) -> Tensor:
        """Velocity [B, N, 64] of noisy latents [B, 16, H, W], times [B], token rows [B, T]."""
        from pocket import fast

        context = self.text(rows, None)[0]
        height, width = latents.shape[2] // 2, latents.shape[3] // 2
        ids = torch.zeros(height, width, 3, device=latents.device)
        ids[..., 1] = torch.arange(height, device=latents.device)[:, None]
        ids[..., 2] = torch.arange(width, device=latents.device)
        return fast.forward(self.flux, to_tokens(latents), context, times, ids.reshape(1, -1, 3))


def to_tokens(latents: Tensor) -> Tensor:
    """[B, C, H, W] -> [B, H / 2 * W / 2, 4 C], in the host's order."""
    b, c, h, w = latents.shape
    return latents.view(b, c, h // 2, 2, w // 2, 2).permute(0, 2, 4, 1, 3, 5).reshape(b, -1, 4 * c)


def noise_levels(count: int) -> Tensor:
    """Times in 0..1: mostly logit-normal towards noise, where the text is needed, some uniform."""
    normal = torch.sigmoid(torch.randn(count) * 1.1 + 0.9)
    return torch.where(torch.rand(count) < 0.3, torch.rand(count), normal).clamp(1e-3, 1.0)


def flow_loss(model: Pocket, latents: Tensor, weight: Tensor, rows: Tensor) -> Tensor:
    """Rectified flow: predict noise minus picture; the squares are weighted by `weight`."""
    noise = torch.randn_like(latents)
    times = noise_levels(len(latents)).to(latents.device)
    t = times[:, None, None, None]
    velocity = model((1 - t) * latents + t * noise, times, rows).float()
    weight = to_tokens(weight / weight.mean())
    return (weight * (velocity - to_tokens(noise - latents)).square()).mean()


class Training:
    """Model, averaged weights, optimiser and clock of one training, with checkpoints."""

    def __init__(self, arguments: argparse.Namespace):
        from pocket import latents, text

        self.path = arguments.cache / "transformer.pt"
        self.seconds, self.device = arguments.minutes * 60, arguments.device
        self.vocabulary = text.vocabulary()
        torch.manual_seed(0)
        self.model = Pocket(len(self.vocabulary)).to(self.device)
        self.average = {k: v.detach().clone() for k, v in self.model.state_dict().items()}
        decayed = [p for p in self.model.parameters() if p.ndim > 1]
        others = [p for p in self.model.parameters() if p.ndim < 2]
        groups = [
            {"params": decayed, "weight_decay": 0.01},
            {"params": others, "weight_decay": 0.0},
        ]
        self.optimiser = torch.optim.AdamW(groups, RATE, betas=(0.9, 0.98), fused=True)
        self.step, self.spent, self.pictures = 0, 0.0, 0
        if self.path.exists():
            self.resume()
        else:
            self.projection, self.mean = latents.fit(range(10**8, 10**8 + 400))

    def resume(self) -> None:
        """Take up the checkpoint."""
        saved = torch.load(self.path, map_location=self.device, weights_only=True)
        self.model.load_state_dict(saved["model"])
        self.optimiser.load_state_dict(saved["optimiser"])
        self.average, self.projection, self.mean = (
            saved["average"],
            saved["projection"],
            saved["mean"],
        )
        self.step, self.spent, self.pictures = saved["step"], saved["spent"], saved["pictures"]
        torch.manual_seed(self.step)

    def save(self) -> None:
        """Write the checkpoint, whole or not at all."""
        names = ("average", "projection", "mean", "step", "spent", "pictures", "vocabulary")
        state = {name: getattr(self, name) for name in names}
        state |= {"model": self.model.state_dict(), "optimiser": self.optimiser.state_dict()}
        part = self.path.with_suffix(".part")
        torch.save(state, part)
        part.replace(self.path)

    @property
    def progress(self) -> float:
        """Share of the planned time that is spent."""
        return min(1.0, self.spent / self.seconds)

    def size(self) -> int:
        """Picture size of this part of the training."""
        return [size for start, size in STAGES if self.progress >= start][-1]

    def advance(self, pictures: Tensor, share: Tensor, rows: Tensor) -> float:
        """One optimiser step."""
        from pocket import latents

        rate = RATE * min(1.0, self.step / 400) * math.sqrt(1 - self.progress)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        batch = latents.encode(pictures, self.projection, self.mean).to(self.device)
        with torch.autocast(torch.device(self.device).type, torch.bfloat16):
            weight = self.weight(share).to(self.device)
            loss = flow_loss(self.model, batch, weight, rows.to(self.device))
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self.optimiser.zero_grad()
        self.step, self.pictures = self.step + 1, self.pictures + len(pictures)
        keep = min(0.995, self.step / (self.step + 50))
        weights = self.model.state_dict()
        names = list(weights)
        torch._foreach_lerp_(
            [self.average[n] for n in names], [weights[n] for n in names], 1 - keep
        )
        return loss.item()

    def weight(self, share: Tensor) -> Tensor:
        """Weight of every latent number [B, 16, H, W] given the share of things in each block.

        Things weigh up to seven times as much as grounds at first, so that they are learned at all;
        that makes them too large in doubt, so it fades to nothing. Strong channels weigh more than
        weak ones.
        """
        things = 1 + 6 * (1 - self.progress) ** 1.5 * share[:, None]
        return things / self.projection.norm(dim=1)[:, None, None]

    def run(self) -> None:
        """Train until the planned time is spent."""
        size = multiprocessing.Value("i", self.size())
        from pocket.batches import Batches

        batches = Batches(self.vocabulary, self.pictures, size)
        loader = iter(
            torch.utils.data.DataLoader(batches, batch_size=None, num_workers=1, prefetch_factor=4)
        )
        clock, saved, losses = time.monotonic(), time.monotonic(), []
        while self.progress < 1:
            size.value = self.size()
            losses.append(self.advance(*next(loader)))
            now = time.monotonic()
            self.spent, clock = self.spent + now - clock, now
            if self.step % 50 == 0:
                print(self.report(losses), flush=True)
                losses = []
            if now - saved > 120:
                self.save()
                saved = now
        self.save()

    def report(self, losses: list[float]) -> str:
        """One line of progress."""
        mean = sum(losses) / len(losses)
        return (
            f"{self.progress:6.1%}  {self.spent / 60:5.1f} min  step {self.step}  "
            f"{self.pictures} pictures  {self.size()} px  loss {mean:.4f}"
        )


def export(cache: Path, path: Path) -> None:
    """Write the product's file from the checkpoints of transformer and decoder."""
    from pocket import checkpoint
    from pocket.batches import batch_size

    saved = torch.load(cache / "transformer.pt", map_location="cpu", weights_only=True)
    decoder = torch.load(cache / "decoder.pt", map_location="cpu", weights_only=True)
    latent = (saved["projection"].cpu(), saved["mean"].cpu())
    tensors = checkpoint.shrink(saved["average"], decoder, saved["vocabulary"], *latent)
    summary = {
        "pictures": saved["pictures"],
        "steps": saved["step"],
        "batch": [batch_size(size) for _, size in STAGES],
        "minutes": round(saved["spent"] / 60, 1),
        "optimiser": f"AdamW {RATE}, warm-up, square root to zero, averaged weights",
        "objective": "rectified flow, prompts dropped 10 %, things weighted 7 : 1 at first",
        "picture_sizes": [size for _, size in STAGES],
    }
    checkpoint.write(path, tensors, checkpoint.describe(summary))
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")


def prepare_host(folder: Path) -> None:
    """Put ComfyUI on the import path, on the CPU where there is no GPU, with blocks that can be
    trained.
    """
    sys.path.insert(0, str(folder))
    sys.argv = [sys.argv[0], *([] if torch.cuda.is_available() else ["--cpu"])]
    import comfy.options

    comfy.options.enable_args_parsing()
    from pocket import fast

    fast.double = torch.compile(fast.double, dynamic=False)
    fast.single = torch.compile(fast.single, dynamic=False)


def main() -> None:
    """Parse the command line and train."""
    host, home = os.environ.get("COMFYUI_DIR") or None, os.environ.get("XDG_CACHE_HOME", "")
    cache = Path(home if Path(home).is_absolute() else Path.home() / ".cache")
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--comfyui", type=Path, default=host, required=host is None, help="folder of ComfyUI")
    add("--cache", type=Path, default=cache / "concept-attention" / "pocket", help="checkpoints")
    add("--minutes", type=float, default=98, help="the learning rate runs out by then")
    add("--decoder-minutes", type=float, default=9, help="for the VAE's decoder, after it")
    add("--out", type=Path, help="file to write (default: pocket-flux.safetensors in the cache)")
    arguments = parser.parse_args()
    arguments.cache.mkdir(parents=True, exist_ok=True)
    arguments.device = "cuda" if torch.cuda.is_available() else "cpu"
    random.seed(0)
    prepare_host(arguments.comfyui)
    from pocket import vae

    training = Training(arguments)
    training.run()
    path = arguments.cache / "decoder.pt"
    latent = (training.projection, training.mean)
    minutes, device = arguments.decoder_minutes, arguments.device
    vae.train_decoder(path, *latent, minutes, device, lambda line: print(line, flush=True))
    export(arguments.cache, arguments.out or arguments.cache / "pocket-flux.safetensors")


if __name__ == "__main__":
    main()
