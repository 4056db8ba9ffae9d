import json
import subprocess
import sys
from dataclasses import asdict

import pytest

from gradlab.data import arrays, info, load


@pytest.mark.slow
def test_facts_and_arrays_need_no_torch_and_no_scikit_learn(mnist_like):
    code = (
        "import sys; from gradlab.data import arrays, check, info, list_datasets, DATASETS, refuse_test\n"
        "info('digits'); info('mnist', sys.argv[1]); list_datasets(); check('mnist', sys.argv[1])\n"
        "print([m for m in ('torch', 'sklearn') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code, mnist_like], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["digits", "mnist", "noise"])
def test_facts_are_the_same_from_info_arrays_tensors_and_cache(name, mnist_like):
    found = info(name, mnist_like)
    assert found == arrays(name, mnist_like).info == info(name, mnist_like)
    data = load(name, mnist_like)
    assert (data.checksum, data.mean, data.std, data.input_shape, data.class_names, data.notes) == (
        found.checksum, found.mean, found.std, found.input_shape, found.class_names, found.notes,
    )  # fmt: skip
    assert {role: len(split) for role, split in data.splits.items()} == found.counts


def test_the_checksum_is_recomputed_from_the_pixels(mnist_like):
    from dataclasses import replace

    data = load("mnist", mnist_like)
    bare = replace(data, train=data.train[:], validation=data.validation[:], test=data.test[:])
    assert bare.train.origin.digest is None
    assert bare.checksum == data.checksum
    assert (bare.mean, bare.std) == (data.mean, data.std)
    assert replace(data, train=data.train[1:]).checksum != data.checksum


def test_facts_survive_json(mnist_like):
    found = info("mnist", mnist_like)
    assert json.loads(json.dumps(asdict(found)))["checksum"] == found.checksum
    assert found.num_classes == 10
