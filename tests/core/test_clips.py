"""Clips: moving things, with label maps of every frame."""

import random

import numpy as np
import pytest
import torch
from PIL import Image

from concept_attention.pocket import clips, video_latents
from concept_attention.pocket.things import Pen
from concept_attention.pocket.world import FIRST_THING, LABELS

SEEDS = range(12)


@pytest.fixture(scope="module")
def drawn():
    return [clips.clip(seed) for seed in SEEDS]


def centre(seen):
    rows, columns = np.nonzero(seen)
    return np.array([rows.mean(), columns.mean()])


def test_a_clip_is_a_pure_function_of_its_seed(drawn):
    again = clips.clip(SEEDS[3])
    assert np.array_equal(again.frames, drawn[3].frames)
    assert np.array_equal(again.labels, drawn[3].labels)
    assert not np.array_equal(clips.clip(SEEDS[4]).frames, drawn[3].frames)


def test_shapes_are_those_of_the_model(drawn):
    for clip in drawn:
        assert clip.frames.shape == (13, 128, 160, 3) and clip.frames.dtype == np.uint8
        assert clip.labels.shape == (13, 128, 160) and clip.labels.dtype == np.uint8


def test_every_frame_shows_what_the_clip_says_and_nothing_else(drawn):
    for clip in drawn:
        wanted = {LABELS.index(name) for name in (*clip.things, clip.sky, clip.ground)}
        for labels in clip.labels:
            assert set(np.unique(labels)) == wanted


@pytest.mark.parametrize("name", clips.MOVES)
def test_every_thing_moves_on_a_straight_way_at_constant_speed(name):
    clip = clips.clip(7, things=(name,))
    way = np.stack([centre(labels == LABELS.index(name)) for labels in clip.labels])
    straight = np.linspace(way[0], way[-1], len(way))
    assert np.abs(way - straight).max() < 1
    assert np.linalg.norm(way[-1] - way[0]) > 10


def test_two_things_mostly_come_from_different_sides():
    sides = 0
    for seed in range(20):
        clip = clips.clip(seed, things=("car", "bird"))
        ways = [
            centre(clip.labels[-1] == LABELS.index(name))[1]
            - centre(clip.labels[0] == LABELS.index(name))[1]
            for name in clip.things
        ]
        sides += ways[0] * ways[1] < 0
    assert 10 <= sides < 20


def test_the_ground_stands_still(drawn):
    for clip in drawn:
        things = torch.from_numpy((clip.labels >= FIRST_THING).any(0)).float()[None]
        still = torch.nn.functional.max_pool2d(things, 3, 1, 1)[0].numpy() == 0  # smooth edges
        changed = (clip.frames != clip.frames[:1]).any((0, 3))
        assert changed.mean() > 0.05
        # Tips finer than a pixel colour it and are not in the label map.
        assert (changed & still).sum() < 0.01 * changed.sum()


def test_a_mirrored_thing_faces_the_other_way():
    pictures = []
    for mirrored in (False, True):
        picture, labels = Image.new("RGB", (101, 80)), Image.new("L", (101, 80))
        pen = Pen(picture, labels, random.Random(0))
        pen.place(9, (50, 70), 80, 60, mirrored=mirrored)
        clips.THINGS["bird"][0](pen)
        pictures.append(np.asarray(labels))
    differing = (pictures[0] != pictures[1][:, ::-1]).mean()
    assert differing < 0.02 < (pictures[0] != pictures[1]).mean()


def test_an_example_names_its_things():
    for seed in SEEDS:
        clip, prompt = clips.example(seed)
        words = prompt.replace(",", "").split()
        named = [name for name in clip.things if name in words]
        assert named == list(clip.things) or len(words) <= 2


def test_the_first_frame_is_a_group_of_its_own():
    frames = torch.arange(9)[None]
    assert video_latents.grouped(frames)[0].tolist() == [[0, 0, 0, 0], [1, 2, 3, 4], [5, 6, 7, 8]]


@pytest.mark.parametrize("count", [2, 4, 12])
def test_another_number_of_frames_is_an_error(count):
    with pytest.raises(ValueError, match=f"{count} frames"):
        video_latents.grouped(torch.zeros(1, count, 2))


@pytest.fixture(scope="module")
def latents():
    return video_latents.fit(range(12))


def test_latents_are_their_two_projections_one_after_the_other(latents):
    frames = torch.from_numpy(clips.clip(5).frames)[None, :5, :16, :24]
    found = latents.encode(frames)
    assert found.shape == (1, 16, 2, 2, 3)
    # The block of the second row and third column, frames 1 to 4, by hand.
    block = frames[0, 1:, 8:, 16:].permute(0, 3, 1, 2).float() / 255
    parts = [
        latents.inner @ block[:, :, y : y + 4, x : x + 4].flatten() for y in (0, 4) for x in (0, 4)
    ]
    wanted = latents.outer @ torch.cat(parts) - latents.mean
    assert torch.allclose(found[0, :, 1, 1, 2], wanted, atol=1e-4)


def test_latents_of_other_clips_have_about_unit_variance(latents):
    frames = torch.from_numpy(np.stack([clips.clip(seed).frames for seed in range(20, 26)]))
    assert 0.4 < latents.encode(frames).square().mean() < 1.6
