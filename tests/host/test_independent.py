"""Scores of the families beyond the paper, against their forward written out in plain maths."""

from dataclasses import replace

import pytest

from concept_attention.core.families import chroma, qwen_image
from concept_attention.core.families.double import DoubleStream
from concept_attention.core.run import CaptureRun
from concept_attention.core.types import Concepts
from concept_attention.nodes.capture import attach_to_model

from .independent import chroma as plain_chroma
from .independent import qwen_image as plain_qwen_image
from .models import TINY, concepts, error, inputs, latent, model, plain, weights_of

LIMIT = 1e-4  # of the largest magnitude
PLAIN = {"chroma": plain_chroma.vectors, "qwen": plain_qwen_image.vectors}


def placed(family):
    """Concepts that stand at different places."""
    named = concepts(family)
    items = [replace(item, indices=(2 * i + 1,), length=9) for i, item in enumerate(named.items)]
    return Concepts(tuple(items), named.encoder)


def errors(family):
    """The worst error of scores, of scores minus their mean over concepts, and of either vector.

    One run of the host with capture, of a batch of two pictures with an odd side; what its first
    evaluation was given is what the plain forward is given.
    """
    patcher, named, seen, given = model(family), placed(family), [], []
    run = CaptureRun(
        patcher.get_model_object("diffusion_model"),
        named,
        observe=lambda layer, *pair: seen.append([x.double() for x in pair]),
    )

    def keep(executor, x, time, context, *args, **kwargs):
        given.append([tensor.double() for tensor in (x, time, context)])
        return executor(x, time, context, *args, **kwargs)

    attached = attach_to_model(patcher, run)
    attached.add_wrapper_with_key("diffusion_model", "keep", keep)
    image = latent(family, 2, size=(2, 3))
    image["samples"] = image["samples"][..., :-1]
    plain(attached, **inputs(family, steps=1, latent_image=image))
    weights = {name: tensor.double() for name, tensor in weights_of(family).items()}
    places = [index for index, _ in named.places]
    expected = PLAIN[family](weights, *given[0], named.tokens.double(), places)
    assert len(expected) == len(seen) == TINY[family].layers
    worst = dict.fromkeys(("scores", "centred", "concepts", "image"), 0.0)
    for layer, (own, image_out) in enumerate(expected):
        scores = own @ image_out.mT
        found = run.capture().scores[:, 0, layer]
        pairs = {
            "scores": (found, scores),
            "centred": (found - found.mean(1, True), scores - scores.mean(1, True)),
            "concepts": (seen[layer][0], own),
            "image": (seen[layer][1], image_out),
        }
        worst = {name: max(worst[name], error(*pair)) for name, pair in pairs.items()}
    return worst


@pytest.mark.parametrize("family", PLAIN)
def test_every_layer_agrees_with_the_plain_forward(family):
    assert max(errors(family).values()) < LIMIT


def _no_carry(self, layer, concept_out):
    pass


def _image_side(self, layer, given, rows):
    return given["vec"][0]


def _unmodulated_attention(original):
    def project(self, layer, given, rows):
        return original(self, layer, {**given, "vec": given["vec"] * 0}, rows)

    return project


MISTAKES = {
    "chroma, no carry": ("chroma", DoubleStream, "advance", _no_carry),
    "chroma, the image's modulation": ("chroma", chroma.ChromaStream, "modulation", _image_side),
    "qwen, no carry": ("qwen", qwen_image.QwenImageStream, "advance", _no_carry),
    "qwen, no position": ("qwen", qwen_image, "rotate", lambda x, angles: x),
    "qwen, no time": (
        "qwen",
        qwen_image.QwenImageStream,
        "project",
        _unmodulated_attention(qwen_image.QwenImageStream.project),
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_comparison_notices_a_mistake(mistake, monkeypatch):
    family, *patch = MISTAKES[mistake]
    monkeypatch.setattr(*patch)
    worst = errors(family)
    assert min(worst["scores"], worst["centred"], worst["concepts"]) > 100 * LIMIT
    assert worst["image"] < LIMIT
