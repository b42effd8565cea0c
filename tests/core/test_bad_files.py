"""Files that are damaged or meant to do harm are refused, each with one error and nothing else."""

import json
import struct
import tracemalloc

import pytest

from concept_attention.core import file_header
from concept_attention.core.errors import ConceptAttentionError
from concept_attention.core.files import load_capture

SCORES, NORMS = [1, 2, 2, 3, 6], [1, 2, 2, 3]
DESCRIPTION = {
    "grid": [1, 2, 3],
    "picture": [32, 44],
    "steps": [0, 3],
    "layers": [[3], [4, 5]],
    "sigmas": [1.0, 0.25],
    "total_steps": 4,
    "total_layers": 6,
    "labels": ["dragon", "rock", "background"],
    "background": [False, False, True],
    "family": "flux",
    "spans": [1],
    "splits": [["dragon"], ["rock"], ["background"]],
    "choices": ["first", "all", "first"],
    "seed": 7,
}
DEEP = "[" * 100_000 + "]" * 100_000


def described(**changes):
    return json.dumps({**DESCRIPTION, **changes})


def header(capture=None, norms=None, scores=None, **more):
    """The header of a sound file, but for what is given."""
    return {
        "__metadata__": {
            "format": "concept-attention-capture",
            "version": "2",
            "capture": described() if capture is None else capture,
        },
        "norms": {"dtype": "F32", "shape": NORMS, "data_offsets": [0, 48], **(norms or {})},
        "scores": {"dtype": "F32", "shape": SCORES, "data_offsets": [48, 336], **(scores or {})},
        **more,
    }


def packed(text, data=bytes(336), length=None):
    raw = text if isinstance(text, bytes) else text.encode()
    return struct.pack("<Q", len(raw) if length is None else length) + raw + data


def sound():
    return packed(json.dumps(header()))


def refused(tmp_path, content):
    """The error of a file with this content; nothing else is left of the attempt."""
    path = tmp_path / "bad.capture.safetensors"
    path.write_bytes(content)
    with pytest.raises(ConceptAttentionError) as error:
        load_capture(path)
    assert [found.name for found in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == content
    message = str(error.value)
    assert message.startswith("capture file: bad.capture.safetensors ")
    assert len(message) < 400
    return message


def test_the_file_that_the_others_are_made_from_is_sound(tmp_path):
    (tmp_path / "a").write_bytes(sound())
    assert load_capture(tmp_path / "a").labels == ("dragon", "rock", "background")


@pytest.mark.parametrize("kept", [0, 5, 8, 200, len(sound()) - 337, len(sound()) - 1])
def test_cut_anywhere(tmp_path, kept):
    assert "is damaged (" in refused(tmp_path, sound()[:kept])


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (packed("{}", length=2**64 - 1), "fewer than its header"),
        (sound() + b"\0", "its tensors take 336 bytes, and it holds 337"),
        (packed("not json"), "its description cannot be read"),
        (packed(b"\xff\xfe{}"), "its description cannot be read"),
        (packed(b"\xff" * 9), "its description cannot be read"),
        (packed(DEEP), "is nested too deeply"),
        (packed('{"n": ' + "9" * 5000 + "}"), "its description cannot be read"),
        (packed("[]"), "its header is not an object"),
        (packed("{}"), "its tensors take 0 bytes, and it holds 336"),
        (packed("{}", b""), "holds no capture"),
        (packed('{"__metadata__": {"format": 1}}', b""), "is not made of texts"),
        (packed('{"__metadata__": []}', b""), "is not made of texts"),
    ],
)
def test_the_header_itself(tmp_path, content, told):
    assert told in refused(tmp_path, content)


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ({"scores": {"dtype": "F16"}}, "has scores of the type F16; it must be F32"),
        ({"scores": {"dtype": "I32"}}, "has scores of the type I32; it must be F32"),
        ({"norms": {"dtype": "F64"}}, "has norms of the type F64; it must be F32"),
        ({"norms": {"dtype": "X" * 99}}, "has norms of the type XXXXXXXXXX; it must be F32"),
        ({"norms": {"dtype": None}}, "'norms' is no tensor"),
        ({"scores": {"shape": [1, 2, 2, 3, 2**40]}}, "'scores' is no tensor, or has a shape"),
        ({"scores": {"shape": [2**33] * 5}}, "'scores' has 288 bytes, its shape has others"),
        ({"scores": {"shape": [1, 2, 2, 3, -6]}}, "'scores' is no tensor, or has a shape"),
        ({"scores": {"shape": [1, 2, 2, 3, 6.0]}}, "'scores' is no tensor, or has a shape"),
        ({"scores": {"shape": [True, 2, 2, 3, 6]}}, "'scores' is no tensor, or has a shape"),
        ({"scores": {"shape": [1] * 5000}}, "'scores' is no tensor, or has a shape"),
        ({"scores": {"shape": "72"}}, "'scores' is no tensor, or has a shape"),
        ({"scores": {"shape": [1, 2, 2, 3, 5]}}, "'scores' has 288 bytes, its shape has others"),
        ({"scores": {"shape": [1, 2, 2, 6, 3]}}, r"has scores of shape [1, 2, 2, 6, 3]"),
        ({"scores": {"shape": [72]}}, r"has scores of shape [72]"),
        ({"norms": {"shape": [12]}}, r"and norms of [12]"),
        ({"scores": {"data_offsets": [48, 2**62]}}, "does not lie in the 336 bytes"),
        ({"scores": {"data_offsets": [336, 48]}}, "does not lie in the 336 bytes"),
        ({"scores": {"data_offsets": [-1, 287]}}, "does not lie in the 336 bytes"),
        ({"scores": {"data_offsets": [48]}}, "does not lie in the 336 bytes"),
        ({"scores": {"data_offsets": {}}}, "does not lie in the 336 bytes"),
        ({"norms": {"data_offsets": [288, 336]}}, "do not follow those before them"),
        ({"scores": {"data_offsets": [0, 288]}}, "do not follow those before them"),
        ({"more": {"dtype": "U8", "shape": [9], "data_offsets": [336, 345]}}, "does not lie in"),
        ({"more": 3}, "'more' is no tensor"),
    ],
)
def test_tensors_that_are_not_what_they_claim(tmp_path, parts, told):
    assert told in refused(tmp_path, packed(json.dumps(header(**parts))))


