"""The battery that every detector passes."""

import subprocess
import sys
from typing import Annotated

import numpy as np
import pytest
import torch
from pydantic import Field, TypeAdapter

from gradlab.detection import DETECTORS, AutoEncoder, Detector, Tuned, names_of
from gradlab.detection.registry import Detector as Union
from gradlab.types import UserError
from tests.detection.examples import foreign, head, images, labelled, logits, net

FEATURES, LABELS = labelled()
KINDS = (
    *("max-softmax", "max-logit", "energy", "entropy", "margin", "gen", "grad-norm", "mahalanobis"),
    *("relative-mahalanobis", "knn", "vim", "react", "ash", "odin", "reconstruction"),
)
LOGITS = [kind for kind in KINDS if DETECTORS[kind].needs == ("logits",)]
FITTED = {
    "features": FEATURES,
    "labels": LABELS,
    "head": head(),
    "network": net(),
    "autoencoder": AutoEncoder(code=4, widths=(3,)).build((1, 6, 6), seed=0),
}
READ = {"logits": logits(40, 3), "features": foreign(), "images": images(40)}


def ready(kind):
    config = DETECTORS[kind]()
    return config.fit(**{name: FITTED[name] for name in config.fits}) if config.fits else config


def score(kind, rows=slice(None)):
    return ready(kind).score(**{name: READ[name][rows] for name in DETECTORS[kind].needs})


def test_all_detectors_are_found():
    assert tuple(DETECTORS) == KINDS
    assert len(LOGITS) == 6


def test_scores_and_the_registry_need_no_torch():
    code = "import sys, gradlab.detection as d; d.max_logit([[1., 0.]]); d.DETECTORS; d.Tuned; print('torch' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["False"]


@pytest.mark.parametrize("kind", KINDS)
class TestEveryDetector:
    def test_is_read_from_its_fields_and_says_what_it_reads(self, kind):
        adapter = TypeAdapter(Annotated[Union, Field(discriminator="kind")])
        config = DETECTORS[kind]()
        assert config.kind == kind
        assert adapter.validate_json(adapter.dump_json(config)) == config
        assert not {"needs", "fits"} & set(adapter.dump_python(config))
        assert set(config.needs) <= {"logits", "features", "images"}
        assert set(config.fits) <= set(FITTED)
        assert bool(config.fits) == hasattr(config, "fit")

    def test_gives_a_finite_number_an_image_whatever_the_batch(self, kind):
        whole = score(kind)
        assert whole.shape == (40,)
        assert whole.dtype == np.float64
        assert np.isfinite(whole).all()
        assert len(np.unique(whole)) > 30
        np.testing.assert_allclose(score(kind, slice(7, 8)), whole[7:8], rtol=1e-5)

    def test_leaves_what_it_reads_and_takes_tensors_and_lists(self, kind):
        needs = DETECTORS[kind].needs
        kept = {name: np.asarray(READ[name]).copy() for name in needs}
        expected = score(kind)
        assert all((np.asarray(READ[name]) == kept[name]).all() for name in needs)
        if "images" not in needs:
            for form in (np.ndarray.tolist, lambda array: torch.tensor(array, requires_grad=True)):
                given = {name: form(READ[name]) for name in needs}
                np.testing.assert_array_equal(ready(kind).score(**given), expected)


@pytest.mark.parametrize("kind", LOGITS)
class TestEveryScoreOfLogits:
    def test_is_larger_where_the_network_is_less_sure(self, kind):
        found = DETECTORS[kind]().score([[9.0, 0, 0], [3.0, 0, 0], [1.0, 0, 0], [0.1, 0, 0]])
        assert (np.diff(found) > 0).all()

    def test_does_not_depend_on_the_order_of_classes(self, kind):
        of, values = DETECTORS[kind]().score, logits()
        np.testing.assert_allclose(of(values[:, ::-1]), of(values), rtol=1e-12)

    def test_scores_half_precision_and_no_images(self, kind):
        of, half = DETECTORS[kind]().score, torch.tensor(logits()).bfloat16()
        assert (of(half) == of(half.double())).all()
        assert of(np.zeros((0, 3))).shape == (0,)

    @pytest.mark.parametrize(
        ("values", "sentence"),
        [
            ([1.0, 2.0], r"shape \(N, K\) with K ≥ 2, got shape \(2,\)"),
            ([[1.0]], r"got shape \(1, 1\)"),
            ([["a", "b"]], "must be numbers"),
            ([[1.0, np.nan]], "must be finite"),
            ([[1.0, np.inf]], "must be finite"),
        ],
    )
    def test_refuses_what_is_no_logits(self, kind, values, sentence):
        with pytest.raises(UserError, match=sentence):
            DETECTORS[kind]().score(values)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "features" in DETECTORS[kind].needs])
def test_refuses_what_is_no_features(kind):
    given = {name: READ[name] for name in DETECTORS[kind].needs}
    for values, sentence in ((FEATURES[0], r"shape \(N, D\)"), (FEATURES * np.nan, "must be finite")):
        with pytest.raises(UserError, match=sentence):
            ready(kind).score(**(given | {"features": values}))
    if DETECTORS[kind].fits:
        with pytest.raises(UserError, match="with 5 columns, got 4"):
            ready(kind).score(**(given | {"features": foreign()[:, :4]}))


def test_names_tell_settings_apart_only_where_they_must():
    knn, odin = DETECTORS["knn"], DETECTORS["odin"]
    assert names_of([knn(), odin(eps="2/255")]) == ["knn", "odin"]
    assert names_of([odin(temperature=10, eps=0.0), odin()]) == [
        "odin (temperature 10, eps 0)",
        "odin (temperature 1000, eps 0.0014)",
    ]
    assert names_of([knn(), Tuned(among=(knn(k=1), knn(k=2)))]) == ["knn", "knn, tuned"]
    pairs = [Tuned(among=tuple(knn(k=one) for one in ks)) for ks in ((1, 2), (3, 4), (5, 6, 7))]
    assert names_of(pairs[1:]) == ["knn, tuned (2 settings)", "knn, tuned (3 settings)"]
    assert names_of(pairs[:2]) == ["knn, tuned (k 1; k 2)", "knn, tuned (k 3; k 4)"]


def test_the_public_type_is_the_union():
    assert Detector is Union
