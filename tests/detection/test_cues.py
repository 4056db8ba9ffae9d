"""Numbers of single images by hand, and the sets that they tell apart."""

import pytest
import torch

from gradlab.detection.cues import BLOCK, NAMES, cue_flags, cues, telling_cues


def test_the_four_numbers_by_hand():
    image = torch.tensor([[[[0.0, 0.5], [0.5, 1.0]]]])
    brightness, contrast, roughness, flatness = cues(image)[0].tolist()
    assert (brightness, roughness, flatness) == (0.5, 0.5, 0.0)
    assert contrast == pytest.approx(0.125**0.5)
    assert cues(torch.full((1, 1, 3, 3), 255, dtype=torch.uint8))[0].tolist() == [1, 0, 0, 1]
    many = torch.rand(BLOCK + 3, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(cues(many)[-2:], cues(many[-2:]))


def test_a_set_that_was_normalised_or_resized_otherwise_is_told_apart_and_a_like_one_is_not():
    stream = torch.Generator().manual_seed(0)
    own, other = (torch.rand(200, 1, 8, 8, generator=stream) for _ in range(2))
    assert cue_flags("like", telling_cues(own, other)) == []
    (said,) = cue_flags("dark", telling_cues(own, other * 0.3))
    assert said.startswith("dark: ")
    assert "see whether both sets were resized and normalised alike" in said
    repeated = other[..., :4, :4].repeat_interleave(2, 2).repeat_interleave(2, 3)
    found = telling_cues(own, repeated)
    assert found["flatness"] == 1
    assert set(found) == set(NAMES)
