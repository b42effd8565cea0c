"""The pocket model as its node hands it out: host loaders, known words, a picture in few steps."""

import nodes
import pytest
import torch

from concept_attention.core.errors import ConceptAttentionError
from concept_attention.nodes.encode import encode_concepts
from concept_attention.nodes.pocket import LoadPocketModel
from concept_attention.pocket import checkpoint, latents, text
from concept_attention.pocket.prompts import CONCEPTS, SYNONYMS, TEXT_TOKENS, WORDS
from concept_attention.pocket.world import scene


@pytest.fixture(scope="module")
def parts():
    return checkpoint.read()


@pytest.fixture(scope="module")
def loaded():
    with torch.inference_mode():
        return LoadPocketModel.execute().args


@pytest.fixture(autouse=True)
def _no_gradients():
    with torch.inference_mode():
        yield


def prompt(clip, words):
    return nodes.CLIPTextEncode().encode(clip, words)[0]


def sample(loaded, words, steps=3, seed=0):
    model, clip, vae = loaded
    empty = {"samples": torch.zeros(1, 16, 32, 32)}
    given = (prompt(clip, words), prompt(clip, ""), empty)
    out = nodes.KSampler().sample(model, seed, steps, 2.0, "euler", "simple", *given)[0]
    return nodes.VAEDecode().decode(vae, out)[0]


def test_it_is_a_flux_of_two_or_more_heads(loaded):
    model = loaded[0].get_model_object("diffusion_model")
    assert type(model).__module__ == "comfy.ldm.flux.model"
    assert model.num_heads >= 2
    assert not loaded[0].model.model_config.unet_config["guidance_embed"]


def test_every_weight_of_the_file_reaches_the_host(loaded, parts):
    flux = loaded[0].get_model_object("diffusion_model").state_dict()
    assert flux.keys() == parts.transformer.keys()
    assert all(torch.equal(flux[key], parts.transformer[key]) for key in flux)
    t5 = loaded[1].cond_stage_model.t5xxl.transformer.state_dict()
    assert t5.keys() == parts.text.keys()
    assert all(torch.equal(t5[key], parts.text[key]) for key in t5)
    vae = loaded[2].first_stage_model.state_dict()
    assert vae.keys() == parts.vae.keys()
    assert all(torch.equal(vae[key], parts.vae[key]) for key in vae)


def test_a_prompt_is_encoded_as_in_training(loaded, parts):
    vocabulary = text.vocabulary()
    model = text.build(len(vocabulary))
    rows = {**parts.text, "shared.weight": parts.text["shared.weight"][vocabulary]}
    model.load_state_dict(rows)
    for words in ("house", "a boat and the moon on the sea at night", "car, sand", ""):
        ids = text.token_ids(words)
        assert len(ids) == TEXT_TOKENS
        wanted = model(torch.tensor([[vocabulary.index(i) for i in ids]]), None)[0]
        assert torch.allclose(prompt(loaded[1], words)[0][0], wanted, atol=1e-5)


def test_the_vae_encodes_what_the_transformer_was_trained_on(loaded, parts):
    """The encoder is a projection in closed form: a picture's latent is known without it."""
    model, _, vae = loaded
    picture = torch.from_numpy(scene(5).picture)[None]
    latent = nodes.VAEEncode().encode(vae, picture.float() / 255)[0]["samples"]
    projection = checkpoint.tensors()["latent.projection"], checkpoint.tensors()["latent.mean"]
    wanted = latents.encode(picture, *projection)
    assert torch.allclose(model.model.process_latent_in(latent), wanted, atol=1e-3)


def test_the_vae_gives_a_picture_back(loaded):
    vae = loaded[2]
    picture = torch.from_numpy(scene(5).picture)[None].float() / 255
    again = vae.decode(vae.encode(picture))
    assert again.shape == picture.shape
    assert (again - picture).abs().mean() < 0.03


@pytest.mark.parametrize("words", ["a dragon", "house and dragons", "embedding:house", "house."])
def test_an_unknown_word_is_an_error_that_lists_the_known_ones(loaded, words):
    with pytest.raises(ConceptAttentionError, match="does not know") as error:
        prompt(loaded[1].clone(), words)
    assert all(word in str(error.value) for word in WORDS)


def test_an_unknown_concept_is_an_error_too(loaded):
    with pytest.raises(ConceptAttentionError, match='"dragon"'):
        encode_concepts(loaded[1], ["house", "dragon"], ["background"])


def test_every_known_word_can_be_a_concept(loaded):
    words = [*CONCEPTS, *SYNONYMS]
    concepts = encode_concepts(loaded[1], words, ["background"])
    assert concepts.encoder == "t5xxl"
    embeddings = concepts.tokens
    apart = torch.cdist(embeddings, embeddings) + 1e6 * torch.eye(len(embeddings))
    assert apart.min() > 0.1


@pytest.mark.parametrize("words", ["A House, a TREE", "(house:1.3) and a tree", "house,\ntree", ""])
def test_case_weights_and_line_breaks_are_understood(loaded, words):
    rows = prompt(loaded[1], words)[0][0]
    assert rows.shape == (1, TEXT_TOKENS, 128)


def test_a_picture_comes_out_and_the_same_again(loaded):
    first = sample(loaded, "a house on grass under the sky")
    assert first.shape == (1, 256, 256, 3)
    assert 0 <= first.min() < first.max() <= 1
    assert torch.equal(first, sample(loaded, "a house on grass under the sky"))


def brightness(loaded, words, rows):
    """Mean of these picture rows over three seeds."""
    pictures = [sample(loaded, words, 6, seed)[0, rows] for seed in range(3)]
    return torch.stack(pictures).mean()


def test_the_prompt_decides_what_the_picture_shows(loaded):
    """Night is darker than day at the top, the sea darker than snow at the bottom."""
    top, bottom = slice(0, 60), slice(-60, None)
    night = brightness(loaded, "a tree on snow at night", top)
    assert brightness(loaded, "a tree on snow under the sky", top) > night + 0.3
    sea = brightness(loaded, "a tree on the sea at sunset", bottom)
    assert brightness(loaded, "a tree on snow at sunset", bottom) > sea + 0.1
