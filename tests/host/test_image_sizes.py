"""Pictures of any size are looked at as they are: padded to whole tokens, and cut back."""

import pytest
import torch

from concept_attention.core.errors import ConceptAttentionError
from concept_attention.core.files import load_capture, save_capture
from concept_attention.nodes.decode import HeatmapDecode
from concept_attention.nodes.once import sigma_at
from concept_attention.nodes.sources import source_of

from .images import captured, picture_vae, pictures, video_vae
from .models import error, latent, model

ROUNDING = 1e-5  # of the largest magnitude: the same sums in another order


def image(*shape):
    """A picture [B, H, W, 3] of random colours."""
    return torch.rand(*shape, 3, generator=torch.Generator().manual_seed(4))


def extended(picture, height, width):
    """The picture with its last row and column repeated at the bottom and right."""
    rows = [*range(picture.shape[1]), *[picture.shape[1] - 1] * (height - picture.shape[1])]
    columns = [*range(picture.shape[2]), *[picture.shape[2] - 1] * (width - picture.shape[2])]
    return picture[:, rows][:, :, columns]


def masks(capture, **options):
    """All masks [C, F, H, W] of a capture of one picture or video."""
    found = HeatmapDecode.execute(capture, **options).result[1]
    return found.unflatten(0, (2, -1))


@pytest.fixture(scope="module")
def vae():
    with torch.inference_mode():
        return picture_vae()


@pytest.fixture(scope="module")
def video():
    with torch.inference_mode():
        return video_vae()


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic"])
def test_masks_of_an_odd_picture_are_those_of_the_padded_one_cut_off(vae, interpolation):
    odd = image(1, 37, 51)
    capture = captured("dev", image=odd, vae=vae)
    assert (capture.grid, capture.picture) == ((1, 3, 4), (37, 51))
    whole = captured("dev", image=extended(odd, 48, 64), vae=vae)
    assert torch.equal(capture.scores, whole.scores)
    found = masks(capture, interpolation=interpolation)
    assert found.shape == (2, 1, 37, 51)
    expected = masks(whole, interpolation=interpolation)[..., :37, :51]
    assert error(found, expected) < ROUNDING


def test_a_saved_capture_is_cut_off_alike(vae, tmp_path):
    capture = captured("dev", image=image(1, 37, 51), vae=vae)
    save_capture(tmp_path / "capture.safetensors", capture)
    again = load_capture(tmp_path / "capture.safetensors")
    assert torch.equal(masks(again), masks(capture))


