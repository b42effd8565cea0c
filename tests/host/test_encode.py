"""The Concept Encoder with small random instances of the host's own text encoders."""

import inspect
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import comfy.sd
import pytest
import torch
from comfy import sd1_clip
from comfy.text_encoders import (
    flux,
    hunyuan_image,
    hunyuan_video,
    qwen_image,
    qwen_vl,
    z_image,
)
from comfy.text_encoders.sd3_clip import SD3Tokenizer, sd3_clip

from concept_attention.core.errors import ConceptAttentionError
from concept_attention.nodes import NODES
from concept_attention.nodes.encode import ConceptEncoder, encode_concepts

# transformers' own loading of CLIP's tokenizer
pytestmark = pytest.mark.filterwarnings("ignore:Deprecated in 0.9.0:DeprecationWarning")

MISTRAL_FILE = Path(__file__).parents[1] / "data" / "mistral_tokenizer.json"
LLAMA = {
    "vocab_size": 152000,
    "hidden_size": 8,
    "intermediate_size": 8,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
}
T5 = {"d_model": 64, "d_kv": 8, "num_heads": 2, "num_layers": 2, "d_ff": 64}
CLIP_L = {
    "hidden_size": 16,
    "num_attention_heads": 2,
    "num_hidden_layers": 2,
    "intermediate_size": 16,
}


def build(te, tokenizer, config, tokenizer_data=None):
    """The host's CLIP around a small encoder with random weights."""
    target = SimpleNamespace(params={}, clip=te, tokenizer=tokenizer)
    options = {f"{name}_model_config": values for name, values in config.items()}
    options["dtype"] = torch.float32
    clip = comfy.sd.CLIP(target, tokenizer_data=tokenizer_data or {}, model_options=options)
    generator = torch.Generator().manual_seed(0)
    for weight in clip.cond_stage_model.parameters():
        weight.data.normal_(1.0 if weight.ndim == 1 else 0.0, 0.3, generator=generator)
    return clip


def build_flux():
    return build(flux.flux_clip(), flux.FluxTokenizer, {"t5xxl": T5, "clip_l": CLIP_L})


def build_klein(name="qwen3_4b"):
    tokenizer = {"qwen3_4b": flux.KleinTokenizer, "qwen3_8b": flux.KleinTokenizer8B}[name]
    config = {name: LLAMA | {"num_hidden_layers": 28}}
    return build(flux.klein_te(model_type=name), tokenizer, config)


def build_flux2():
    data = torch.frombuffer(bytearray(MISTRAL_FILE.read_bytes()), dtype=torch.uint8)
    config = {"mistral3_24b": LLAMA | {"num_hidden_layers": 31, "vocab_size": 300}}
    return build(flux.flux2_te(), flux.Flux2Tokenizer, config, {"tekken_model": data})


def build_qwen():
    """The picture's side of the encoder, which no concept passes through, is made smaller too."""
    tower = qwen_vl.Qwen2VLVisionTransformer
    small = {"hidden_size": 16, "num_heads": 2, "num_layers": 1, "intermediate_size": 8}
    config = {"qwen25_7b": LLAMA | {"num_hidden_layers": 2}}
    with mock.patch.object(
        qwen_vl, "Qwen2VLVisionTransformer", lambda **given: tower(**{**given, **small})
    ):
        return build(qwen_image.te(), qwen_image.QwenImageTokenizer, config)


def build_z_image():
    config = {"qwen3_4b": LLAMA | {"num_hidden_layers": 3}}
    return build(z_image.te(), z_image.ZImageTokenizer, config)


def build_hunyuan():
    config = {"llama": LLAMA | {"num_hidden_layers": 4}, "clip_l": CLIP_L}
    te = hunyuan_video.hunyuan_video_clip(torch.float32)
    return build(te, hunyuan_video.HunyuanVideoTokenizer, config)


def build_hunyuan15():
    """The picture's side of the encoder, which no concept passes through, is left out."""
    config = {"qwen25_7b": LLAMA | {"num_hidden_layers": 4}}
    te = hunyuan_image.te(byt5=False)
    with mock.patch.object(qwen_vl, "Qwen2VLVisionTransformer", lambda **_: torch.nn.Identity()):
        return build(te, hunyuan_video.HunyuanVideo15Tokenizer, config)


