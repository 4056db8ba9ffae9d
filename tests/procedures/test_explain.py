"""What `Explain` and `Disturb` write, computed a second way from the network of their record."""

import base64
import io

import numpy as np
import pytest
import torch
from PIL import Image

from gradlab import explain
from gradlab.attacks import PGD
from gradlab.data import gather, load, planted_masks
from gradlab.lab.judging.results import Results
from gradlab.lab.records.finding import records_of
from gradlab.models import CNN
from gradlab.procedures import PROCEDURES, Disturb, Explain, network_of
from gradlab.procedures._disturbing import as_far, same_size_noise
from gradlab.procedures.explain import DRAWS
from gradlab.procedures.train import Train
from gradlab.training import Recipe
from gradlab.types import UserError, derive_seed
from tests.procedures.examples import run

NET = Train(
    data="planted", model=CNN(widths=(4,)), recipe=Recipe(epochs=2, batch_size=64, learning_rate=1e-2)
)
COUNT = 24


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Records of both kinds of one barely trained network, that network, and the images."""
    from tests.procedures import examples

    folder = tmp_path_factory.mktemp("explain")
    data = load("planted")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(examples.DATA, "planted", data)
        methods = (explain.GradCAM(), explain.Saliency())
        both = (
            Explain(net=NET, data="planted", methods=methods, images=COUNT, mosaic=True),
            Explain(
                net=NET, data="planted", methods=methods, images=COUNT, untrained=True, faithfulness=False
            ),
            Disturb(
                net=NET,
                data="planted",
                method=explain.GradCAM(),
                by=PGD(steps=3),
                eps=0.03,
                images=COUNT,
                pictures=True,
            ),
        )
        for one in both:
            run(folder, one)
    is_fresh = {record: bool(record.spec["procedure"].get("untrained")) for record in records_of(folder)}
    records = {one.spec["procedure"]["kind"]: one for one in is_fresh if not is_fresh[one]}
    fresh = next(one for one in is_fresh if is_fresh[one])
    rows = records["explain"].table("predictions")["index"]
    images = gather(data.test, torch.from_numpy(np.array(rows)).long())
    masks = torch.from_numpy(planted_masks(data.test.images.numpy()[rows]))
    return records, fresh, network_of(records["train"]), images, masks


def column(table, name, method):
    return np.asarray(table[name])[np.asarray(table["method"]).astype(str) == method]


def test_measures_of_maps_are_those_of_the_network_of_the_record(found):
    records, _, network, images, masks = found
    table = records["explain"].table("maps")
    assert records["explain"].facts["masks"]
    assert list(dict.fromkeys(table["method"])) == ["grad-cam", "saliency", "random", "edges"]
    classes = network(images).argmax(1)
    for name, maps in (
        ("grad-cam", explain.grad_cam(network, images)),
        ("saliency", explain.saliency(network, images)),
        ("edges", explain.edge_maps(images)),
    ):
        curves = explain.deletion_insertion(network, images, maps, classes)
        assert np.allclose(column(table, "gap", name), curves.gap, atol=1e-5)
        hits, shares = column(table, "pointing", name), explain.pointing(maps, masks).numpy()
        assert set(hits) <= {0, 1}
        assert np.array_equal(hits[shares % 1 == 0], shares[shares % 1 == 0])
        drop, _ = explain.average_drop(network, images, maps, classes)
        assert np.allclose(column(table, "drop", name), drop, atol=1e-5)
        assert np.allclose(column(table, "row", name), explain.centre_of_mass(maps)[:, 0], atol=1e-5)
    for name in ("random", "edges"):
        assert (column(table, "similarity", name) == 1).all()  # the same map whatever the weights are
    counts = column(table, "compared", "grad-cam") == 1
    assert column(table, "similarity", "grad-cam")[counts].mean() < 0.9
    seen = Results(records["explain"], PROCEDURES["explain"], {"method": "grad-cam"})
    told = PROCEDURES["explain"].measures["similarity with random weights"]
    assert told.value(seen) == pytest.approx(column(table, "similarity", "grad-cam")[counts].mean())


def test_every_method_is_compared_with_the_same_draws_of_random_weights(found):
    records, _, network, images, _ = found
    seeds = [derive_seed(0, "explain", "weights", draw) for draw in range(DRAWS)]
    classes, drawn = network(images).argmax(1), []
    for seed in seeds:
        with explain.restored(network):
            explain.randomise(network, torch.Generator().manual_seed(seed).initial_seed())
            drawn.append(explain.saliency(network, images, classes))
    expected = explain.similarity(explain.saliency(network, images, classes), torch.stack(drawn)).nanmean(0)
    shown = column(records["explain"].table("maps"), "similarity", "saliency")
    assert np.allclose(shown, expected.nan_to_num(0), atol=1e-4)


def test_the_share_in_an_images_own_cell_is_measured_on_mosaics(found):
    records, fresh, *_ = found
    table, seen = records["explain"].table("maps"), records["explain"].table("predictions")
    right = np.asarray(seen["label"]) == np.asarray(seen["prediction"])
    assert 1 < right.sum() < COUNT
    for name in ("grad-cam", "saliency", "random", "edges"):
        assert np.array_equal(column(table, "in_mosaic", name) == 1, right)
        share = column(table, "own_cell", name)
        assert ((share >= 0) & (share <= 1)).all()
        assert (share[~right] == 0).all()
        measure = PROCEDURES["explain"].measures["share in its own cell"]
        run_ = Results(records["explain"], PROCEDURES["explain"], {"method": name})
        assert measure.value(run_) == pytest.approx(share[right].mean())
    assert column(table, "own_cell", "random")[right].mean() == pytest.approx(0.25, abs=0.1)
    assert "own_cell" not in fresh.table("maps")


def test_without_faithfulness_maps_are_judged_by_where_they_lie_alone(found):
    _, fresh, *_ = found
    assert set(fresh.table("maps")) == {"method", "index", "pointing", "area", "row", "column", "empty"}
    seen = Results(fresh, PROCEDURES["explain"], {"method": "saliency"})
    for name, measure in PROCEDURES["explain"].measures.items():
        is_there = name in ("pointing", "area of the map", "empty maps")
        assert np.isfinite(measure.value(seen)) == is_there
        assert bool(measure.samples(seen)) == is_there


def test_an_untrained_network_is_explained_with_fresh_weights(found):
    records, fresh, *_ = found
    own, other = (np.asarray(one.table("predictions")["logit_0"]) for one in (records["explain"], fresh))
    assert not np.allclose(own, other)
    assert np.array_equal(
        records["explain"].table("predictions")["index"], fresh.table("predictions")["index"]
    )


def test_pictures_are_the_overlays_of_the_first_images(found):
    records, _, network, images, _ = found
    table = records["explain"].table("pictures")
    assert len(table["png"]) == 4 * 5
    shown = explain.overlay(images[:5], explain.grad_cam(network, images)[:5])
    for number in (0, 4):
        pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(table["png"][number])))) / 255
        assert pixels.shape == (64, 64, 3)
        assert np.abs(pixels[::4, ::4].transpose(2, 0, 1) - shown[number].numpy()).max() < 2 / 255


def test_maps_before_and_after_are_compared_on_the_same_images(found):
    records, _, network, images, _ = found
    table, moved = records["disturb"].table("attacked"), records["disturb"].table("moved")
    clean = network(images).argmax(1).numpy()
    assert np.array_equal(table["clean"], clean)
    fooled = np.asarray(table["prediction"]) != clean
    assert fooled.any()
    assert not fooled.all()
    for change in ("attack", "noise", "reversed"):
        for target in ("predicted", "before"):
            rows = (np.asarray(moved["change"]) == change) & (np.asarray(moved["target"]) == target)
            assert rows.sum() == COUNT
            assert np.array_equal(np.asarray(moved["fooled"])[rows] == 1, fooled)
            most = 0.03 + 1e-6 if change != "reversed" else 0.06  # brought to the attack's L2 norm
            assert np.asarray(moved["linf"])[rows].max() <= most
    attack, noise = (np.asarray(moved["change"]) == name for name in ("attack", "noise"))
    assert np.allclose(np.asarray(moved["l2"])[attack], np.asarray(moved["l2"])[noise], atol=1e-5)
    back = np.asarray(moved["change"]) == "reversed"
    assert np.allclose(np.asarray(moved["l2"])[attack], np.asarray(moved["l2"])[back], rtol=0.02)


def slice_of(record, change, target="before", group="fooled"):
    return Results(record, PROCEDURES["disturb"], {"change": change, "target": target, "group": group})


def made_up(record, **columns):
    """The record with other columns of its comparisons."""
    table = dict(record.table("moved")) | columns
    return type("Made", (), {"table": lambda _, name: table if name == "moved" else record.table(name),
                             "spec": record.spec, "hash": record.hash})()  # fmt: skip


def test_pairs_with_an_empty_map_are_counted_and_left_out_of_the_means(found):
    records, *_ = found
    record, measures = records["disturb"], PROCEDURES["disturb"].measures
    moved = record.table("moved")
    chosen = (np.asarray(moved["change"]) == "attack") & (np.asarray(moved["target"]) == "before")
    chosen &= np.asarray(moved["fooled"]) == 1
    empty = np.zeros(len(chosen), dtype=np.int8)
    empty[np.flatnonzero(chosen)[::2]] = 1
    seen = slice_of(made_up(record, empty=empty), "attack")
    kept = chosen & (empty == 0)
    assert measures["empty maps"].value(seen) == pytest.approx(empty[chosen].mean())
    for name, column_ in (("overlap of the maps", "overlap"), ("growth of the area", "growth")):
        values = np.asarray(moved[column_], dtype=float)[kept]
        assert measures[name].value(seen) == pytest.approx(values.mean())
        (contributed,) = measures[name].samples(seen).values()
        assert contributed.mean() == pytest.approx(values.mean())
        # a mean over a varying number of images: the variance of a ratio (Cochran, 1977, eq. 2.46)
        among = (chosen & (empty == 0))[
            (np.asarray(moved["change"]) == "attack") & (np.asarray(moved["target"]) == "before")
        ]
        expected = (
            ((values - values.mean()) ** 2).sum() / among.sum() ** 2 * len(among) ** 2 / (len(among) - 1)
        )
        assert contributed.var(ddof=1) == pytest.approx(expected)
    growth = np.asarray(moved["growth"])[kept]
    assert measures["maps that grow"].value(seen) == pytest.approx((growth > 0.05).mean())
    assert measures["maps that shrink"].value(seen) == pytest.approx((growth < -0.05).mean())


def test_a_group_without_an_image_has_no_number_and_no_error(found):
    records, *_ = found
    none = made_up(records["disturb"], fooled=np.zeros(COUNT * 6, dtype=np.int8))
    for name, measure in PROCEDURES["disturb"].measures.items():
        if name != "predictions changed by the attack":
            assert np.isnan(measure.value(slice_of(none, "attack")))
            assert measure.samples(slice_of(none, "attack")) == {}


def test_a_change_is_brought_to_the_norm_of_another_as_far_as_the_range_allows():
    stream = torch.Generator().manual_seed(0)
    images = torch.rand(4, 1, 5, 5, generator=stream)
    images[3] = 0
    attacked = (images + 0.2 * torch.rand(images.shape, generator=stream)).clamp(0, 1)
    changed = (images - 0.05 * torch.rand(images.shape, generator=stream)).clamp(0, 1)
    found = as_far(images, changed, attacked)
    assert 0 <= float(found.min()) <= float(found.max()) <= 1
    norms = [(one - images).flatten(1).norm(dim=1) for one in (found, attacked, changed)]
    assert torch.allclose(norms[0][:3], norms[1][:3], rtol=0.05)
    assert (norms[2][:3] < 0.7 * norms[1][:3]).all()
    assert torch.equal(found[3], images[3])  # nothing to lengthen
    ways = torch.nn.functional.cosine_similarity((found - images).flatten(1), (changed - images).flatten(1))
    assert (ways[:3] > 0.8).all()


def opened(text):
    """A picture of a record, (3, H, W) in [0, 1]."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text))).convert("RGB")).transpose(2, 0, 1) / 255


