"""The pocket video model as its node hands it out: host loaders, known words, clips, maps."""

from statistics import mean, median

import nodes
import pytest
import torch

from concept_attention.core.decode import decode
from concept_attention.core.errors import ConceptAttentionError
from concept_attention.nodes.capture import attach_to_model, make_run
from concept_attention.nodes.encode import encode_concepts
from concept_attention.nodes.pocket import LoadPocketModel
from concept_attention.pocket import checkpoint, clips, measure, video_latents, video_train
from concept_attention.pocket.things import THINGS
from concept_attention.pocket.world import LABELS
from truth_motion import centres, correlation
from truth_video import TOKEN, there, way


@pytest.fixture(scope="module")
def parts():
    return checkpoint.read("video")


@pytest.fixture(scope="module")
def loaded():
    with torch.inference_mode():
        return LoadPocketModel.execute("CogVideoX").args


@pytest.fixture(autouse=True)
def _no_gradients():
    with torch.inference_mode():
        yield


def prompt(clip, words):
    return nodes.CLIPTextEncode().encode(clip, words)[0]


def sample(loaded, words, steps=3, seed=0, length=4):
    model, clip, vae = loaded
    empty = {"samples": torch.zeros(1, 16, length, 16, 20)}
    given = (prompt(clip, words), prompt(clip, ""), empty)
    out = nodes.KSampler().sample(model, seed, steps, 3.0, "euler", "simple", *given)[0]
    return nodes.VAEDecode().decode(vae, out)[0]


def test_it_is_of_the_host_s_own_class_with_rotary_positions(loaded):
    model = loaded[0].get_model_object("diffusion_model")
    assert type(model).__name__ == "CogVideoXTransformer3DModel"
    assert type(model).__module__.startswith("comfy.ldm.")
    assert model.use_rotary_positional_embeddings
    assert model.num_attention_heads >= 2


def test_every_weight_of_the_file_reaches_the_host(loaded, parts):
    transformer = loaded[0].get_model_object("diffusion_model").state_dict()
    assert transformer.keys() == parts.transformer.keys()
    assert all(torch.equal(transformer[key], parts.transformer[key]) for key in transformer)
    vae = loaded[2].first_stage_model.state_dict()
    assert vae.keys() == parts.vae.keys()
    assert all(torch.equal(vae[key], parts.vae[key]) for key in vae)


def test_the_vae_encodes_what_the_transformer_was_trained_on(loaded):
    model, _, vae = loaded
    frames = torch.from_numpy(clips.clip(5).frames)
    latent = nodes.VAEEncode().encode(vae, frames.float() / 255)[0]["samples"]
    fitted: video_latents.Latents = checkpoint.stored_video_vae()[0]
    assert latent.shape == (1, 16, 4, 16, 20)
    wanted = fitted.encode(frames[None])
    assert torch.allclose(model.model.process_latent_in(latent), wanted, atol=1e-3)


def test_the_vae_gives_a_clip_back(loaded):
    frames = torch.from_numpy(clips.clip(5).frames).float() / 255
    again = loaded[2].decode(loaded[2].encode(frames))[0]
    assert again.shape == frames.shape
    assert (again - frames).abs().mean() < 0.03


def test_the_model_sees_what_it_was_trained_on_whatever_the_noise(loaded):
    """The host's own sampling would give it an input of 4,519 at the first step."""
    sampling = loaded[0].get_model_object("model_sampling")
    assert torch.equal(sampling.sigmas, video_train.schedule())
    torch.manual_seed(0)
    clean, noise = torch.randn(1, 16, 4, 8, 8), torch.randn(1, 16, 4, 8, 8)
    for sigma in sampling.sigmas[[0, 400, 999]]:
        given = sampling.calculate_input(sigma[None], clean + sigma * noise)
        assert 0.9 < given.std() < 1.1
        # The velocity that training asks for gives back what was clean.
        velocity = (noise - sigma * clean) / (sigma.square() + 1).sqrt()
        found = sampling.calculate_denoised(sigma[None], velocity, clean + sigma * noise)
        assert torch.allclose(found, clean, atol=1e-2)


@pytest.mark.parametrize("words", ["a dragon", "a house"])
def test_a_word_of_no_clip_is_an_error_that_lists_the_known_ones(loaded, words):
    with pytest.raises(ConceptAttentionError, match="does not know") as error:
        prompt(loaded[1], words)
    assert all(word in str(error.value) for word in clips.CONCEPTS)
    assert "mushroom" not in str(error.value)


def test_a_clip_comes_out_and_the_same_again(loaded):
    first = sample(loaded, "a boat on the sea")
    assert first.shape == (13, 128, 160, 3)
    assert torch.equal(first, sample(loaded, "a boat on the sea"))


def test_a_clip_can_be_shorter(loaded):
    assert sample(loaded, "a boat on the sea", length=2).shape == (5, 128, 160, 3)


def test_prompted_things_are_in_the_clips_and_move(loaded):
    reader = measure.Reader.load(measure.CLIPS_FILE)
    found = 0
    for name in clips.MOVES:
        frames = sample(loaded, name, steps=12).clamp(0, 1)
        blocks = reader.blocks((frames * 255).round().to(torch.uint8))
        found += there(blocks[:, list(THINGS).index(name)])
        assert (frames[0] - frames[-1]).abs().mean() > 0.005
    assert found >= 5  # of 7


def held_out(model, clip, vae, seed):
    """From one forward of a held-out clip, half noised: the share of the pixels of all frames whose
    highest map is their own label's, and for each thing the correlation of its map's centre with
    its own.
    """
    drawn = clips.clip(seed)
    names = [*drawn.things, drawn.ground, drawn.sky]
    frames = torch.from_numpy(drawn.frames).float() / 255
    latent = {"samples": vae.encode(frames)}
    given = prompt(clip, " and ".join(names))
    concepts = encode_concepts(clip, names, ["background"])
    run = make_run(model, concepts, "all", "all", 64, None)
    settings = (seed, 1, 1.0, "euler", "simple", given, given, latent)
    nodes.common_ksampler(attach_to_model(model, run), *settings, denoise=0.35)
    capture = run.capture()
    labels = torch.from_numpy(drawn.labels).long()
    wanted = torch.tensor([LABELS.index(name) for name in names])
    heat = decode(capture, frames="video").values[:, 0]  # [C, 13, 8, 10]
    full = torch.nn.functional.interpolate(heat, labels.shape[1:], mode="bilinear")
    right = (wanted[full.argmax(0)] == labels).float().mean().item()
    maps = decode(capture, frames="latent").values[:, 0]
    follows = [
        correlation(centres(maps[i]) * TOKEN, way(labels == wanted[i]))
        for i in range(len(drawn.things))
    ]
    return right, follows


def test_maps_follow_the_labels_and_the_motion_of_clips_that_training_never_saw(loaded):
    found = [held_out(*loaded, 10**9 + seed) for seed in range(8)]
    assert mean(right for right, _ in found) > 0.75
    follows = [one for _, clip in found for one in clip]
    assert median(follows) > 0.9
    assert mean(follows) > 0.5