BUILDERS = {
    "t5xxl": build_flux,
    "qwen3_4b": build_klein,
    "qwen3_8b": lambda: build_klein("qwen3_8b"),
    "mistral3_24b": build_flux2,
    "qwen25_7b": build_qwen,
    "z_image": build_z_image,
    "llama": build_hunyuan,
    "hunyuan15": build_hunyuan15,
}
CAUSAL = ["qwen3_4b", "qwen3_8b", "mistral3_24b", "qwen25_7b", "z_image", "hunyuan15"]


@pytest.fixture(scope="module")
def clips():
    return {name: build_clip() for name, build_clip in BUILDERS.items()}


@pytest.mark.parametrize("name", BUILDERS)
def test_an_embedding_is_the_host_s_own_row_for_the_token(clips, name):
    rows = clips[name].encode_from_tokens(clips[name].tokenize("red dragon"))
    for choice in ("first", "last"):
        (concept,) = encode_concepts(clips[name], ["red dragon"], [], choice).items
        assert concept.length == rows.shape[1]
        assert concept.embeddings.dtype == torch.float32
        (index,) = concept.indices
        assert torch.equal(concept.embeddings, rows[:, index])


@pytest.mark.parametrize("name", CAUSAL)
def test_an_output_row_belongs_to_the_token_of_the_same_index(clips, name):
    """Another last word changes its own row and what follows, and no row before it."""
    clip = clips[name]
    dragon, rock = (clip.encode_from_tokens(clip.tokenize(f"red {x}")) for x in ("dragon", "rock"))
    (index,) = encode_concepts(clip, ["red dragon"], [], "last").items[0].indices
    if name == "mistral3_24b":  # its test file has a token for " dragon", and none for " rock"
        assert clip.tokenize("red dragon")[name][0][index][0] == 281
    assert torch.equal(dragon[0, :index], rock[0, :index])
    assert (dragon[0, index] - rock[0, index]).abs().max() > 1e-3


def test_a_llama_row_belongs_to_the_token_of_the_same_index(clips):
    """In front of it is the mark that ends the template's beginning, whose row the host leaves."""
    clip = clips["llama"]
    dragon, rock = (clip.encode_from_tokens(clip.tokenize(x)) for x in ("dragon", "rock"))
    (concept,) = encode_concepts(clip, ["dragon"], []).items
    assert (concept.indices, concept.length) == ((1,), 3)
    assert torch.equal(dragon[0, :1], rock[0, :1])
    assert (dragon[0, 1] - rock[0, 1]).abs().max() > 1e-3


def test_a_t5_row_belongs_to_the_token_of_the_same_index():
    """With attention switched off a row depends on its own token alone."""
    clip = build_flux()
    for name, weight in clip.cond_stage_model.named_parameters():
        if name.endswith("SelfAttention.o.weight"):
            weight.data.zero_()
    one, other = (
        clip.encode_from_tokens(clip.tokenize(text)) for text in ("red dragon", "red rock")
    )
    differs = (one[0] - other[0]).abs().amax(-1) > 0
    assert differs.nonzero().flatten().tolist() == [1]
    last, first = (
        encode_concepts(clip, ["red dragon"], [], choice).items[0].embeddings
        for choice in ("last", "first")
    )
    assert torch.equal(last, one[:, 1])
    assert torch.equal(first, other[:, 0])


@pytest.mark.parametrize("name", BUILDERS)
def test_mean_is_the_mean_of_the_content_rows(clips, name):
    first, last, mean = (
        encode_concepts(clips[name], ["red dragon"], [], choice).items[0]
        for choice in ("first", "last", "mean")
    )
    rows = clips[name].encode_from_tokens(clips[name].tokenize("red dragon"))
    expected = rows[:, first.indices[0] : last.indices[0] + 1].mean(1)
    assert (mean.indices, mean.length) == (last.indices, last.length)
    assert torch.equal(mean.embeddings, expected)