def test_pictures_of_a_disturbance_are_of_the_first_images_that_are_fooled(found):
    records, _, network, images, _ = found
    attacked, table = records["disturb"].table("attacked"), records["disturb"].table("pictures")
    fooled = np.flatnonzero(np.asarray(attacked["clean"]) != np.asarray(attacked["prediction"]))[:5]
    assert list(table["change"]) == [
        name for name in ("attack", "noise", "reversed") for _ in range(len(fooled))
    ]
    for name in ("index", "label", "clean"):
        assert np.array_equal(table[name], np.tile(np.asarray(attacked[name])[fooled], 3))
    assert np.array_equal(table["prediction"][: len(fooled)], np.asarray(attacked["prediction"])[fooled])
    before = explain.overlay(images[fooled], explain.grad_cam(network, images)[fooled]).numpy()
    for number, row in enumerate(fooled):
        plain, four = opened(table["plain"][number])[:, ::4, ::4], opened(table["png"][number])
        assert np.abs(plain - images[row].numpy()).max() < 2 / 255
        assert four.shape == (3, 16 + 16 + 1, 16 + 16 + 1)
        assert np.abs(four[:, :16, :16] - before[number]).max() < 2 / 255
        change = np.abs(four[:, 17:, :16] - images[row].numpy()).max()
        assert 0.02 < change < 0.03 + 2 / 255


def test_noise_has_the_norms_of_the_attack_and_stays_in_range():
    images = torch.rand(5, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    images[0], images[1] = 0, 1
    attacked = (images + 0.1 * torch.randn(images.shape, generator=torch.Generator().manual_seed(1))).clamp(
        0, 1
    )
    noisy = same_size_noise(images, attacked, torch.Generator().manual_seed(2))
    assert 0 <= float(noisy.min()) <= float(noisy.max()) <= 1
    torch.testing.assert_close((noisy - images).abs(), (attacked - images).abs())
    same = ((noisy - images).sign() == (attacked - images).sign())[2:].double().mean()
    assert 0.4 < float(same) < 0.6


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Explain(net=NET, data="planted", methods=()), r"one or more methods, each once, got \[\]"),
        (
            lambda: Explain(net=NET, data="planted", methods=(explain.GradCAM(), explain.GradCAM(layer="a"))),
            "each once, got",
        ),
        (
            lambda: Disturb(net=NET, data="planted", method=explain.GradCAM(), by=PGD(), eps=0.0),
            "eps 0 changes nothing; take 8/255",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(make, sentence):
    with pytest.raises(UserError, match=sentence):
        make()