@pytest.mark.parametrize("name", ["scores", "norms"])
def test_a_tensor_that_is_missing(tmp_path, name):
    parts = header()
    del parts[name]
    place = next(claim for key, claim in parts.items() if key != "__metadata__")
    size = place["data_offsets"][1] - place["data_offsets"][0]
    place["data_offsets"] = [0, size]
    message = refused(tmp_path, packed(json.dumps(parts), bytes(size)))
    assert f"lacks a part of a capture ({name})" in message


@pytest.mark.parametrize("name", ["scores", "__metadata__"])
def test_a_name_that_is_there_twice(tmp_path, name):
    parts = header()
    text = json.dumps(parts)[:-1] + f', "{name}": {json.dumps(parts[name])}}}'
    assert f"'{name}' is there twice" in refused(tmp_path, packed(text))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"grid": [1, -2, -3]}, "has grid [1, -2, -3]; allowed: 3 whole numbers from 1 to"),
        ({"grid": [1, 0, 6]}, "has grid [1, 0, 6]; allowed"),
        ({"grid": [6]}, "has grid [6]; allowed"),
        ({"grid": [1, 2.0, 3]}, "has grid [1, 2.0, 3]; allowed"),
        ({"grid": [1, 2**40, 3]}, "has grid [1, 1099511627776, 3]; allowed"),
        ({"grid": "123"}, "has grid '123'; allowed"),
        ({"grid": {"a": 1}}, "has grid {'a': 1}; allowed"),
        ({"grid": [1, 3, 3]}, "its description says ['B', 2, 2, 3, 9]"),
        ({"picture": [32, 0]}, "has picture [32, 0]; allowed: 2 whole numbers from 1 to"),
        ({"picture": [10**9, 10**9]}, "has picture [1000000000, 1000000000]; allowed"),
        ({"picture": [16384, 44]}, "allowed: at most 128 pixels for each token"),
        ({"steps": []}, "has steps []; allowed: whole numbers, at least one"),
        ({"steps": [0, 4]}, "has steps [0, 4]; allowed: rising ones, from 0 to 3"),
        ({"steps": [3, 0]}, "has steps [3, 0]; allowed: rising ones, from 0 to 3"),
        ({"steps": [0, 1, 3]}, "has 3 steps and sigmas of 2"),
        ({"layers": [[3], []]}, "has layers [(3,), ()]; allowed: lists of whole numbers"),
        ({"layers": [[3], [3, 5]]}, "has layers [(3,), (3, 5)]; allowed: rising ones"),
        ({"layers": [[3], [4, 6]]}, "allowed: rising ones, from 0 to 5"),
        ({"layers": [3, 4]}, "has layers [3, 4]; allowed: lists of whole numbers"),
        ({"sigmas": [1.0, "x"]}, "has sigmas [1.0, 'x']; allowed: numbers"),
        ({"total_steps": 10**12}, "has total_steps 1000000000000; allowed"),
        ({"total_layers": True}, "has total_layers True; allowed"),
        ({"labels": ["a", 2, "c"]}, "has labels ['a', 2, 'c']; allowed: texts"),
        ({"labels": ["a", None, "c"]}, "has labels ['a', None, 'c']; allowed: texts"),
        ({"labels": ["a", "\ud800", "c"]}, "has labels ["),
        ({"labels": "abc"}, "has labels 'abc'; allowed: texts"),
        ({"labels": ["a", "b"]}, "has 2 concepts and background of 3"),
        ({"background": [0, 0, 1]}, "has background [0, 0, 1]; allowed: true or false"),
        ({"family": 3}, "has family 3; allowed: a text"),
        ({"spans": [1, 4]}, "has a grid of 1 frames and spans of 2"),
        ({"spans": [10**9]}, "has spans [1000000000]; allowed: whole numbers from 0 to 64"),
        ({"spans": [0]}, "has a video of 0 frames"),
        ({"splits": [["a"], ["b"]]}, "has 3 concepts and splits of 2"),
        ({"splits": ["a", "b", "c"]}, "has splits ['a', 'b', 'c']; allowed: lists of texts"),
        ({"choices": ["all", "last"]}, "has 3 concepts and choices of 2"),
        ({"choices": [1, 2, 3]}, "has choices [1, 2, 3]; allowed: texts"),
        ({"seed": -(2**80)}, "has seed -1208925819614629174706176; allowed: nothing, or"),
        ({"seed": "7"}, "has seed '7'; allowed"),
        ({"labels": ["x" * 10**6, 1, 2]}, "..."),
        ({"labels": ["x" * 20_000, "b", "c"]}, "allowed: texts of at most 16,384 letters"),
        ({"labels": ["a", "b", "a"]}, "has labels ['a', 'b', 'a']; allowed: each once"),
        ({"background": [True] * 3}, "has background [True, True, True]; allowed: false at least"),
    ],
)
def test_a_description_that_does_not_fit(tmp_path, changes, told):
    content = packed(json.dumps(header(capture=described(**changes))))
    assert told in refused(tmp_path, content)


