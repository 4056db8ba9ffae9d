"""What names a record: everything that its bits depend on, and nothing else."""

import dataclasses
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradlab.lab import Pick
from gradlab.lab.records.binding import Binder, block_of, content_of, digest, software_of, spec_hash
from tests.lab.records.outcomes import CONDITIONS, binder
from tests.lab.toy import TOOLBOX, Constant, Draw, Sum

ONE, OTHER = Draw(mean=1.0), Draw(mean=2.0)


def name(procedure, seed=0, **changes):
    return binder(**changes).bind(procedure, seed).hash


def test_the_name_is_the_sha256_of_the_spec_with_checksums_for_names():
    bound = binder().bind(ONE, 3)
    spec = dict(bound.spec)
    checksums = spec.pop("content")
    spec["procedure"] = spec["procedure"] | {"data": checksums["made"]}
    text = json.dumps(spec, sort_keys=True, separators=(",", ":"))
    assert bound.hash == hashlib.sha256(text.encode()).hexdigest()[:20]
    assert spec_hash(json.loads(json.dumps(bound.spec))) == bound.hash


@pytest.mark.parametrize(
    "changes",
    [
        {"device": "cuda"},
        {"precision": "bf16"},
        {"threads": 2},
        {"software": {"numpy": "3.0"}},
        {"versions": {"draw": 2}},
        {"checksums": {"made": "sha256:changed"}},
    ],
)
def test_every_condition_counts(changes):
    assert name(ONE) != name(ONE, **changes)


def test_a_name_of_data_does_not_count_but_its_content_does():
    renamed = dataclasses.replace(ONE, data="other")
    assert name(ONE) != name(renamed)
    assert name(ONE) == name(renamed, checksums={"made": "sha256:made", "other": "sha256:made"})


def test_inputs_count_in_their_order_and_through_every_layer():
    names = {
        name(Sum(of=of))
        for of in ((ONE,), (OTHER,), (ONE, OTHER), (OTHER, ONE), (Sum(of=(ONE,)),), (Sum(of=(OTHER,)),))
    }
    assert len(names) == 6
    assert name(Sum(of=(Sum(of=(ONE,)),))) == name(Sum(of=(Sum(of=(dataclasses.replace(ONE),)),)))
    assert name(Sum(of=(ONE,)), precision="bf16") != name(Sum(of=(ONE,)))


def test_work_without_chance_has_no_seed_of_its_own_but_that_of_its_inputs():
    fixed = Sum(of=(Constant(name="c", digest="0f"),))
    assert {name(fixed, seed) for seed in range(6)} == {name(fixed)}
    assert binder().bind(fixed, 5).seed is None
    assert len({name(Sum(of=(ONE,)), seed) for seed in range(6)}) == 6


def test_what_looks_at_one_seed_alone_is_one_record_and_rests_on_no_other():
    kinds = {**TOOLBOX.kinds, "sum": dataclasses.replace(TOOLBOX.kinds["sum"], below=lambda *_: 3)}
    alone, looks = Binder(kinds, CONDITIONS, lambda *_: 0), Sum(of=(ONE, OTHER))
    assert {alone.bind(looks, seed).hash for seed in range(3)} == {name(looks, 3)}
    assert [one.seed for one in alone.walk(looks, (0, 1))] == [None, None, 3, 3]
    assert [one.seed for one in binder().walk(looks, (0, 1))] == [None, None, 0, 1, 0, 1]


def test_a_pick_is_what_it_takes():
    pick = Pick(among=(ONE, OTHER), by="distance")
    assert name(pick) == name(ONE)
    assert name(Sum(of=(pick,))) == name(Sum(of=(ONE,)))


def test_a_source_has_an_identity_and_no_record():
    bound = binder().bind(Constant(name="c", digest="0f"), 2)
    assert not bound.has_record
    assert name(Constant(name="c", digest="0f")) != name(Constant(name="c", digest="10"))


def test_binding_equal_procedures_is_the_same_whatever_the_order():
    first, second = binder(), binder()
    forth = [first.bind(Sum(of=(ONE, OTHER)), seed).hash for seed in range(3)]
    back = [second.bind(Sum(of=(Draw(mean=1.0), Draw(mean=2.0))), seed).hash for seed in reversed(range(3))]
    assert forth == back[::-1]


@given(st.integers(0, 10**6), st.integers(1, 12))
def test_the_seeds_of_a_block_agree_on_it(seed, size):
    block = block_of(seed, size)
    assert seed in block
    assert len(block) == size
    assert block[0] % size == 0
    assert all(block_of(mate, size) == block for mate in block)


def test_digest_refuses_what_json_cannot_hold():
    with pytest.raises(ValueError, match="not JSON compliant"):
        digest({"x": float("nan")})


def test_software_and_content_are_looked_up_through_every_layer_and_choice():
    whole = Sum(
        of=(Pick(among=(dataclasses.replace(ONE, data="other"), ONE)), Constant(name="c", digest="0"))
    )
    from importlib.metadata import version

    assert software_of([whole], TOOLBOX.kinds) == {"numpy": version("numpy")}
    assert content_of([whole], lambda one: f"of {one}", str) == {"other": "of other", "made": "of made"}
