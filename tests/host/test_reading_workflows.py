"""The examples of other ways to read a model, run by the real server with the pocket model."""

import io
import json
import re

import torch
from PIL import Image

from hosting import pack, workflow

WORDS = ["a", "house", "and", "a (2)", "tree", "on", "grass", "under", "the", "sky"]


class Run:
    """One run of an example: what each node put out, by its title."""

    def __init__(self, client, name):
        path = pack.ROOT / "example_workflows" / f"Pocket - {name}.json"
        document = json.loads(path.read_text(encoding="utf-8"))
        self.prompt = workflow.to_prompt(document, client.object_info())
        entry = client.run(self.prompt, document, lambda kind, data: None)
        self._client, self._outputs = client, entry["outputs"]

    def output(self, title):
        (key,) = (key for key, node in self.prompt.items() if node["_meta"]["title"] == title)
        return self._outputs[key]

    def pictures(self, title):
        """Of a Save Image node, [count, height, width, 3] in 0..1."""
        records = self.output(title)["images"]
        return torch.stack([pixels(self._client.view(record)) for record in records])


def pixels(raw):
    picture = Image.open(io.BytesIO(raw)).convert("RGB")
    values = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8)
    return values.view(picture.height, picture.width, 3) / 255


def test_the_words_of_a_prompt_each_have_a_map_and_small_words_a_dark_one(client):
    run = Run(client, "words of the prompt")
    (text,) = run.output("Concept Encoder")["text"]
    assert [line.split(":")[0].strip() for line in text.splitlines()] == WORDS
    brightest = run.pictures("Heatmaps").amax((1, 2, 3))
    found = dict(zip(WORDS, brightest.tolist(), strict=True))
    things = {"house", "tree", "grass", "sky"}
    assert min(found[word] for word in things) > 0.7
    assert max(value for word, value in found.items() if word not in things) < 0.5


def test_the_kinds_of_maps_are_of_one_run_and_differ(client):
    run = Run(client, "kinds of maps")
    samplers = [node["class_type"] for node in run.prompt.values() if "seed" in node["inputs"]]
    assert samplers == ["ConceptAttentionSampler"]
    titles = ("Output space", "Cross-attention", "Value space", "Averaged attention, as DAAM")
    sheets = torch.cat([run.pictures(title) for title in titles])
    assert len({sheet.numpy().tobytes() for sheet in sheets}) == 4
    above, below = torch.cat(tuple(sheets[:2]), 1), torch.cat(tuple(sheets[2:]), 1)
    (whole,) = run.pictures("Side by side")
    assert torch.equal(whole, torch.cat((above, below)))


def test_the_negative_prompt_turns_night_into_day_and_only_its_pass_sees_the_night(client):
    run = Run(client, "negative prompt")
    (pair,) = run.pictures("Without and with it")
    without, with_it = (pair[:32, left : left + 256].mean() for left in (0, 264))
    assert without < 0.3 < 0.6 < with_it
    (text,) = run.output("Compare Heatmaps")["text"]
    line = next(line for line in text.splitlines() if line.startswith("night"))
    beside, away = map(float, re.search(r"share ([\d.]+) % to ([\d.]+) %", line).groups())
    assert beside < 3 and away > 10
