"""Heatmap to Masks inside the host, and its masks in the host's own inpainting."""

import nodes
import pytest
import torch

from concept_attention.core import labels
from concept_attention.core.errors import ConceptAttentionError
from concept_attention.core.hues import hues
from concept_attention.core.types import Heatmaps
from concept_attention.nodes.decode import HeatmapDecode
from concept_attention.nodes.masks import HeatmapToMasks

from .models import capture_of

NAMES = ("dragon", "rock", "sky")


def make(items=1, frames=1, height=40, width=56, names=NAMES):
    """Smooth heatmaps that, with a background, share every pixel."""
    generator = torch.Generator().manual_seed(0)
    count = len(names) + 1
    coarse = 4 * torch.rand(count * items * frames, 1, 4, 6, generator=generator)
    fine = torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear")
    shares = fine.view(count, items, frames, height, width).softmax(0)
    return Heatmaps(shares[:-1], names, ((0.0, 1.0),), shares[-1])


def test_masks_of_all_concepts_part_the_picture_between_them():
    heatmaps = make(items=2)
    mask, picture, text = HeatmapToMasks.execute(heatmaps, legend=False).result
    assert mask.shape == (6, 40, 56) and mask.dtype == torch.float32
    assert set(mask.unique().tolist()) == {0.0, 1.0}
    largest = torch.cat((heatmaps.values, heatmaps.background[None])).argmax(0).flatten(0, 1)
    for place in range(3):
        assert torch.equal(mask[2 * place : 2 * place + 2], (largest == place).float())
    assert picture.shape == (2, 40, 56, 3) and picture.dtype == torch.float32
    assert torch.equal(picture[mask[2:4].bool()].unique(dim=0), hues(3)[1:2])
    dark = picture[largest == 3].unique(dim=0)
    assert torch.allclose(dark, torch.tensor([[24.0, 24.0, 27.0]]) / 255)
    assert [line.split(":")[0] for line in text.splitlines()] == list(NAMES)


def test_chosen_concepts_come_in_the_order_asked_for_and_the_picture_shows_all():
    every = HeatmapToMasks.execute(make()).result
    some = HeatmapToMasks.execute(make(), concept="sky, dragon").result
    assert torch.equal(some[0], every[0][[2, 0]])
    assert torch.equal(some[1], every[1])
    together = HeatmapToMasks.execute(make(), concept="sky, dragon", combine="combined")
    assert torch.equal(together.result[0], some[0].amax(0, keepdim=True))
    assert together.result[2].startswith("sky + dragon: ")


def test_an_image_gives_the_size_and_lies_under_the_segmentation():
    image = torch.rand(1, 80, 112, 3)
    mask, picture, _ = HeatmapToMasks.execute(make(), image=image, opacity=0.0, legend=False).result
    assert mask.shape == (3, 80, 112)
    assert torch.equal(picture, image)
    legend = HeatmapToMasks.execute(make(), image=image).result[1]
    assert legend.shape[1] > 80 and legend.shape[2] == 112
    assert (legend[0, :80] - picture[0]).abs().max() > 0.1


def test_every_picture_of_a_batch_has_its_own_segmentation():
    images = torch.rand(3, 40, 56, 3)
    mask, picture, _ = HeatmapToMasks.execute(make(items=3), image=images).result
    assert mask.shape[0] == 9 and picture.shape[0] == 3
    shared, several, _ = HeatmapToMasks.execute(make(), image=images).result
    assert shared.shape[0] == 3 and several.shape[0] == 3
    with pytest.raises(ConceptAttentionError, match="a batch of 3 pictures does not fit"):
        HeatmapToMasks.execute(make(items=2), image=images)


def test_a_video_has_a_mask_for_each_frame():
    heatmaps = HeatmapDecode.execute(capture_of("cog5b")).result[0]
    mask, picture, text = HeatmapToMasks.execute(heatmaps, concept="concept 1").result
    assert mask.shape == (9, 80, 112) and picture.shape[0] == 9
    assert torch.equal(mask[1], mask[4])
    assert " to " in text


def test_the_node_shows_what_the_masks_cover_and_what_numbers_stand_for(monkeypatch):
    monkeypatch.setattr(labels, "font_folders", list)
    made = HeatmapToMasks.execute(make(), method="threshold", threshold=1.0)
    empty = [f"{name}: 0 % (empty)" for name in NAMES]
    assert made.result[2] == "\n".join(empty)
    assert made.ui.as_dict() == {"text": ("\n".join(empty),)}
    assert made.result[0].sum() == 0
    shown = HeatmapToMasks.execute(make(names=("dragon", "岩石", "sky"))).ui.as_dict()
    assert shown["text"][0].endswith("\n#2 = 岩石")


def test_a_concept_alone_is_masked_by_its_shares_and_said_to_have_no_rival():
    alone = Heatmaps(make().values[:1], ("dragon",), ((0.0, 1.0),))
    with pytest.raises(ConceptAttentionError, match="heatmaps: 'dragon' is alone"):
        HeatmapToMasks.execute(alone)
    mask, picture, _ = HeatmapToMasks.execute(alone, method="mean", legend=False).result
    assert 0 < mask.mean() < 1
    assert len(picture.flatten(0, 2).unique(dim=0)) == 1  # nothing is won
    assert HeatmapToMasks.execute(alone, method="mean").result[1].shape[1] > 40


def test_a_bad_input_is_named():
    with pytest.raises(ConceptAttentionError, match=r"'cat' .* It has: dragon, rock, sky"):
        HeatmapToMasks.execute(make(), concept="cat")
    with pytest.raises(ConceptAttentionError, match="fill_holes: the masks of the method soft"):
        HeatmapToMasks.execute(make(), method="soft", fill_holes=True)
    with pytest.raises(ConceptAttentionError, match="opacity: 2 is not between 0 and 1"):
        HeatmapToMasks.execute(make(), opacity=2)


def test_what_does_not_go_together_is_refused_before_anything_runs():
    check = HeatmapToMasks.validate_inputs
    assert check(concept="sky, rock", method="mean", fill_holes=True, smallest_percent=1.0) is True
    assert check(concept=None, method=None, fill_holes=True, smallest_percent=None) is True
    assert "no holes" in check(method="soft", fill_holes=True)
    assert "smallest_percent: the masks" in check(method="soft", smallest_percent=2.0)
    assert "is not one of" in check(method="edges")
    assert "empty entry" in check(concept="sky,,rock")


class HalfVAE:
    """A VAE for the host's node: pixels in blocks of 8, nothing learnt."""

    def spacial_compression_encode(self):
        return 8

    def encode(self, pixels):
        return torch.nn.functional.avg_pool2d(pixels.movedim(-1, 1), 8)


@pytest.mark.parametrize("items", [1, 2])
def test_a_mask_goes_into_the_host_s_inpainting(items):
    cleaning = {"grow": 4, "feather": 2.0}
    mask = HeatmapToMasks.execute(make(items=items), concept="rock", **cleaning).result[0]
    assert mask.shape == (items, 40, 56)
    pixels = torch.rand(items, 40, 56, 3)
    (latent,) = nodes.VAEEncodeForInpaint().encode(HalfVAE(), pixels, mask)
    assert latent["samples"].shape == (items, 3, 5, 7)
    assert latent["noise_mask"].shape == (items, 1, 40, 56)
    assert (latent["noise_mask"] >= mask.round()[:, None]).all()
    samples = {"samples": torch.zeros(items, 16, 5, 7)}
    (masked,) = nodes.SetLatentNoiseMask().set_mask(samples, mask)
    assert torch.equal(masked["noise_mask"], mask[:, None])
