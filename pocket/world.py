"""The picture book: little scenes with exact label maps and prompts in several forms.

Every scene has a sky, a ground and a few things. `scene(seed)` is a pure function of its seed.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from .things import THINGS, Colour, Pen

SKIES = ("sky", "night", "sunset")
GROUNDS = ("grass", "sea", "sand", "snow")
LABELS = (*SKIES, *GROUNDS, *THINGS)
FIRST_THING = len(SKIES) + len(GROUNDS)

_SKY_COLOURS: dict[str, tuple[Colour, Colour]] = {
    "sky": ((92, 164, 236), (186, 222, 246)),
    "night": ((14, 18, 52), (44, 50, 100)),
    "sunset": ((140, 64, 124), (252, 164, 84)),
}
_GROUND_COLOURS: dict[str, tuple[Colour, Colour, Colour]] = {
    "grass": ((112, 186, 76), (76, 152, 58), (58, 128, 48)),
    "sea": ((44, 128, 184), (22, 82, 148), (150, 202, 226)),
    "sand": ((240, 216, 158), (222, 190, 126), (196, 160, 100)),
    "snow": ((248, 250, 252), (222, 232, 242), (190, 206, 226)),
}


@dataclass(frozen=True)
class Scene:
    """A picture uint8 [H, W, 3], its label map uint8 [H, W] (indices into LABELS), and what is in
    it.
    """

    picture: np.ndarray
    labels: np.ndarray
    sky: str
    ground: str
    things: tuple[str, ...]


def scene(
    seed: int,
    size: int = 256,
    things: tuple[str, ...] | None = None,
    sky: str | None = None,
    ground: str | None = None,
) -> Scene:
    """Draw the scene of `seed` at `size` x `size` pixels; what is not given is drawn by lot.

    Things keep their size in pixels, so that a smaller picture holds fewer of them.
    """
    rng = random.Random(seed)
    things = choose_things(rng, size) if things is None else things
    sky = choose_sky(rng, things) if sky is None else sky
    ground = choose_ground(rng, things) if ground is None else ground
    while True:
        picture, labels, visible = _draw(rng, size, things, sky, ground)
        if visible:
            return Scene(picture, labels, sky, ground, things)


def choose_things(rng: random.Random, size: int) -> tuple[str, ...]:
    """One to four different things; fewer in a smaller picture."""
    weights = (4, 4, 2, 1) if size >= 224 else (3, 1)
    count = rng.choices(range(1, len(weights) + 1), weights)[0]
    return tuple(rng.sample(list(THINGS), count))


def choose_sky(rng: random.Random, things: tuple[str, ...]) -> str:
    """A sky that suits the things: no sun at night."""
    if "sun" in things:
        return rng.choice(("sky", "sunset"))
    if "moon" in things:
        return rng.choice(("night", "night", "sunset", "sky"))
    return rng.choice(SKIES)


def choose_ground(rng: random.Random, things: tuple[str, ...]) -> str:
    """A ground that suits the things: a boat is mostly at sea."""
    return rng.choices(GROUNDS, (1, 3, 1, 1) if "boat" in things else (1, 1, 1, 1))[0]


def _draw(
    rng: random.Random, size: int, things: tuple[str, ...], sky: str, ground: str
) -> tuple[np.ndarray, np.ndarray, bool]:
    """One try; the last value says whether at least 70 % of every thing stayed visible."""
    scale = 2  # drawn twice as large and reduced: smooth edges
    full = size * scale
    horizon = int(rng.uniform(0.42, 0.6) * full)
    picture, labels = draw_background(rng, full, horizon, sky, ground)
    pen = Pen(picture, labels, rng)
    areas = {}
    for name, foot, factor in _places(rng, full, horizon, things):
        draw, width, height, _ = THINGS[name]
        label = LABELS.index(name)
        pen.place(label, foot, width * factor * scale, height * factor * scale)
        draw(pen)
        areas[label] = labels.histogram()[label]
    final = labels.histogram()
    visible = all(final[label] >= 0.7 * area for label, area in areas.items())
    return np.array(picture.reduce(scale)), np.asarray(labels)[::scale, ::scale].copy(), visible


def _places(
    rng: random.Random, full: int, horizon: int, things: tuple[str, ...]
) -> list[tuple[str, tuple[float, float], float]]:
    """Foot and size factor of each thing: things of the sky first, then the ground's from far to
    near.
    """
    placed = []
    crowd = (1.2, 1.2, 1.1, 0.9, 0.76)[len(things)] * min(1.0, full / 400)
    for on_ground in (False, True):
        group = [name for name in things if THINGS[name][3] is on_ground]
        rng.shuffle(group)
        row = []
        for slot, name in enumerate(group):
            _, width, height, _ = THINGS[name]
            factor = rng.uniform(0.85, 1.3) * crowd
            half = width * factor
            lane = full / len(group)
            left, right = slot * lane + half * 0.9, (slot + 1) * lane - half * 0.9
            middle = (slot + 0.5) * lane
            x = rng.uniform(left, right) if left < right else middle + rng.uniform(-0.1, 0.1) * lane
            x = min(max(x, half + 2), full - half - 2)
            if on_ground:
                y = rng.uniform(horizon + 0.06 * full, full * 0.96)
            else:
                tall = 2 * height * factor
                y = rng.uniform(tall + 6, max(horizon * 0.98, tall + 8))
            row.append((name, (x, y), factor))
        placed += sorted(row, key=lambda item: item[1][1])
    return placed


def draw_background(
    rng: random.Random, full: int, horizon: int, sky: str, ground: str
) -> tuple[Image.Image, Image.Image]:
    """Picture and label map of sky and ground, `full` x `full` pixels."""
    rows = np.empty((full, 1, 3), np.float32)
    shade = rng.uniform(0.94, 1.04)
    top, bottom = _SKY_COLOURS[sky]
    rows[:horizon] = np.linspace(top, bottom, horizon)[:, None] * shade
    far, near, mark = _GROUND_COLOURS[ground]
    rows[horizon:] = np.linspace(far, near, full - horizon)[:, None]
    wide = np.broadcast_to(rows.clip(0, 255).astype(np.uint8), (full, full, 3))
    picture = Image.fromarray(np.ascontiguousarray(wide))
    labels = Image.new("L", (full, full), LABELS.index(sky))
    labels.paste(LABELS.index(ground), (0, horizon, full, full))
    pen = ImageDraw.Draw(picture)
    if sky == "night":
        for _ in range(full // 20):
            x, y = rng.uniform(0, full), rng.uniform(0, horizon - 12)
            pen.ellipse((x, y, x + 5, y + 5), fill=(230, 230, 210))
    for _ in range(full // 16):
        _mark(rng, pen, ground, rng.uniform(0, full), rng.uniform(horizon + 14, full), mark)
    return picture, labels


def _mark(
    rng: random.Random, pen: ImageDraw.ImageDraw, ground: str, x: float, y: float, colour: Colour
) -> None:
    """One of the little strokes that tell the grounds apart: tufts, waves, pebbles, drifts."""
    if ground == "grass":
        for lean in (-6, 0, 6):
            pen.line((x, y, x + lean, y - 12), fill=colour, width=3)
    elif ground == "sea":
        length = rng.uniform(16, 40)
        pen.line((x, y, x + length, y), fill=colour, width=4)
    elif ground == "sand":
        pen.ellipse((x, y, x + 6, y + 5), fill=colour)
    else:
        pen.arc((x, y, x + 36, y + 14), 200, 340, fill=colour, width=3)
