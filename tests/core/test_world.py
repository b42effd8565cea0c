"""The picture book: scenes with exact label maps, prompts that fit them, and its reader."""

import random

import numpy as np
import pytest
import torch

from concept_attention.pocket import measure
from concept_attention.pocket.prompts import (
    BACKGROUND,
    CONCEPTS,
    SYNONYMS,
    WORDS,
    example,
    prompt_of,
)
from concept_attention.pocket.things import THINGS
from concept_attention.pocket.world import FIRST_THING, GROUNDS, LABELS, SKIES, scene

SEEDS = range(40)


def area(labels, name):
    return int((labels == LABELS.index(name)).sum())


@pytest.mark.parametrize("size", [128, 192, 256])
def test_a_scene_has_the_size_asked_for(size):
    drawn = scene(3, size)
    assert drawn.picture.shape == (size, size, 3)
    assert drawn.labels.shape == (size, size)
    assert drawn.picture.dtype == drawn.labels.dtype == np.uint8


def test_a_scene_is_a_function_of_its_seed():
    first, again, other = scene(7), scene(7), scene(8)
    assert np.array_equal(first.picture, again.picture)
    assert np.array_equal(first.labels, again.labels)
    assert not np.array_equal(first.picture, other.picture)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_label_map_holds_what_the_scene_says_and_nothing_else(seed):
    drawn = scene(seed)
    assert 1 <= len(drawn.things) <= 4
    assert len(set(drawn.things)) == len(drawn.things)
    assert {LABELS[i] for i in np.unique(drawn.labels)} == {drawn.sky, drawn.ground, *drawn.things}


@pytest.mark.parametrize("seed", SEEDS)
def test_no_thing_is_lost_behind_another(seed):
    drawn = scene(seed)
    assert all(area(drawn.labels, name) > 600 for name in drawn.things)


@pytest.mark.parametrize("name", THINGS)
def test_the_labels_of_a_thing_are_exactly_the_pixels_that_it_changed(name):
    """The same scene without the thing differs where the thing is, and at its soft edge only."""
    with_it = scene(5, things=(name,), sky="night", ground="snow")
    inside = with_it.labels == LABELS.index(name)
    spread = np.zeros_like(inside)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            spread |= np.roll(inside, (dy, dx), (0, 1))
    far = with_it.picture[~spread]
    # Far from the thing there are only the greys and blues of night and snow.
    red, green, blue = (far[:, i].astype(int) for i in range(3))
    assert ((blue >= red - 25) & (blue >= green - 25)).all()
    assert inside.sum() > 1000


def test_skies_and_grounds_have_masks_of_their_own():
    drawn = scene(11, things=(), sky="sunset", ground="sea")
    sky = drawn.labels == LABELS.index("sunset")
    rows = sky.all(1)
    assert sky.any()
    assert (rows == sky.any(1)).all()
    assert (np.diff(rows.astype(int)) <= 0).all()
    assert np.array_equal(drawn.labels == LABELS.index("sea"), ~sky)


def test_things_share_colours():
    """No colour tells the thing: the commonest colours of many things are those of another."""
    reds = {}
    for name in ("house", "car", "flower", "mushroom", "balloon", "boat"):
        for seed in range(12):
            drawn = scene(seed, things=(name,), sky="sky", ground="grass")
            pixels = drawn.picture[drawn.labels == LABELS.index(name)].astype(int)
            red = (pixels[:, 0] > 150) & (pixels[:, 1] < 90) & (pixels[:, 2] < 90)
            reds[name] = max(reds.get(name, 0), red.mean())
    assert all(share > 0.15 for share in reds.values()), reds


@pytest.mark.parametrize("seed", SEEDS)
def test_a_prompt_is_made_of_known_words_and_names_every_thing(seed):
    drawn = scene(seed)
    words = prompt_of(random.Random(seed), drawn).replace(",", " ").split()
    assert set(words) <= set(WORDS)
    assert set(drawn.things) <= set(words)
    said = {SYNONYMS.get(word, word) for word in words}
    assert said & {*GROUNDS, *SKIES} <= {drawn.ground, drawn.sky}


def test_every_concept_is_a_prompt_by_itself_too():
    alone = {example(seed, size=128)[1] for seed in range(2500)}
    assert {*CONCEPTS, *SYNONYMS, BACKGROUND} <= alone
    assert "" in alone


def test_the_reader_tells_what_is_where_in_pictures_that_it_never_saw():
    reader = measure.Reader.load()
    drawn = [scene(seed) for seed in range(24)]
    pictures = torch.stack([torch.from_numpy(d.picture) for d in drawn])
    labels = torch.stack([torch.from_numpy(d.labels) for d in drawn])
    read = reader.labels(pictures)
    assert read.shape == labels.shape
    assert (read == labels).float().mean() > 0.96
    assert len(THINGS) == len(LABELS) - FIRST_THING
    truth = torch.tensor([[name in d.things for name in THINGS] for d in drawn])
    assert (reader.present(pictures) == truth).float().mean() > 0.97


def test_a_reader_learns_from_scenes():
    """Sixteen scenes and a few steps are enough to tell skies from grounds."""
    reader = measure.train(range(16), steps=40, batch=4)
    drawn = scene(99, things=(), sky="night", ground="snow")
    read = reader.labels(torch.from_numpy(drawn.picture)[None])[0]
    assert (read.numpy() == drawn.labels).mean() > 0.6
