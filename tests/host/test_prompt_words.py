"""The words of a prompt by the host's own tokenizers, and their rows by its text encoders."""

import pytest
import torch

from concept_attention.core.errors import ConceptAttentionError
from concept_attention.core.words import check_prompts
from concept_attention.nodes.encode import ConceptEncoder, encode_words
from concept_attention.nodes.encode_inputs import WORDS

from .test_encode import BUILDERS, build_flux
from .test_tokenizers import clips as echoes  # noqa: F401 - a fixture

# transformers' own loading of CLIP's tokenizer
pytestmark = pytest.mark.filterwarnings("ignore:Deprecated in 0.9.0:DeprecationWarning")

PROMPT = "a (red dragon:1.2), on a Skyscraper's roof"
WORDS_OF_IT = ("a", "red", "dragon", "on", "a (2)", "Skyscraper's", "roof")


def told(clip, prompt, kind="auto"):
    """Label -> (ids of its tokens, their rows)."""
    found = encode_words(clip, prompt, kind)
    assert found.of_prompt
    return {
        each.label: ([int(i) for i in each.embeddings.flatten()], each.indices)
        for each in found.items
    }


@pytest.mark.parametrize("name", ["flux", "sd3", "gemma"])
def test_weights_are_left_out_where_the_encoder_knows_them(echoes, name):  # noqa: F811
    assert tuple(told(echoes[name], PROMPT)) == WORDS_OF_IT


@pytest.mark.parametrize("name", ["klein_4b", "klein_9b", "qwen", "z_image", "mistral"])
def test_weights_are_text_where_they_are_text_to_the_encoder(echoes, name):  # noqa: F811
    labels = tuple(told(echoes[name], PROMPT))
    assert labels == ("a", "red", "dragon", "1.2", "on", "a (2)", "Skyscraper's", "roof")


def test_t5_s_pieces_and_rows(echoes):  # noqa: F811
    found = told(echoes["flux"], "red dragon, red")
    assert found == {"red": ([1131], (0,)), "dragon": ([14580], (1,)), "red (2)": ([1131], (3,))}
    assert encode_words(echoes["flux"], "red dragon, red").items[0].length == 256


def test_klein_s_rows_are_behind_its_template(echoes):  # noqa: F811
    found = told(echoes["klein_4b"], "red dragon")
    assert found == {"red": ([1151], (3,)), "dragon": ([25105], (4,))}
    assert encode_words(echoes["klein_4b"], "red dragon").items[0].length == 512


def test_sd3_s_rows_are_clip_s_or_t5_s(echoes):  # noqa: F811
    clip = told(echoes["sd3"], "red dragon", "CLIP")
    t5 = told(echoes["sd3"], "red dragon", "T5")
    assert [rows for _, rows in clip.values()] == [(1,), (2,)]
    assert t5 == {"red": ([1131], (77,)), "dragon": ([14580], (78,))}


def test_a_prompt_longer_than_clip_s_window_has_all_its_words(echoes):  # noqa: F811
    prompt = ", ".join(f"dragon rock{'y' * (i % 2)}" for i in range(40))
    found = told(echoes["sd3"], prompt, "CLIP")
    assert len(found) == 80
    assert found["dragon"][1] == (1,)
    again = [rows for label, (_, rows) in found.items() if label.startswith("dragon")]
    assert max(max(rows) for rows in again) > 77
    assert len({row for rows in again for row in rows}) == 40


@pytest.fixture(scope="module")
def real():
    return {name: builder() for name, builder in BUILDERS.items()}


@pytest.mark.parametrize("name", BUILDERS)
def test_words_are_rows_of_the_prompts_own_conditioning(real, name):
    clip = real[name]
    rows = clip.encode_from_tokens(clip.tokenize("a red dragon on rock"))
    found = encode_words(clip, "a red dragon on rock")
    assert found.labels == ("a", "red", "dragon", "on", "rock")
    for each in found.items:
        assert each.length == rows.shape[1]
        assert torch.equal(each.embeddings, rows[0, list(each.indices)])
    places = [index for index, _ in found.places]
    assert places == sorted(set(places))


def test_the_encoded_prompt_is_told_from_another_and_from_its_other_weights(real):
    clip = real["t5xxl"]

    def positive(text):
        ((rows, _),) = clip.encode_from_tokens_scheduled(clip.tokenize(text))
        return [{"cross_attn": rows}]

    found = encode_words(clip, PROMPT)
    check_prompts(found, positive(PROMPT), "positive")
    for other in (PROMPT.replace("1.2", "1.6"), PROMPT.replace("dragon", "tree"), "rock"):
        with pytest.raises(ConceptAttentionError, match="its tokens are others"):
            check_prompts(found, positive(other), "positive")


def test_the_node_shows_the_words_and_says_what_it_lacks():
    clip = build_flux()
    asked = {"concepts": "tree", "background": "", "tokens": "auto", "source": WORDS}
    output = ConceptEncoder.execute(clip, **asked, prompt="Red skyscraper, (rock:0.8)")
    (found,) = output.result
    assert found.labels == ("Red", "skyscraper", "rock")
    assert "skyscraper: sky|s|cra|per (all tokens)" in output.ui.as_dict()["text"][0]
    for prompt in (None, "", "  "):
        with pytest.raises(ConceptAttentionError, match="prompt: there is none, and source asks"):
            ConceptEncoder.execute(clip, **asked, prompt=prompt)
    with pytest.raises(ConceptAttentionError, match="has 1 words"):
        ConceptEncoder.execute(clip, **asked, prompt="dragon!")
    assert "prompt: there is none" in ConceptEncoder.validate_inputs("", "", source=WORDS)
    assert ConceptEncoder.validate_inputs("", "", prompt=None, source=WORDS) is True
