"""Every number by a plain loop over the images."""

import numpy as np
import pytest
import torch

from gradlab.attacks import PGD, attacked
from gradlab.attacks.numbers import NUMBERS, columns_of, confidence, usable
from gradlab.types import UserError
from tests.attacks.examples import generator, images, labels_of, small

BY_NAME = {number.name: number for number in NUMBERS}


@pytest.fixture(scope="module", params=[False, True], ids=["untargeted", "targeted"])
def found(request):
    model, batch = small(dtype=torch.float32), images(50, dtype=torch.float32)
    labels = labels_of(model, batch)
    targets = (labels + 1) % 4 if request.param else None
    labels[:8] = (labels[:8] + 2) % 4  # wrong from the beginning
    return attacked(PGD(eps=0.06, steps=5), model, batch, labels, targets=targets, generator=generator())


def by_loop(found):
    """Lists of what each image counts for."""
    told = {name: [] for name in BY_NAME}
    for row in range(50):
        label = int(found.labels[row])
        before, after = (logits[row].double() for logits in (found.clean_logits, found.adversarial_logits))
        right, still = (int(one.argmax()) == label for one in (before, after))
        told["clean accuracy"].append(right)
        told["robust accuracy"].append(right and still)
        if not right:
            continue
        wanted = int(after.argmax()) == int(found.targets[row]) if found.targets is not None else not still
        told["attack success"].append(wanted)
        told["confidence drop"].append(float(before.softmax(0)[label] - after.softmax(0)[label]))
        if wanted:
            change = (found.images[row] - found.originals[row]).double()
            told["iterations to success"].append(int(found.iterations[row]))
            told["queries to success"].append(int(found.queries[row]))
            told["L-infinity change"].append(float(change.abs().max()))
            told["L2 change"].append(float((change**2).sum() ** 0.5))
            told["pixels changed"].append(
                sum(bool((change[:, y, x] != 0).any()) for y in range(4) for x in range(5))
            )
            told["PSNR"].append(-10 * np.log10(float((change**2).mean())))
            told["SSIM"].append(float(found.ssim[row]))
    return told


def test_every_number_is_the_mean_of_a_plain_loop(found):
    columns, told = columns_of(found), by_loop(found)
    assert set(told) == set(BY_NAME)
    assert 5 < len(told["SSIM"]) < 40
    for name, values in told.items():
        assert BY_NAME[name].value(columns) == pytest.approx(np.mean(values), rel=1e-5), name
        assert BY_NAME[name].samples(columns).mean() == pytest.approx(np.mean(values), rel=1e-5), name


def test_an_interval_of_a_ratio_counts_that_its_denominator_varies(found):
    """Success over initially correct images: the delta method, written out."""
    columns = columns_of(found)
    right = np.asarray(columns["clean"] == columns["label"], dtype=float)
    hit = np.asarray(found.is_success.numpy(), dtype=float)
    value = hit.sum() / right.sum()
    expected = ((hit - value * right) ** 2).sum() / 49 / right.mean() ** 2
    assert BY_NAME["attack success"].samples(columns).var(ddof=1) == pytest.approx(expected)


def test_what_no_image_counts_for_is_no_number():
    model, batch = small(dtype=torch.float32), images(10, dtype=torch.float32)
    found = attacked(lambda _model, one, _labels, **_: one, model, batch, labels_of(model, batch))
    columns = columns_of(found)
    assert set(columns["iterations"]) == set(columns["queries"]) == set(columns["target"]) == {-1}
    assert np.isposinf(columns["psnr"]).all()
    for name in ("iterations to success", "L2 change", "SSIM", "PSNR"):
        assert np.isnan(BY_NAME[name].value(columns))
        with pytest.raises(UserError, match="no sample counts"):
            BY_NAME[name].samples(columns)
    assert BY_NAME["attack success"].value(columns) == 0
    assert BY_NAME["confidence drop"].value(columns) == 0


def test_a_table_from_before_has_the_old_numbers_and_no_others(found):
    old = {name: columns_of(found)[name] for name in ("label", "clean", "prediction")}
    for name in ("robust accuracy", "clean accuracy"):
        assert BY_NAME[name].value(old) == BY_NAME[name].value(columns_of(found))
    for name in set(BY_NAME) - {"robust accuracy", "clean accuracy", "attack success"}:
        assert np.isnan(BY_NAME[name].value(old))


def test_logits_that_are_not_finite_are_chance():
    logits = np.array([[np.inf, 0, 0, 0], [0, 0, np.log(5), 0]])
    assert confidence(usable(logits), np.array([3, 2])) == pytest.approx([1 / 4, 5 / 8])
