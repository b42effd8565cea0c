"""The words of the pocket model, and prompts made of them in several forms."""

from __future__ import annotations

import random

from .things import THINGS
from .world import GROUNDS, SKIES, Scene, scene

CONCEPTS = (*THINGS, *GROUNDS, *SKIES)
SYNONYMS = {"beach": "sand"}  # a second word that means the same label
BACKGROUND = "background"  # a scene without things; in a list, whatever is not named
SMALL_WORDS = ("a", "the", "and", "on", "in", "at", "under", "over", "with", "of", "picture")
WORDS = (*CONCEPTS, *SYNONYMS, BACKGROUND, *SMALL_WORDS)
TEXT_TOKENS = 24  # every text is padded to this many tokens, in training as in use


def example(seed: int, size: int = 256, dropped: float = 0.1) -> tuple[Scene, str]:
    """One training example: a scene and its prompt, a pure function of the seed.

    A prompt names every thing of its scene, except a single word for a sky or a ground, whose scene
    holds one thing or none. `dropped` of the prompts are empty.
    """
    rng = random.Random(f"prompt {seed}")
    form = rng.random()
    if form < dropped:
        return scene(seed, size), ""
    if form < dropped + 0.25:
        word = (
            rng.choice(list(THINGS))
            if rng.random() < 0.7
            else rng.choice((*GROUNDS, *SKIES, BACKGROUND))
        )
        drawn, word = _alone(rng, seed, size, word), word_of(rng, word)
        return drawn, rng.choice((word, word, noun(rng, word)))
    drawn = scene(seed, size)
    return drawn, prompt_of(rng, drawn)


def prompt_of(rng: random.Random, drawn: Scene) -> str:
    """A list or a sentence that names every thing, and often the ground and the sky."""
    things = list(drawn.things)
    rng.shuffle(things)
    ground = word_of(rng, drawn.ground) if rng.random() < 0.7 else None
    sky = drawn.sky if rng.random() < 0.6 else None
    if rng.random() < 0.4:
        rest = (ground, sky) if ground or sky else rng.choice(((), (BACKGROUND,)))
        names = [*things, *filter(None, rest)]
        return ", ".join(names) if rng.random() < 0.7 else " and ".join(names)
    return _sentence(rng, _join([noun(rng, thing) for thing in things]), ground, sky)


def _sentence(rng: random.Random, things: str, ground: str | None, sky: str | None) -> str:
    if ground and sky and rng.random() < 0.25:
        return f"{noun(rng, sky)} over {noun(rng, ground)}, with {things}"
    text = things
    if rng.random() < 0.15:
        text = f"a picture of {text}"
    if ground:
        text += f" {rng.choice(('on', 'on', 'in'))} {noun(rng, ground)}"
    if sky == "sky":
        text += rng.choice((" under the sky", " under a sky"))
    elif sky:
        text += rng.choice((f" at {sky}", f" at {sky}", f" under the {sky}"))
    return text


def _alone(rng: random.Random, seed: int, size: int, word: str) -> Scene:
    if word in THINGS:
        return scene(seed, size, things=(word,))
    if word == BACKGROUND:
        return scene(seed, size, things=())
    things = tuple(rng.sample(list(THINGS), rng.choice((0, 1))))
    if word in GROUNDS:
        return scene(seed, size, things=things, ground=word)
    return scene(seed, size, things=things, sky=word)


def word_of(rng: random.Random, label: str) -> str:
    """A word for a label: itself or a synonym."""
    return rng.choice((label, *(word for word, same in SYNONYMS.items() if same == label)))


def noun(rng: random.Random, word: str) -> str:
    """The word with an article, where it takes one."""
    if word in ("grass", "sand", "snow"):
        return rng.choice((word, f"the {word}"))
    if word in ("sea", "sky", "night", "beach", BACKGROUND):
        return f"the {word}"
    if word in ("sun", "moon"):
        return rng.choice((f"the {word}", f"a {word}"))
    return f"a {word}"


def _join(names: list[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
