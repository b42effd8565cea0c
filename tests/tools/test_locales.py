"""The interface's texts: every language has every text, and what is typed as it is stays so."""

import json
import re

import pytest

from hosting import locales, pack, snapshot

ENGLISH = locales.FOLDER / "en"
FILES = sorted(path.name for path in ENGLISH.glob("*.json"))
OTHERS = ("zh", "ja", "ko", "fr", "es", "ru")

# What a user types, or the editor shows, in these very letters.
_LITERAL = re.compile(
    r"\d+%-\d+%|\b\d+-\d+\b|-\d:|\b\d,\d,\d|\bCLIP\b|\bT5\b|\bVAE\b|\bFLUX\.\d|\bSD3\b|\bCogVideoX\b"
    r"|%\w+%|\bembedding:|\bnearest\b|\bbilinear\b|\bbicubic\b|\bedge-guided\b|\bauto\b|\[output\]"
    r"|\"[^\"]+\"|\(\w+:[\d.]+\)"
)


def read(language, name):
    return json.loads((locales.FOLDER / language / name).read_text(encoding="utf-8"))


def texts(tree, path=()):
    """Every text of a tree with the keys that lead to it."""
    if isinstance(tree, str):
        return {path: tree}
    return {key: text for name in tree for key, text in texts(tree[name], (*path, name)).items()}


def literals(text):
    return sorted(set(_LITERAL.findall(text)))


def test_the_english_texts_are_those_of_the_nodes():
    nodes = json.loads(snapshot.FILE.read_text(encoding="utf-8"))
    assert read("en", "nodeDefs.json") == locales.english(nodes), "run `make snapshot`"


def test_every_language_is_there_with_the_same_files():
    found = {path.name for path in locales.FOLDER.iterdir()}
    assert found == {"en", *OTHERS}
    for language in OTHERS:
        assert sorted(path.name for path in (locales.FOLDER / language).iterdir()) == FILES


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("language", OTHERS)
def test_no_text_is_missing_left_over_or_empty(language, name):
    english, own = texts(read("en", name)), texts(read(language, name))
    assert sorted(set(english) - set(own)) == []
    assert sorted(set(own) - set(english)) == []
    assert [key for key, text in own.items() if english[key] and not text.strip()] == []


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("language", OTHERS)
def test_sentences_are_translated(language, name):
    english, own = texts(read("en", name)), texts(read(language, name))
    sentences = [key for key, text in english.items() if text.count(" ") > 3]
    assert [key for key in sentences if own[key] == english[key]] == []


@pytest.mark.parametrize("language", OTHERS)
def test_what_is_typed_stays_as_it_is(language):
    english, own = (texts(read(each, "nodeDefs.json")) for each in ("en", language))
    sentences = [key for key, text in english.items() if text.count(" ") > 3]
    changed = {
        key: sorted(set(literals(english[key])) - set(literals_anywhere(own[key])))
        for key in sentences
    }
    assert {key: lost for key, lost in changed.items() if lost} == {}


def literals_anywhere(text):
    """As `literals`, with a space around every run of Latin letters, which other scripts lack."""
    return [*literals(text), *literals(re.sub(r"([^\x00-\x7f])", r" \1 ", text))]


def options(info):
    """What each of a node's combos offers, by the input's name."""
    inputs = {**info["input"].get("required", {}), **info["input"].get("optional", {})}
    return {name: settings.get("options", ()) for name, (_, settings) in inputs.items()}


@pytest.mark.parametrize("language", OTHERS)
def test_tooltips_explain_the_options_and_name_the_inputs_that_are_seen(language):
    nodes = json.loads(snapshot.FILE.read_text(encoding="utf-8"))
    english, own = (read(each, "nodeDefs.json") for each in ("en", language))
    lost, unseen = [], []
    for node, texts_of_node in own.items():
        names = {key: entry["name"] for key, entry in texts_of_node["inputs"].items()}
        for key, entry in texts_of_node["inputs"].items():
            source, left = english[node]["inputs"][key]["tooltip"], entry["tooltip"]
            offered = options(nodes[node])
            lost += [
                (node, key, option)
                for option in offered.get(key, ())
                if f"{option}:" in source and option not in left
            ]
            for option in sorted({each for few in offered.values() for each in few}, key=len)[::-1]:
                left = left.replace(option, "")
            unseen += [
                (node, key, each)
                for each, name in names.items()
                if name.lower() != each and re.search(rf"(?<![A-Za-z_]){each}(?![A-Za-z_])", left)
            ]
    assert (lost, unseen) == ([], [])


def test_the_settings_page_and_its_texts_name_the_same_settings():
    script = (pack.ROOT / "web" / "settings.mjs").read_text(encoding="utf-8")
    ids = re.findall(r"id: `\$\{NAME\}\.(\w+)`", script)
    assert {f"concept_attention_{each}" for each in ids} == set(read("en", "settings.json"))