@pytest.mark.parametrize(
    ("capture", "told"),
    [
        ("", "its description cannot be read"),
        ("[]", "its description is not an object"),
        (DEEP, "is nested too deeply"),
        ('{"later": ' + DEEP[99_000:101_000] + "}", "is nested too deeply"),
        ('{"grid": ' + "[" * 600 + "]" * 600 + "}", ""),  # too deep, or no grid
        (described().replace("0.25", "NaN"), "NaN is not a number"),
        (described().replace("0.25", "-Infinity"), "-Infinity is not a number"),
        (described().replace("0.25", "1e999"), "has sigmas [1.0, inf]"),
        (described()[:-1] + ', "grid": [1, 2, 3]}', "'grid' is there twice"),
    ],
)
def test_a_description_that_is_not_one(tmp_path, capture, told):
    assert told in refused(tmp_path, packed(json.dumps(header(capture=capture))))


@pytest.mark.parametrize("name", ["grid", "picture", "labels", "family", "sigmas", "total_steps"])
def test_a_description_that_lacks_something(tmp_path, name):
    plain = {key: value for key, value in DESCRIPTION.items() if key != name}
    message = refused(tmp_path, packed(json.dumps(header(capture=json.dumps(plain)))))
    assert f"lacks a part of a capture ({name})" in message


def test_a_huge_header_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "huge"
    with path.open("wb") as file:
        file.write(struct.pack("<Q", 2**30))
        file.truncate(2**31)  # a hole: takes no room on the disk
    told = r"huge .*its header has 1,073,741,824 bytes; at most 16,777,216 are read"
    assert memory_of(path, told) < 2**20


def test_a_file_over_the_limit_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.write(sound())
        file.truncate(2**33 + 1)
    told = "large has 8,589,934,593 bytes; at most 8,589,934,592 are read"
    assert memory_of(path, told) < 2**20


def test_tensors_are_not_read_before_all_is_checked(tmp_path):
    """Scores of 1 GB that are there, in a file whose description does not fit them."""
    path = tmp_path / "large"
    size = 2**30
    claim = {"shape": [1, 2, 2, 3, size // 48], "data_offsets": [48, 48 + 4 * 12 * (size // 48)]}
    with path.open("wb") as file:
        file.write(packed(json.dumps(header(scores=claim)), b""))
        file.truncate(file.tell() + claim["data_offsets"][1])
    assert memory_of(path, "large has scores of shape") < 2**20


def memory_of(path, told):
    """The most bytes that Python held while the file was refused."""
    tracemalloc.start()
    try:
        with pytest.raises(ConceptAttentionError, match=told):
            load_capture(path)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_the_limits_are_those_that_the_help_pages_name():
    assert file_header.MOST_BYTES == 8 * 2**30
    assert file_header.MOST_HEADER == 16 * 2**20


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(ConceptAttentionError, match="there is no file"):
        load_capture(tmp_path)


def test_a_name_longer_than_any_is_refused(tmp_path):
    with pytest.raises(ConceptAttentionError, match=r"cannot be read|there is no file"):
        load_capture(tmp_path / ("a" * 5000))
