"""From latent frames to the video's: exact numbers."""

import pytest
import torch

from concept_attention.core.errors import ConceptAttentionError
from concept_attention.core.frames import spans, to_frames


@pytest.mark.parametrize(
    ("latents", "tokens", "compression", "expected"),
    [
        (1, 1, 4, (1,)),  # a picture
        (3, 3, 4, (1, 4, 4)),  # 9 frames
        (13, 13, 4, (1, *[4] * 12)),  # 49 frames, CogVideoX 5B
        (4, 2, 4, (5, 8)),  # two latent frames to a token, CogVideoX 1.5
        (5, 3, 4, (5, 8, 4)),  # the last token half empty
        (2, 2, 1, (1, 1)),
    ],
)
def test_spans_are_the_first_frame_alone_then_groups(latents, tokens, compression, expected):
    assert spans(latents, tokens, compression) == expected
    assert sum(expected) == 1 + (latents - 1) * compression


def _ramp(count):
    """Maps [1, F, 2, 3] whose values are their frame's number."""
    return torch.arange(float(count))[None, :, None, None].expand(1, count, 2, 3)


def test_video_holds_each_map_for_its_frames():
    found = to_frames(_ramp(3), (1, 4, 4), "video")
    assert found.shape == (1, 9, 2, 3)
    assert found[0, :, 1, 2].tolist() == [0, 1, 1, 1, 1, 2, 2, 2, 2]


def test_interpolated_glides_between_the_middles_of_the_groups():
    found = to_frames(_ramp(3), (1, 4, 4), "interpolated")[0, :, 1, 2]
    # The middles are frames 0, 2.5 and 6.5.
    expected = [0, 0.4, 0.8, 1.125, 1.375, 1.625, 1.875, 2, 2]
    assert found.tolist() == pytest.approx(expected)


def test_interpolated_frames_still_sum_to_one_over_the_concepts():
    maps = torch.rand(2, 3, 2, 3).softmax(0)
    torch.testing.assert_close(
        to_frames(maps, (1, 4, 4), "interpolated").sum(0), torch.ones(9, 2, 3)
    )


def test_latent_and_pictures_stay_as_they_are():
    assert torch.equal(to_frames(_ramp(3), (1, 4, 4), "latent"), _ramp(3))
    for frames in ("video", "interpolated"):
        assert torch.equal(to_frames(_ramp(1), (1,), frames), _ramp(1))


@pytest.mark.parametrize("frames", ["video", "interpolated"])
def test_one_token_frame_serves_the_whole_video(frames):
    assert to_frames(_ramp(1) + 0.5, (5,), frames)[0, :, 0, 0].tolist() == [0.5] * 5


def test_another_word_is_an_error():
    with pytest.raises(ConceptAttentionError, match="frames: 'all' is not one of"):
        to_frames(_ramp(3), (1, 4, 4), "all")