@pytest.mark.parametrize("name", BUILDERS)
def test_all_are_the_host_s_own_rows_of_every_content_token(clips, name):
    rows = clips[name].encode_from_tokens(clips[name].tokenize("red dragon"))
    concepts = encode_concepts(clips[name], ["red dragon", "rock"], [], "all")
    first, last = (
        encode_concepts(clips[name], ["red dragon"], [], choice).items[0].indices[0]
        for choice in ("first", "last")
    )
    own = concepts.items[0]
    assert own.indices == tuple(range(first, last + 1))
    assert len(own.split) == len(own.indices) > 1
    assert torch.equal(own.embeddings, rows[0, first : last + 1])
    assert concepts.counts == (len(own.indices), len(concepts.items[1].indices))
    assert torch.equal(concepts.tokens[: len(own.indices)], own.embeddings)
    assert concepts.places[: len(own.indices)] == tuple((i, own.length) for i in own.indices)


def test_a_choice_of_its_own_for_single_concepts(clips):
    output = ConceptEncoder.execute(
        clips["t5xxl"],
        'red dragon, "red, white flag", rock',
        "blue sky",
        "last",
        tokens_per_concept='"Red, white flag": all, blue sky: first',
    )
    (concepts,) = output.result
    assert [concept.choice for concept in concepts.items] == ["last", "all", "last", "first"]
    assert concepts.counts == (1, 4, 1, 1)


def test_the_node_shows_how_each_concept_was_split(clips):
    output = ConceptEncoder.execute(
        clips["t5xxl"], "skyscraper, sand", "background", "all", tokens_per_concept="sand: last"
    )
    assert output.ui.as_dict()["text"] == (
        "skyscraper: sky|s|cra|per (all tokens)\n"
        "sand: \u00b7|s|and (last token)\n"
        "background: background",
    )


@pytest.mark.parametrize("name", BUILDERS)
def test_a_concept_does_not_depend_on_its_neighbours_or_its_place(clips, name):
    many = encode_concepts(clips[name], ["red dragon", "rock", "sky"], ["background"])
    turned = encode_concepts(clips[name], ["sky", "red dragon"], [])
    assert torch.equal(many.items[0].embeddings, turned.items[1].embeddings)
    assert torch.equal(many.items[2].embeddings, turned.items[0].embeddings)
    distinct = {tuple(concept.embeddings.flatten().tolist()) for concept in many.items}
    assert len(distinct) == 4


def test_the_node_gives_shown_concepts_first_and_then_the_background(clips):
    output = ConceptEncoder.execute(
        clips["t5xxl"], 'Red Dragon,\n"rock, grey", café', "floor, Wand", "auto"
    )
    (concepts,) = output.result
    assert concepts.encoder == "t5xxl"
    assert concepts.labels == ("Red Dragon", "rock, grey", "café", "floor", "Wand")
    assert concepts.background == (False, False, False, True, True)
    assert {concept.embeddings.shape[1:] for concept in concepts.items} == {(64,)}
    assert {str(concept.embeddings.device) for concept in concepts.items} == {"cpu"}


@pytest.mark.parametrize(("choice", "rows"), [("last", 1), ("mean", 1), ("all", 2)])
def test_embeddings_own_their_memory_and_not_the_whole_output(clips, choice, rows):
    (concept,) = encode_concepts(clips["qwen3_4b"], ["red dragon"], [], choice).items
    assert concept.embeddings.untyped_storage().nbytes() == rows * 24 * 4


def test_a_lora_and_a_layer_set_on_the_clip_count(clips):
    plain = clips["t5xxl"]
    key = "t5xxl.transformer.shared.weight"
    changed = plain.clone()
    assert changed.add_patches({key: ("diff", (torch.ones(32128, 64),))}) == [key]
    layered = plain.clone()
    layered.clip_layer(0)
    embeddings = []
    for clip in (plain, changed, layered):
        rows = clip.encode_from_tokens(clip.tokenize("rock"))
        embeddings.append(encode_concepts(clip, ["rock"], []).items[0].embeddings)
        assert torch.equal(embeddings[-1], rows[:, 0])
    assert not torch.equal(embeddings[0], embeddings[1])
    assert not torch.equal(embeddings[0], embeddings[2])