@pytest.mark.parametrize("family", ["dev", "sd3", "sd35"])
@pytest.mark.parametrize("size", [(32, 48), (8, 90), (33, 16), (47, 31)])
def test_masks_are_as_large_as_the_picture(vae, family, size):
    capture = captured(family, image=image(2, *size), vae=vae)
    assert capture.scores.shape[0] == 2
    assert capture.grid[1:] == tuple(-(-side // 16) for side in size)
    assert masks(capture).shape == (2, 2, *size)


def test_a_picture_of_whole_tokens_is_what_its_latent_gives(vae):
    picture = image(1, 32, 48)
    with torch.inference_mode():
        samples = vae.encode(picture)
    by_image, by_latent = (
        captured("dev", image=picture, vae=vae),
        captured("dev", latent={"samples": samples}),
    )
    assert torch.equal(by_image.scores, by_latent.scores)
    assert by_image.picture == by_latent.picture


def test_pictures_are_encoded_as_they_are_needed(vae, monkeypatch):
    encoded, plain = [], vae.encode
    monkeypatch.setattr(vae, "encode", lambda x: encoded.append(tuple(x.shape)) or plain(x))
    source = source_of(model("dev"), image(5, 37, 51), None, vae)
    assert source.shape == (5, 16, 6, 8)
    assert encoded == []
    with torch.inference_mode():
        assert source.latents(slice(2, 4)).shape == (2, 16, 6, 8)
    assert encoded == [(2, 48, 64, 3)]


def test_parts_of_a_batch_get_their_own_noise_masks():
    given = {**pictures("dev", 5), "noise_mask": torch.arange(2.0)[:, None, None].expand(2, 32, 48)}
    source = source_of(model("dev"), None, given, None)
    assert source.noise_mask(slice(1, 4))[:, 0, 0].tolist() == [1, 0, 1]
    assert source.noise_mask(slice(0, 5)) is given["noise_mask"]


def test_a_mask_of_frames_is_for_every_video():
    given = {**pictures("cog5b", 2), "noise_mask": torch.rand(3, 32, 48)}
    source = source_of(model("cog5b"), None, given, None)
    assert source.noise_mask(slice(1, 2)) is given["noise_mask"]


@pytest.mark.parametrize(("family", "grid"), [("cog5b", (4, 3, 4)), ("cog15", (2, 3, 4))])
def test_the_frames_of_a_video_each_have_a_map(video, family, grid):
    """10 frames are one and two groups of 4, and one of which a single frame is there."""
    frames = image(10, 37, 51)
    capture = captured(family, image=frames, vae=video)
    assert (capture.grid, capture.picture) == (grid, (37, 51))
    assert capture.spans == ((1, 4, 4, 1) if family == "cog5b" else (5, 5))
    assert masks(capture).shape == (2, 10, 37, 51)
    filled = torch.cat([frames, *[frames[-1:]] * 3])
    whole = captured(family, image=extended(filled, 48, 64), vae=video)
    assert torch.equal(capture.scores, whole.scores)
    assert error(masks(capture), masks(whole)[:, :10, :37, :51]) < ROUNDING


def test_one_picture_is_a_video_of_one_frame(video):
    capture = captured("cog5b", image=image(1, 32, 48), vae=video)
    assert (capture.grid, capture.spans) == ((1, 2, 3), (1,))
    assert masks(capture).shape == (2, 1, 32, 48)


def test_a_picture_model_with_a_video_vae_sees_each_picture_alone(video, monkeypatch):
    """Else the host would take the batch for frames of one video, and leave most of them out."""
    patcher = model("dev").clone()
    latents = patcher.get_model_object("latent_format")
    monkeypatch.setattr(type(latents), "latent_dimensions", 3)
    source = source_of(patcher, image(3, 32, 48), None, video)
    assert source.shape == (3, 16, 1, 4, 6)
    with torch.inference_mode():
        assert source.latents(slice(1, 3)).shape == (2, 16, 1, 4, 6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image": image(1, 32, 48), "latent": pictures("dev")}, "image, latent: both"),
        ({"image": None}, "image, latent: neither"),
        ({"image": image(1, 32, 48)}, "vae: it is not connected"),
        ({"latent": latent("flux2") | {"samples": torch.ones(1, 128, 4, 6)}}, "have 16 channels"),
        ({"latent": {"samples": torch.ones(1, 16, 3, 4, 6)}}, "have 16 channels and 4 dim"),
        ({"capture_layers": "7"}, "capture_layers: "),
    ],
)
def test_bad_input_is_an_error_that_names_it(changes, message):
    with pytest.raises(ConceptAttentionError, match=message):
        captured("dev", **changes)


def test_another_models_vae_is_an_error_that_says_so(video):
    with pytest.raises(ConceptAttentionError, match="vae: it makes latents of shape"):
        captured("dev", image=image(1, 32, 48), vae=video)


def test_more_noise_shows_less_of_the_picture(vae):
    """At the end of the schedule two pictures look alike, at its beginning they do not."""
    one, other = image(1, 32, 48), 1 - image(1, 32, 48)

    def apart(level):
        scores = [
            captured("dev", image=each, vae=vae, noise_level=level).scores for each in (one, other)
        ]
        return error(*scores)

    assert apart(1.0) < ROUNDING < apart(0.5) < apart(0.1)
    assert sigma_at(model("dev"), 0.1) < sigma_at(model("dev"), 0.5)
