"""Scores of models beyond the paper are those of the method written out in plain tensor maths.

Within 1e-4 of the largest magnitude in every layer, also centred over the concepts.
"""

from types import SimpleNamespace

import comfy.model_detection
import pytest
import torch

import bench_evaluate
import bench_models

from .independent import hunyuan_video, lumina2
from .models import TINY, concepts, error, model, seeded, weights_of

LIMIT = 1e-4


def _captured(family, latent, text, time, **extra):
    """The host's output and our scores [layers, C, N] for one picture."""
    given = SimpleNamespace(x=latent[None], t=torch.tensor([time]), context=text[None], extra=extra)
    diffusion_model = model(family).model.diffusion_model
    with torch.inference_mode():
        out, capture = bench_evaluate.captured(diffusion_model, given, concepts(family), 1)
    return out[0], capture.scores[0, 0]


def _errors(found, expected):
    """The worst layer's error of the scores, and of the scores centred over the concepts."""
    pairs = [(found, expected), (found - found.mean(1, True), expected - expected.mean(1, True))]
    return max(error(*layer) for pair in pairs for layer in zip(*pair, strict=True))


def _sizes(family):
    return {**bench_models.SIZES[TINY[family].arch].params, **TINY[family].extra}


def _lumina(family):
    """Capture and plain maths of a 4 x 6 grid and 7 words; the latter with other places, or none
    of it carried over."""
    latent, text = seeded(16, 8, 12, seed=5), seeded(7, 48, seed=6)
    items = concepts(family)
    plain = lumina2.Model(weights_of(family), _sizes(family))
    # The text is 7 or, filled up, 32 long; a concept's own 512.
    length = 7 if family == "lumina2" else 32
    places = [index + 1 + length - 512 for index, _ in items.places]

    def compute(places=places, **mistakes):
        return plain.run(latent, 0.4, text, items.tokens, places, **mistakes)

    return _captured(family, latent, text, 0.4, num_tokens=7), compute


@pytest.mark.parametrize("family", ["lumina2", "zimage"])
def test_lumina_2_and_z_image(family):
    (out, scores), compute = _lumina(family)
    expected_out, expected = compute()
    assert error(out, expected_out) < LIMIT
    assert scores.shape == expected.shape == (3, 3, 24)
    assert _errors(scores, expected) < LIMIT


@pytest.mark.parametrize("family", ["lumina2", "zimage"])
@pytest.mark.parametrize("mistake", [{"carry": False}, {"places": [5, 6, 7]}], ids=str)
def test_lumina_2_and_z_image_without_the_carry_or_elsewhere_are_told_apart(family, mistake):
    (_, scores), compute = _lumina(family)
    assert _errors(scores, compute(**mistake)[1]) > 100 * LIMIT


def _hunyuan(family):
    """Capture and plain maths of a 2 x 3 x 5 grid and 7 words, the last two padding."""
    channels = 65 if family == "hunyuan15" else 16  # with those of a first frame
    side = TINY[family].patch
    latent, text = seeded(channels, 2, 3 * side, 5 * side, seed=5), seeded(7, 48, seed=6)
    mask = torch.tensor([[1, 1, 1, 1, 1, 0, 0]])
    extra = {"attention_mask": mask}
    more = {}
    if family == "hunyuan":
        more = {"pooled": seeded(32, seed=8), "guidance": 6.0}
        extra |= {"y": more["pooled"][None], "guidance": torch.tensor([6.0])}
    plain = hunyuan_video.Model(weights_of(family), _sizes(family))

    def compute(**mistakes):
        return plain.run(latent, 400.0, text, concepts(family).tokens, 5, **more, **mistakes)

    return _captured(family, latent, text, 400.0, **extra)[1], compute


@pytest.mark.parametrize("family", ["hunyuan", "hunyuan15"])
def test_hunyuan_video(family):
    scores, compute = _hunyuan(family)
    expected = compute()
    assert scores.shape == expected.shape == (3, 3, 30)
    assert _errors(scores, expected) < LIMIT


@pytest.mark.parametrize(
    ("family", "mistake"),
    [
        ("hunyuan", {"carry": False}),
        ("hunyuan15", {"carry": False}),
        ("hunyuan", {"together": True}),
        ("hunyuan15", {"together": True}),
        ("hunyuan", {"own_pooled": True}),
    ],
    ids=str,
)
def test_hunyuan_video_s_scores_by_another_reading_are_told_apart(family, mistake):
    scores, compute = _hunyuan(family)
    assert _errors(scores, compute(**mistake)) > 100 * LIMIT


@pytest.mark.parametrize("name", ["lumina2", "zimage", "hunyuan", "hunyuan15"])
def test_the_host_detects_the_sizes_that_the_models_here_are_told(name):
    size = bench_models.SIZES[name]
    weights = bench_models.build(size, "meta").state_dict()
    found = comfy.model_detection.detect_unet_config(weights, "")
    assert {key: found.get(key) for key in size.params} == size.params