def test_the_clip_is_left_as_it_was(clips):
    clip = clips["t5xxl"]
    tokenizer, before = clip.tokenizer, dict(vars(clip.tokenizer))
    encode_concepts(clip, ["embedding:foo", "(rock)"], [])
    assert clip.tokenizer is tokenizer
    assert vars(tokenizer) == before
    assert tokenizer.t5xxl.embedding_identifier == "embedding:"


def test_several_encodings_of_one_text_are_an_error(clips):
    clip = clips["t5xxl"].clone()
    clip.encode_from_tokens_scheduled = lambda tokens, **kwargs: [[None, {}], [None, {}]]
    with pytest.raises(ConceptAttentionError, match="2 encodings of one text"):
        encode_concepts(clip, ["dragon"], [])


def test_an_encoder_that_drops_rows_is_an_error(clips):
    clip = clips["qwen3_4b"].clone()
    clip.encode_from_tokens_scheduled = lambda tokens, **kwargs: [[torch.zeros(1, 500, 24), {}]]
    with pytest.raises(ConceptAttentionError, match=r"\(1, 500, 24\) for 512 tokens"):
        encode_concepts(clip, ["dragon"], [])


def test_an_unsupported_clip_is_an_error_that_lists_the_supported_ones():
    clip = build(sd1_clip.SD1ClipModel, sd1_clip.SD1Tokenizer, {"clip_l": CLIP_L})
    with pytest.raises(ConceptAttentionError, match=r"\(l\) belongs.*t5xxl \(FLUX\.1, CogVideoX"):
        ConceptEncoder.execute(clip, "dragon", "background", "auto")


# The host fills CLIP's rows up to T5's real width; few words keep so wide a table small.
WIDE_T5 = {**T5, "d_model": 4096, "vocab_size": 2000}
CLIP_3 = {**CLIP_L, "num_hidden_layers": 3}
SD3 = {"t5xxl": WIDE_T5, "clip_l": CLIP_3, "clip_g": CLIP_3}


@pytest.fixture(scope="module")
def sd3_both():
    return build(sd3_clip(), SD3Tokenizer, SD3)


@pytest.mark.parametrize(("kind", "name"), [("auto", "clip_l+clip_g"), ("T5", "t5xxl")])
@pytest.mark.parametrize("choice", ["first", "last", "mean", "all"])
def test_sd3_gives_rows_of_either_encoder(sd3_both, kind, name, choice):
    rows = sd3_both.encode_from_tokens(sd3_both.tokenize("red house"))[0]
    assert rows.shape == (77 + 77, 4096)
    concepts = encode_concepts(sd3_both, ["red house"], [], choice, kind)
    assert concepts.encoder == name
    # CLIP: start, red, house, end; T5: red, house, end.
    red = 1 if kind == "auto" else 77
    both = rows[red : red + 2]
    wanted = {"first": both[:1], "last": both[1:], "mean": both.mean(0, True), "all": both}
    assert torch.equal(concepts.items[0].embeddings, wanted[choice])
    assert concepts.items[0].split == ("red", "house")


def test_sd3_with_one_encoder_alone():
    for given, kind in (
        ({"clip_g": False, "t5": False}, "CLIP"),
        ({"clip_l": False, "clip_g": False}, "T5"),
    ):
        clip = build(sd3_clip(**given), SD3Tokenizer, {**SD3, "t5xxl": T5})
        rows = clip.encode_from_tokens(clip.tokenize("dragon"))[0]
        (concept,) = encode_concepts(clip, ["dragon"], []).items
        row = 1 if kind == "CLIP" else 0
        assert torch.equal(concept.embeddings, rows[row : row + 1])
        other = {"CLIP": "T5", "T5": "CLIP"}[kind]
        with pytest.raises(ConceptAttentionError, match=f"encoder: {other} was chosen"):
            encode_concepts(clip, ["dragon"], [], kind=other)


