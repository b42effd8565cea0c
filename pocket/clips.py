"""Little films of the picture book's world: things that move, and exact label maps of every frame.

Every clip has a sky, a ground and one or two things, each on a straight way of its own.
`clip(seed)` is a pure function of its seed.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np

from .prompts import BACKGROUND, noun, prompt_of, word_of
from .things import THINGS, Pen
from .world import GROUNDS, LABELS, SKIES, choose_ground, choose_sky, draw_background

FRAMES, HEIGHT, WIDTH = 13, 128, 160
SCALE = 2  # drawn twice as large and reduced: smooth edges
LEAST_VISIBLE = 0.5  # of a thing, in every frame

# name: (size, way across, way up or down, lowest foot as a share of the height); ways in pixels per
# clip, at least and at most.
MOVES: dict[str, tuple[float, tuple[float, float], tuple[float, float], float]] = {
    "car": (0.64, (30, 75), (0, 0), 0.97),
    "boat": (0.66, (28, 70), (0, 4), 0.97),
    "bird": (0.62, (40, 85), (0, 18), 0.72),
    "balloon": (0.62, (0, 36), (16, 40), 0.95),
    "cloud": (0.66, (20, 60), (0, 4), 0.52),
    "sun": (0.58, (14, 60), (4, 24), 0.62),
    "moon": (0.62, (14, 60), (4, 24), 0.62),
}
CONCEPTS = (*MOVES, *GROUNDS, *SKIES)


@dataclass(frozen=True)
class Clip:
    """Frames uint8 [F, H, W, 3], their label maps uint8 [F, H, W] (indices into LABELS), and what
    is in them.
    """

    frames: np.ndarray
    labels: np.ndarray
    sky: str
    ground: str
    things: tuple[str, ...]


@dataclass(frozen=True)
class Way:
    """A thing's size and straight way in pixels of the large drawing; mirrored: it faces left."""

    name: str
    start: tuple[float, float]
    end: tuple[float, float]
    size: tuple[float, float]
    mirrored: bool
    colours: int

    def foot(self, frame: int, frames: int) -> tuple[float, float]:
        """Where its foot is in a frame, at constant speed."""
        share = frame / max(frames - 1, 1)
        (x0, y0), (x1, y1) = self.start, self.end
        return x0 + (x1 - x0) * share, y0 + (y1 - y0) * share


def clip(
    seed: int,
    things: tuple[str, ...] | None = None,
    sky: str | None = None,
    ground: str | None = None,
    frames: int = FRAMES,
) -> Clip:
    """Draw the clip of `seed`; what is not given is drawn by lot."""
    rng = random.Random(f"clip {seed}")
    if things is None:
        things = tuple(rng.sample(list(MOVES), rng.choices((1, 2), (2, 3))[0]))
    sky = choose_sky(rng, things) if sky is None else sky
    ground = choose_ground(rng, things) if ground is None else ground
    while True:
        drawn = _draw(rng, things, sky, ground, frames)
        if drawn is not None:
            return Clip(*drawn, sky, ground, things)


def example(seed: int) -> tuple[Clip, str]:
    """A clip and its prompt, a pure function of the seed; a single word for a sky or a ground has
    one thing or none.
    """
    rng = random.Random(f"clip's prompt {seed}")
    if rng.random() < 0.72:
        drawn = clip(seed)
        return drawn, prompt_of(rng, drawn)
    places = (*GROUNDS, *SKIES, BACKGROUND)
    word = rng.choice(list(MOVES)) if rng.random() < 0.6 else rng.choice(places)
    alone = () if word == BACKGROUND else (word,)
    if word not in MOVES and word != BACKGROUND:
        alone = tuple(rng.sample(list(MOVES), rng.choice((0, 1))))
    drawn = clip(
        seed,
        things=alone,
        sky=word if word in SKIES else None,
        ground=word if word in GROUNDS else None,
    )
    word = word_of(rng, word)
    return drawn, rng.choice((word, word, noun(rng, word)))


def _draw(
    rng: random.Random, things: tuple[str, ...], sky: str, ground: str, frames: int
) -> tuple[np.ndarray, np.ndarray] | None:
    """One try; None where a thing is too much hidden."""
    height, width = HEIGHT * SCALE, WIDTH * SCALE
    horizon = int(rng.uniform(0.5, 0.66) * height)
    behind, labels = draw_background(rng, width, horizon, sky, ground)
    # The background is square: its lower edge is cut off.
    behind, labels = (image.crop((0, 0, width, height)) for image in (behind, labels))
    ways = _ways(rng, height, width, horizon, things)
    pictures, maps = [], []
    for frame in range(frames):
        picture, marks = behind.copy(), labels.copy()
        areas = {}
        for way in ways:
            pen = Pen(picture, marks, random.Random(way.colours))
            label = LABELS.index(way.name)
            pen.place(label, way.foot(frame, frames), *way.size, mirrored=way.mirrored)
            THINGS[way.name][0](pen)
            areas[label] = marks.histogram()[label]
        seen = marks.histogram()
        if any(seen[label] < LEAST_VISIBLE * area for label, area in areas.items()):
            return None
        pictures.append(np.array(picture.reduce(SCALE)))
        maps.append(np.asarray(marks)[::SCALE, ::SCALE])
    return np.stack(pictures), np.stack(maps)


def _ways(
    rng: random.Random, height: int, width: int, horizon: int, things: tuple[str, ...]
) -> list[Way]:
    """The things' ways: those of the sky first, then the ground's from far to near."""
    ways = []
    rightwards = rng.random() < 0.5
    for name in things:
        size, across, along, lowest = MOVES[name]
        _, wide, tall, on_ground = THINGS[name]
        factor = size * rng.uniform(0.85, 1.2) * SCALE
        w, h = wide * factor, tall * factor
        dx = SCALE * rng.uniform(*across) * (1 if rightwards else -1)
        dy = SCALE * rng.uniform(*along) * rng.choice((-1, 1))
        top = max(h + 4, horizon + 0.05 * height if on_ground else 0)
        y0, y1 = _between(rng, top, max(lowest * height, top), dy)
        x0, x1 = _between(rng, w / 2 + 2, width - w / 2 - 2, dx)
        ways.append(Way(name, (x0, y0), (x1, y1), (w, h), not rightwards, rng.getrandbits(32)))
        # More often than not the next one comes from the other side: they cross.
        rightwards = rightwards if rng.random() < 0.3 else not rightwards
    rng.shuffle(ways)
    return sorted(ways, key=lambda way: way.start[1] if THINGS[way.name][3] else 0)


def _between(rng: random.Random, low: float, high: float, way: float) -> tuple[float, float]:
    """Start and end of a way within low and high, shortened to fit."""
    way = max(-(high - low), min(high - low, way))
    start = rng.uniform(max(low, low - way), min(high, high - way))
    return start, start + way
