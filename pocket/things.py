"""How each thing of the picture book is drawn.

A thing is drawn in its own unit square: x from -0.5 to 0.5, y from 0 (its foot) to 1 (its top).
Each has a look of its own, and most share their colours with others: houses, cars, mushrooms,
flowers, balloons and hulls may be red, sails, clouds and walls are white, trunks, doors, roofs and
hulls brown.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

from PIL import Image, ImageDraw

Colour = tuple[int, int, int]
Point = tuple[float, float]

RED, WHITE, YELLOW = (214, 48, 40), (244, 242, 236), (246, 202, 48)
BLUE, BROWN, GREY, GREEN = (52, 92, 196), (122, 78, 46), (128, 130, 134), (36, 116, 52)
DARK, GLASS = (44, 40, 44), (176, 216, 236)
PINK, PALE = (236, 112, 160), (248, 236, 176)


class Pen:
    """Draws one thing into a picture and, with the same shapes, into its label map."""

    def __init__(self, picture: Image.Image, labels: Image.Image, rng: random.Random):
        self.picture, self.labels = ImageDraw.Draw(picture), ImageDraw.Draw(labels)
        self.rng = rng
        self.label, self.foot, self.width, self.height = 0, (0.0, 0.0), 1.0, 1.0
        self.side = 1

    def place(
        self, label: int, foot: Point, width: float, height: float, mirrored: bool = False
    ) -> None:
        """Put the unit square of the next thing at `foot` (pixels, bottom centre)."""
        self.label, self.foot, self.width, self.height = label, foot, width, height
        self.side = -1 if mirrored else 1

    def _pixels(self, points: Sequence[Point]) -> list[Point]:
        (x0, y0), w, h = self.foot, self.width, self.height
        return [(x0 + self.side * x * w, y0 - y * h) for x, y in points]

    def polygon(self, points: Sequence[Point], colour: Colour) -> None:
        """Fill a polygon given in unit coordinates."""
        pixels = self._pixels(points)
        self.picture.polygon(pixels, fill=colour)
        self.labels.polygon(pixels, fill=self.label)

    def box(self, x0: float, y0: float, x1: float, y1: float, colour: Colour) -> None:
        """Fill an upright rectangle."""
        self.polygon([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], colour)

    def oval(self, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
        """Fill an ellipse around (x, y)."""
        corners = [(x - self.side * rx, y + ry), (x + self.side * rx, y - ry)]
        (left, top), (right, bottom) = self._pixels(corners)
        self.picture.ellipse((left, top, right, bottom), fill=colour)
        self.labels.ellipse((left, top, right, bottom), fill=self.label)

    def pick(self, *colours: Colour) -> Colour:
        """One of the colours, a little lighter or darker each time."""
        shade = self.rng.uniform(0.9, 1.06)
        red, green, blue = (min(255, int(c * shade)) for c in self.rng.choice(colours))
        return red, green, blue


def house(pen: Pen) -> None:
    wall, roof = pen.pick(WHITE, WHITE, YELLOW, RED), pen.pick(RED, BROWN, BROWN)
    pen.box(-0.42, 0, 0.42, 0.58, wall)
    pen.polygon([(-0.5, 0.56), (0.5, 0.56), (0.0, 1.0)], roof)
    pen.box(-0.32, 0, -0.1, 0.38, BROWN)
    pen.box(0.08, 0.2, 0.32, 0.42, GLASS)


def tree(pen: Pen) -> None:
    crown = pen.pick(GREEN)
    pen.box(-0.08, 0, 0.08, 0.45, pen.pick(BROWN))
    pen.oval(-0.22, 0.55, 0.28, 0.2, crown)
    pen.oval(0.22, 0.55, 0.28, 0.2, crown)
    pen.oval(0, 0.75, 0.32, 0.25, crown)


def boat(pen: Pen) -> None:
    hull, sail = pen.pick(BROWN, BROWN, RED), pen.pick(WHITE)
    pen.polygon([(-0.5, 0.24), (0.5, 0.24), (0.34, 0), (-0.34, 0)], hull)
    pen.box(-0.04, 0.22, 0.01, 1.0, BROWN)
    pen.polygon([(0.03, 0.32), (0.44, 0.32), (0.03, 0.98)], sail)
    pen.polygon([(-0.06, 0.32), (-0.36, 0.32), (-0.06, 0.84)], sail)


def car(pen: Pen) -> None:
    body = pen.pick(RED, RED, BLUE)
    pen.box(-0.5, 0.18, 0.5, 0.6, body)
    pen.polygon([(-0.34, 0.58), (0.3, 0.58), (0.18, 1.0), (-0.22, 1.0)], body)
    pen.polygon([(-0.25, 0.6), (0.21, 0.6), (0.13, 0.9), (-0.17, 0.9)], GLASS)
    for x in (-0.28, 0.28):
        pen.oval(x, 0.18, 0.13, 0.18, DARK)
        pen.oval(x, 0.18, 0.05, 0.07, GREY)


def flower(pen: Pen) -> None:
    petals, heart = pen.pick(RED, PINK, PINK), pen.pick(YELLOW)
    pen.box(-0.035, 0, 0.035, 0.6, GREEN)
    pen.oval(0.18, 0.2, 0.18, 0.07, GREEN)
    pen.oval(-0.18, 0.28, 0.18, 0.07, GREEN)
    for i in range(6):
        turn = math.tau * i / 6
        pen.oval(0.29 * math.cos(turn), 0.71 + 0.18 * math.sin(turn), 0.18, 0.11, petals)
    pen.oval(0, 0.71, 0.16, 0.1, heart)


def rock(pen: Pen) -> None:
    stone = pen.pick(GREY)
    light: Colour = tuple(min(255, c + 34) for c in stone)  # type: ignore[assignment]
    pen.polygon(
        [(-0.5, 0), (-0.42, 0.52), (-0.12, 0.98), (0.24, 0.86), (0.46, 0.4), (0.5, 0)], stone
    )
    pen.polygon([(-0.36, 0.5), (-0.12, 0.92), (0.08, 0.6)], light)


def mushroom(pen: Pen) -> None:
    cap = pen.pick(RED, RED, BROWN)
    pen.polygon([(-0.15, 0), (0.15, 0), (0.11, 0.55), (-0.11, 0.55)], WHITE)
    dome = [
        (0.5 * math.cos(a), 0.48 + 0.52 * math.sin(a))
        for a in (math.pi * i / 12 for i in range(13))
    ]
    pen.polygon(dome, cap)
    for x, y in ((-0.24, 0.66), (0.05, 0.82), (0.26, 0.62)):
        pen.oval(x, y, 0.075, 0.075, WHITE)


def sun(pen: Pen) -> None:
    gold = pen.pick(YELLOW)
    for i in range(10):
        a = math.tau * i / 10
        tip = (0.5 * math.cos(a), 0.5 + 0.5 * math.sin(a))
        sides = [(0.33 * math.cos(a + d), 0.5 + 0.33 * math.sin(a + d)) for d in (-0.24, 0.24)]
        pen.polygon([tip, *sides], gold)
    pen.oval(0, 0.5, 0.32, 0.32, gold)


def moon(pen: Pen) -> None:
    outer = [math.pi * (0.5 + i / 16) for i in range(17)]
    rim = [(0.18 + 0.6 * math.cos(a), 0.5 + 0.5 * math.sin(a)) for a in outer]
    hollow = [(0.18 + 0.24 * math.cos(a), 0.5 + 0.5 * math.sin(a)) for a in reversed(outer)]
    pen.polygon(rim + hollow, pen.pick(PALE))


def cloud(pen: Pen) -> None:
    mist = pen.pick(WHITE)
    pen.oval(-0.26, 0.34, 0.24, 0.32, mist)
    pen.oval(0.26, 0.32, 0.24, 0.3, mist)
    pen.oval(0.02, 0.56, 0.28, 0.42, mist)
    pen.box(-0.28, 0.02, 0.28, 0.4, mist)


def balloon(pen: Pen) -> None:
    first, second = pen.pick(RED, BLUE, BLUE), pen.pick(YELLOW)
    pen.polygon([(-0.36, 0.5), (0.36, 0.5), (0.12, 0.2), (-0.12, 0.2)], first)
    pen.oval(0, 0.66, 0.46, 0.34, first)
    pen.oval(0, 0.66, 0.17, 0.34, second)
    pen.box(-0.13, 0, 0.13, 0.16, BROWN)


def bird(pen: Pen) -> None:
    feathers = pen.pick(DARK, DARK, BLUE)
    pen.oval(0, 0.36, 0.3, 0.2, feathers)
    pen.oval(0.28, 0.5, 0.13, 0.16, feathers)
    pen.polygon([(0.38, 0.56), (0.5, 0.48), (0.38, 0.42)], YELLOW)
    pen.polygon([(-0.24, 0.4), (-0.5, 0.56), (-0.46, 0.24)], feathers)
    pen.polygon([(-0.14, 0.46), (0.14, 0.46), (-0.12, 1.0)], feathers)


# name: (draw, width and height in pixels of an average one, stands on the ground)
THINGS: dict[str, tuple[Callable[[Pen], None], float, float, bool]] = {
    "house": (house, 92, 96, True),
    "tree": (tree, 78, 106, True),
    "boat": (boat, 96, 100, True),
    "car": (car, 104, 62, True),
    "flower": (flower, 58, 92, True),
    "rock": (rock, 84, 60, True),
    "mushroom": (mushroom, 72, 78, True),
    "sun": (sun, 80, 80, False),
    "moon": (moon, 60, 76, False),
    "cloud": (cloud, 104, 58, False),
    "balloon": (balloon, 64, 88, False),
    "bird": (bird, 84, 58, False),
}