def test_no_clip_is_an_error():
    with pytest.raises(ConceptAttentionError, match="clip: there is none"):
        ConceptEncoder.execute(None, "dragon", "background", "auto")


@pytest.mark.parametrize(
    ("own", "text"),
    [
        ("rock: all", 'tokens_per_concept: there is no concept "rock"'),
        ("red dragon: middle", "'red dragon: middle' does not say which tokens"),
        ("red dragon", "'red dragon' does not say which tokens"),
        ("sky: all, Sky: last", '"sky" is there twice'),
        ("sky: all,, red dragon: last", "tokens_per_concept: there is an empty entry"),
    ],
)
def test_a_bad_choice_for_a_concept_is_refused_before_anything_runs(own, text):
    given = {"concepts": "red dragon", "background": "sky", "tokens_per_concept": own}
    assert text in ConceptEncoder.validate_inputs(**given)


@pytest.mark.parametrize(
    ("concepts", "background", "text"),
    [
        ("a,,b", "background", "empty entry in 'a,,b'"),
        ("Dog, dog", "background", '"Dog" and "dog"'),
        ("dragon", "", "1.0 in every pixel"),
        ("sky, dragon", "sky", '"sky" is also in background'),
        ("a,,b", None, "concepts: there is an empty entry"),
        (None, "a,,b", "background: there is an empty entry"),
    ],
)
def test_bad_text_is_refused_before_anything_runs(concepts, background, text):
    assert text in ConceptEncoder.validate_inputs(concepts=concepts, background=background)


def test_linked_and_missing_texts_are_not_judged_before_the_run():
    validate = ConceptEncoder.validate_inputs
    assert validate() is True
    assert validate(concepts="dragon") is True
    assert validate(background="") is True
    assert validate(concepts="dragon, rock", background="") is True
    assert validate(concepts="dragon", tokens_per_concept="rock: all") is True


def test_the_schema_names_execute_s_parameters_and_explains_each():
    schema = ConceptEncoder.define_schema()
    assert ConceptEncoder in NODES
    parameters = list(inspect.signature(ConceptEncoder.execute).parameters)
    assert [item.id for item in schema.inputs] == parameters
    assert all(item.tooltip for item in (*schema.inputs, *schema.outputs))


def test_the_nouns_of_a_prompt_are_the_concepts_where_none_are_written(clips):
    given = {"clip": clips["t5xxl"], "background": "background", "tokens": "auto"}
    prompt = "(masterpiece), a red Dragon on a rock, white background"
    for blank in ("", " \n"):
        concepts = ConceptEncoder.execute(concepts=blank, prompt=prompt, **given).result[0]
        assert [each.label for each in concepts.items] == ["Dragon", "rock", "background"]
    written = ConceptEncoder.execute(concepts="sky", prompt=prompt, **given).result[0]
    assert [each.label for each in written.items] == ["sky", "background"]


@pytest.mark.parametrize("prompt", ["", "masterpiece, best quality"])
def test_a_prompt_without_a_noun_is_an_error_before_anything_is_encoded(prompt):
    clip = mock.Mock(spec=())  # any use is an AttributeError
    with pytest.raises(ConceptAttentionError, match=f"prompt: no noun was found in '{prompt}'"):
        ConceptEncoder.execute(clip, "", "background", "auto", prompt=prompt)


def test_empty_concepts_are_accepted_only_with_a_prompt():
    validate = ConceptEncoder.validate_inputs
    given = {"concepts": " ", "background": "background"}
    assert "holds no concept" in validate(**given)
    assert validate(**given, prompt=None) is True  # linked
    assert validate(**given, prompt="a dragon on a rock") is True
    assert "no noun was found in 'very big'" in validate(**given, prompt="very big")
    assert "empty entry in 'a,,b'" in validate(concepts="", background="a,,b", prompt=None)
    own = {"tokens_per_concept": "sky: all"}
    assert 'no concept "sky"' in validate(**given, prompt="a dragon on a rock", **own)
    assert validate(**given, prompt=None, **own) is True
