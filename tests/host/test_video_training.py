"""What the pocket video model is trained on and how: clips, the host's VAE class, two losses."""

import math

import comfy.sd
import pytest
import torch

from concept_attention.pocket import (
    clip_book,
    clips,
    fast_video,
    kinds,
    text,
    train,
    video_decoder,
    video_latents,
    video_train,
    video_vae,
    words,
)

SEEDS = range(24)


@pytest.fixture(scope="module")
def latents():
    return video_latents.fit(range(10))


@pytest.fixture(scope="module")
def book(latents):
    return clip_book.ClipBook(SEEDS, latents)


@pytest.fixture(scope="module")
def vae(latents):
    """The host's VAE with the encoder in closed form and a decoder of random weights."""
    torch.manual_seed(0)
    decoder = video_decoder.Decoder()
    for weight in decoder.parameters():
        weight.data.add_(torch.randn_like(weight), alpha=0.02)
    state = video_vae.encoder_state(latents) | video_vae.decoder_state(decoder.state_dict())
    vae = comfy.sd.VAE(sd=state, dtype=torch.float32)
    vae.throw_exception_if_invalid()
    return vae, decoder


@pytest.fixture
def model(latents):
    """A pocket video model at the start of its training, no weight zero."""
    torch.manual_seed(0)
    model = train.Pocket(len(text.vocabulary()), kinds.KINDS["video"])
    model.flow_scale = latents.projection.norm(dim=1).view(-1, 1, 1, 1)
    for weight in model.parameters():
        weight.data.add_(torch.randn_like(weight), alpha=0.02)
    return model


@pytest.mark.parametrize("count", [1, 5, 13])
def test_the_host_s_encoder_computes_the_latents(vae, latents, count):
    frames = torch.from_numpy(clips.clip(3).frames)[:count, :48, :64]
    with torch.inference_mode():
        found = vae[0].encode(frames.float() / 255)
    wanted = latents.encode(frames[None]) * video_vae.GAIN
    assert found.shape == wanted.shape == (1, 16, 1 + count // 4, 6, 8)
    assert torch.allclose(found, wanted, atol=1e-4)


def test_clips_of_a_batch_are_encoded_each_on_its_own(vae, latents):
    frames = torch.stack([torch.from_numpy(clips.clip(s).frames)[:9, :16, :24] for s in (1, 2)])
    with torch.inference_mode():
        found = vae[0].first_stage_model.encode(frames.permute(0, 4, 1, 2, 3).float() / 255)
    assert torch.allclose(found, latents.encode(frames) * video_vae.GAIN, atol=1e-4)


def test_the_host_s_decoder_is_the_one_that_was_trained(vae):
    torch.manual_seed(1)
    latent = torch.randn(1, 16, 3, 3, 4)
    with torch.inference_mode():
        found, wanted = vae[0].decode(latent), vae[1](latent).permute(0, 1, 3, 4, 2)
    assert found.shape == wanted.shape == (1, 9, 24, 32, 3)
    assert torch.allclose(found, wanted, atol=1e-5)


def test_a_decoder_learns_from_crops(latents):
    torch.manual_seed(0)
    clean, frames = next(video_decoder.crops(latents))
    assert clean.shape == (4, 16, 4, 8, 8) and frames.shape == (4, 13, 64, 64, 3)
    # The crop's blocks are those of its pixels.
    assert torch.allclose(latents.encode(frames), clean, atol=1e-4)


@pytest.mark.parametrize("shape", [(3, 8, 12), (1, 4, 6)])
def test_the_blocks_that_are_trained_are_the_host_s(model, shape):
    x, context = torch.randn(2, 16, *shape), torch.randn(2, 5, text.WIDTH)
    time = torch.tensor([40.0, 900.0])
    with torch.inference_mode():
        wanted = model.transformer(x, time, context)
        found, looks = fast_video.forward(model.transformer, x, time, context, 1.0)
    assert (found - wanted).abs().max() / wanted.abs().max() < 1e-5
    assert looks.shape == (6, 2, 5)
    assert looks.min() >= 0 and looks.max() <= 1


def test_batches_have_latents_and_things_of_every_latent_frame(book):
    torch.manual_seed(0)
    batch = book.batch(16, half=False, names=0)
    assert batch.latents.shape == (16, 16, 4, 16, 20)
    assert batch.things.shape == (16, 4, 16, 20)
    half = book.batch(16, half=True, names=book.names.shape[-1])
    assert half.latents.shape == (16, 16, 4, 8, 10)
    assert half.things.shape == (16, 4, 8, 10)
    assert torch.equal(half.true, (half.verdicts == words.RIGHT).all(1))


def test_no_text_names_what_no_clip_shows(book):
    shown = {*clips.CONCEPTS, *words.SYNONYMS}
    for index in range(len(words.NAMES)):
        if words.NAMES[index] not in shown:
            assert not (book.names == index).any()


def test_both_losses_train_every_weight_that_they_can_reach(book, model):
    torch.manual_seed(0)
    flow, looks = video_train.losses(model, book.batch(4, True, 0), 3.0, half=True)
    assert flow > 0 and looks > 0
    (flow + looks).backward()
    assert all(weight.grad is not None for weight in model.parameters())


class Knowing:
    """A model that knows the picture and gives the velocity that the host's sampling expects, but
    is far off for texts with wrong words; it looks half of the time.
    """

    alone, flow_scale = torch.zeros(1), torch.ones(16, 1, 1, 1)

    def __init__(self, batch):
        self.batch = batch

    def context(self, rows, names):
        return rows

    def __call__(self, noisy, times, context, stride):
        sigmas = video_train.schedule()[times.long()].view(-1, 1, 1, 1, 1) / stride
        # What `calculate_denoised` of the host must get to give back the clean latent.
        root = (sigmas.square() + 1).sqrt()
        velocity = (noisy - root * self.batch.latents) / sigmas + 0 * noisy
        far = torch.where(self.batch.true, 0.0, 1e6).view(-1, 1, 1, 1, 1)
        return velocity + far, torch.full((6, *context.shape), 0.5)


@pytest.mark.parametrize("half", [False, True])
def test_the_objective_is_the_host_s_velocity_and_wrong_texts_have_no_part_in_it(book, half):
    torch.manual_seed(1)
    batch = book.batch(8, half, 0)
    assert (~batch.true).any()
    flow, looks = video_train.losses(Knowing(batch), batch, 3.0, half=half)
    assert flow < 1e-4
    assert looks == pytest.approx(math.log(2))


def test_a_start_has_the_pocket_flux_s_text_encoder_and_a_new_transformer():
    from concept_attention.pocket import checkpoint

    parts, vocabulary = checkpoint.read(), text.vocabulary()
    pocket = train.Pocket(len(vocabulary), kinds.KINDS["video"])
    pocket.warm_start(parts, vocabulary)
    for key, weight in pocket.text.state_dict().items():
        rows = vocabulary if key == "shared.weight" else slice(None)
        assert torch.equal(weight, parts.text[key][rows])
    assert (pocket.transformer.proj_out.weight == 0).all()
    assert (pocket.transformer.norm_final.weight == 1).all()
