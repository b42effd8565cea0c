"""The pocket model's file: what is stored, what comes back, the encoder in closed form."""

import json

import pytest
import torch
from torch.nn import functional

from concept_attention.core.errors import ConceptAttentionError
from concept_attention.pocket import checkpoint, latents, vae
from concept_attention.pocket.prompts import CONCEPTS, SMALL_WORDS
from concept_attention.pocket.vocabulary import check_text
from concept_attention.pocket.world import scene

VOCABULARY = [0, 1, 6, 629, 2195]


@pytest.fixture(scope="module")
def fitted():
    return latents.fit(range(8))


@pytest.fixture(scope="module")
def stored(fitted):
    generator = torch.Generator().manual_seed(0)
    weights = {
        "flux.img_in.weight": torch.randn(256, 64, generator=generator),
        "flux.img_in.bias": torch.randn(256, generator=generator),
        "sd3.x_embedder.proj.weight": torch.randn(256, 16, 2, 2, generator=generator),
        "text.shared.weight": torch.randn(len(VOCABULARY), 8, generator=generator),
    }
    weights["flux.img_in.weight"][3] = 0
    decoder = {"1.weight": torch.randn(64, 16, 3, 3), "17.weight": torch.randn(24, 32, 3, 3)}
    content = checkpoint.shrink(weights, VOCABULARY)
    return weights, content | checkpoint.shrink_vae(
        decoder, dict(zip(("projection", "mean"), fitted, strict=True))
    )


def test_large_matrices_are_bytes_and_come_back_within_half_a_step(stored):
    weights, content = stored
    assert content["flux.img_in.weight"].dtype == torch.int8
    wanted = weights["flux.img_in.weight"]
    step = wanted.abs().amax(1, keepdim=True) / 127
    got = checkpoint.expand(content, {}).transformer["img_in.weight"]
    assert ((got - wanted).abs() <= step / 2 + 1e-6).all()
    assert torch.equal(got[3], torch.zeros(64))


def test_a_kernel_s_rows_are_bytes_too(stored):
    weights, content = stored
    wanted = weights["sd3.x_embedder.proj.weight"]
    assert content["sd3.x_embedder.proj.weight"].dtype == torch.int8
    step = wanted.flatten(1).abs().amax(1).view(-1, 1, 1, 1) / 127
    got = checkpoint.expand(content, {}, "sd3").transformer["x_embedder.proj.weight"]
    assert ((got - wanted).abs() <= step / 2 + 1e-6).all()


def test_a_file_without_a_vae_has_the_flux_s_with_its_own_latent_format(stored):
    own = {key: value for key, value in stored[1].items() if key.split(".")[0] != "decoder"}
    del own["latent.projection"], own["latent.mean"]
    theirs, ours = checkpoint.read().vae, checkpoint.expand(own, {}, "sd3").vae
    assert ours.keys() == theirs.keys()
    changed = {key for key in ours if not torch.equal(ours[key], theirs[key])}
    assert changed == {"vae_shift", "vae_scale"}
    assert ours["vae_scale"] == pytest.approx(1.5305 * vae.GAIN)
    assert ours["vae_shift"] == pytest.approx(0.0609)


def test_small_tensors_come_back_as_half_floats(stored):
    weights, content = stored
    got = checkpoint.expand(content, {}).transformer["img_in.bias"]
    assert torch.equal(got, weights["flux.img_in.bias"].half().float())


def test_only_the_vocabulary_s_rows_are_stored_and_the_others_are_zero(stored):
    weights, content = stored
    assert content["text.shared.weight"].shape == (5, 8)
    rows = checkpoint.expand(content, {}).text["shared.weight"]
    assert rows.shape == (32128, 8)
    assert torch.equal(rows[VOCABULARY], weights["text.shared.weight"].half().float())
    assert rows.abs().sum(1).nonzero().flatten().tolist() == VOCABULARY


def test_the_narrow_decoder_is_padded_with_zeros(stored):
    weight = checkpoint.expand(stored[1], {}).vae["taesd_decoder.17.weight"]
    assert weight.shape == (64, 64, 3, 3)
    assert weight[:24, :32].abs().sum() > 0
    assert not weight[24:].any()
    assert not weight[:, 32:].any()


def test_a_file_is_read_as_it_was_written(stored, tmp_path):
    path = tmp_path / "pocket.safetensors"
    checkpoint.write(path, stored[1], checkpoint.describe({"pictures": 3}))
    parts = checkpoint.read(path=path)
    again = checkpoint.expand(stored[1], {})
    assert all(
        torch.equal(parts.transformer[key], again.transformer[key]) for key in again.transformer
    )
    assert json.loads(parts.metadata["training"]) == {"pictures": 3}
    assert [file.name for file in tmp_path.iterdir()] == ["pocket.safetensors"]


def test_the_encoder_s_weights_compute_the_projection(fitted):
    """TAESD's encoder: convolutions, ReLU after each, residual blocks that add nothing."""
    picture = torch.from_numpy(scene(3, 128).picture)[None]
    state = vae.encoder_state(*fitted)
    x = picture.permute(0, 3, 1, 2).float() / 255
    for layer, stride in ((0, 1), (2, 2), (6, 2), (10, 2), (14, 1)):
        bias = state.get(f"taesd_encoder.{layer}.bias")
        x = functional.conv2d(x, state[f"taesd_encoder.{layer}.weight"], bias, stride, padding=1)
        x = x if layer == 14 else x.relu()
    wanted = vae.GAIN * latents.encode(picture, *fitted)
    assert torch.allclose(x, wanted, atol=1e-4)


def test_latents_have_about_unit_variance(fitted):
    pictures = torch.stack([torch.from_numpy(scene(seed).picture) for seed in range(6)])
    assert latents.encode(pictures, *fitted).std() == pytest.approx(1, abs=0.25)


@pytest.mark.parametrize(
    ("model", "limit", "present"), [("flux", 20e6, 0.9), ("sd3", 12e6, 0.9), ("video", 10.5e6, 0.8)]
)
def test_a_shipped_file_is_small_and_says_what_it_is(model, limit, present):
    assert checkpoint.FILES[model].stat().st_size <= limit
    metadata = checkpoint.read(model).metadata
    assert f"pocket model: tiny {checkpoint.TITLES[model]} class" in metadata["title"]
    assert json.loads(metadata["training"])["pictures"] > 100_000
    assert json.loads(metadata["scores"])["things present"] > present


@pytest.mark.parametrize(
    "text", ["", "house", "House, TREE", "a boat on the sea", "(house:1.2), tree\nsky", "the beach"]
)
def test_known_words_pass_in_lower_case(text):
    assert check_text(text) == text.lower()


@pytest.mark.parametrize(
    "text", ["dragon", "a house and a dragon", "trees", "house.", r"\(house\)"]
)
def test_an_unknown_word_is_named_with_the_known_ones(text):
    with pytest.raises(ConceptAttentionError, match="does not know") as error:
        check_text(text)
    assert all(word in str(error.value) for word in (*CONCEPTS, *SMALL_WORDS))
