"""The image tower of a CLIP is explained like any other transformer: the grid of its patches is found by itself."""

import torch

from gradlab.clip import CLIPClassifier
from gradlab.explain import AttentionRollout, GradCAM, Occlusion
from gradlab.explain.find_spatial_layer import locate
from tests.clip.examples import NAMES, colours, tiny


def test_the_grid_of_patches_is_found_in_the_image_tower_without_the_class_token():
    made = CLIPClassifier(tiny(), NAMES)
    place = locate(made, colours().test.images[:1] / 255, None)
    assert place.grid == (2, 2)
    assert place.name == "clip.model.vision_model.encoder.layers.0.layer_norm1"
    tokens = torch.arange(5.0).view(1, 5, 1)
    assert place.maps(tokens).flatten().tolist() == [1, 2, 3, 4]


def test_maps_cover_the_picture_and_move_with_it():
    made = CLIPClassifier(tiny(), NAMES)
    images = colours().test.images[:3] / 255
    for method in (GradCAM(), AttentionRollout(), Occlusion()):
        maps = method(made, images)
        found = getattr(maps, "maps", maps)
        assert found.shape == (3, 8, 8)
        assert found.isfinite().all()
