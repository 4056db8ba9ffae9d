import dataclasses
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradlab.augmentation import FeatureAugmentation, Flip, Mixup
from gradlab.lab.design import Custom
from gradlab.lab.spec import BLOCK, RunSpec, block_of, digest, dump_spec, read_spec
from gradlab.models.mlp import MLP
from gradlab.training.recipe import Recipe
from gradlab.training.schedule import Cosine
from gradlab.training.stopping import Patience

SPEC = RunSpec(
    data="digits", data_checksum="sha256:ab", model=MLP(width=8), recipe=Recipe(), seed=3, torch="2.13.0"
)
OTHERS = {
    "data": "mnist",
    "data_checksum": "sha256:cd",
    "model": MLP(width=9),
    "recipe": Recipe(epochs=21),
    "seed": 4,
    "device": "cuda",
    "precision": "bf16",
    "threads": 2,
    "probe_batch": 64,
    "block": 1,
    "torch": "2.12.0",
    "format": 2,
    "train_images": 100,
    "probe_steps": (0, 10),
}


def changed(**fields: object) -> RunSpec:
    return dataclasses.replace(SPEC, **fields)


def test_the_hash_changes_with_every_field_of_the_spec():
    assert set(OTHERS) == {field.name for field in dataclasses.fields(RunSpec)}
    hashes = {SPEC.hash, *(changed(**{name: value}).hash for name, value in OTHERS.items())}
    assert len(hashes) == 1 + len(OTHERS)


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Recipe)])
def test_the_hash_changes_with_every_field_of_the_recipe(field):
    base = Recipe(optimizer="sgd", momentum=0.9)
    other = {
        "optimizer": Recipe(optimizer="adam"),
        "schedule": dataclasses.replace(base, schedule=Cosine()),
        "stopping": dataclasses.replace(base, stopping=Patience(patience=2)),
        "nesterov": dataclasses.replace(base, nesterov=True),
        "keep": dataclasses.replace(base, keep="last"),
        "clip_norm": dataclasses.replace(base, clip_norm=1.0),
        "ema": dataclasses.replace(base, ema=0.9),
        "label_smoothing": dataclasses.replace(base, label_smoothing=0.1),
        "augmentation": dataclasses.replace(base, augmentation=(Flip(),)),
        "mixing": dataclasses.replace(base, mixing=Mixup()),
        "feature_augmentation": dataclasses.replace(base, feature_augmentation=FeatureAugmentation()),
    }.get(field)
    if other is None:
        value = getattr(base, field)
        other = dataclasses.replace(
            base, **{field: value / 2 if isinstance(value, float) and value else value + 1}
        )
    assert changed(recipe=base).hash != changed(recipe=other).hash


def test_the_hash_is_the_sha256_of_the_canonical_json():
    text = json.dumps(dump_spec(SPEC), sort_keys=True, separators=(",", ":"))
    assert SPEC.hash == hashlib.sha256(text.encode()).hexdigest()[:20]


def test_the_hash_does_not_depend_on_the_order_in_which_fields_are_given():
    fields = {field.name: getattr(SPEC, field.name) for field in dataclasses.fields(SPEC)}
    assert RunSpec(**dict(reversed(fields.items()))).hash == SPEC.hash


@pytest.mark.parametrize("model", [MLP(widths=(12, 7), norm="batch"), Custom(name="mine", digest="0f")])
def test_a_spec_survives_its_json(model):
    spec = changed(model=model, recipe=Recipe(stopping=Patience(patience=3), schedule=Cosine()))
    back = read_spec(json.loads(json.dumps(dump_spec(spec))))
    assert back == spec
    assert back.hash == spec.hash


def test_an_unknown_field_is_an_error():
    with pytest.raises(ValueError, match="colour"):
        read_spec(dump_spec(SPEC) | {"colour": "red"})


@given(st.integers(0, 10**6), st.integers(1, 12))
def test_the_seeds_of_a_block_agree_on_it(seed, size):
    block = block_of(seed, size)
    assert seed in block
    assert len(block) == size
    assert block[0] % size == 0
    assert all(block_of(mate, size) == block for mate in block)


def test_the_first_block_is_the_first_six_seeds():
    assert BLOCK == 6
    assert block_of(4) == (0, 1, 2, 3, 4, 5)
    assert block_of(6) == (6, 7, 8, 9, 10, 11)


def test_digest_refuses_what_json_cannot_hold():
    with pytest.raises(ValueError, match="not JSON compliant"):
        digest({"x": float("nan")})


def test_a_field_that_came_later_leaves_older_hashes_as_they_are():
    """The canonical JSON of a spec that uses none of the later fields is what the first records were named by."""
    dumped = dump_spec(SPEC)
    assert not {"train_images", "probe_steps"} & set(dumped)
    assert not {"augmentation", "mixing", "feature_augmentation"} & set(dumped["recipe"])
    used = changed(train_images=10, recipe=Recipe(augmentation=(Flip(),)))
    assert read_spec(json.loads(json.dumps(dump_spec(used)))) == used
