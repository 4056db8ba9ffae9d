"""Heads on features: recomputed from the record of the network that they read."""

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from gradlab.data import from_tensors
from gradlab.lab import load
from gradlab.lab.judging.results import Results
from gradlab.procedures import PROCEDURES, FitHead, network_of
from gradlab.transfer import LDA, NearestNeighbours, features
from gradlab.types import UserError
from tests.procedures.examples import DATA, NET, run, stripes

STRIPES = DATA["stripes"]
HEAD = FitHead(net=NET, data="stripes", head=LDA(shrinkage=(0.1, 0.9)))


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("heads")
    run(folder, HEAD, (0, 1))
    return folder


def records(out, kind):
    found = [load(path) for path in sorted((out / "records").iterdir())]
    return [one for one in found if one.spec["procedure"]["kind"] == kind]


def test_predictions_are_those_of_scikit_learn_on_features_of_the_recorded_network(out):
    networks = {one.hash: network_of(one) for one in records(out, "train")}
    for record in records(out, "fit-head"):
        network = networks[record.spec["inputs"]["net"]]
        parts = {role: features(network, part).numpy().astype(float) for role, part in STRIPES.splits.items()}
        mean, scale = parts["train"].mean(0), parts["train"].std(0)
        scale[scale == 0] = 1
        accuracies = []
        for shrinkage in (0.9, 0.1):
            own = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage)
            own.fit((parts["train"] - mean) / scale, STRIPES.train.labels.numpy())
            truth = STRIPES.validation.labels.numpy()
            accuracies.append(own.score((parts["validation"] - mean) / scale, truth))
            if shrinkage == record.facts["chosen"]["shrinkage"]:
                theirs = own.predict((parts["test"] - mean) / scale)
                assert (record.table("predictions")["prediction"] == theirs).all()
        assert record.table("choices")["accuracy"].tolist() == pytest.approx(accuracies)
        assert record.facts["validation"]["accuracy"] == pytest.approx(max(accuracies))
        found = Results(record, PROCEDURES["fit-head"])
        assert found.kind.measures["validation accuracy"].value(found) == pytest.approx(max(accuracies))


def test_a_head_has_no_seed_but_its_network_does(out):
    heads = records(out, "fit-head")
    assert len(heads) == 2
    assert {one.spec["seed"] for one in heads} == {None}
    assert len({one.spec["inputs"]["net"] for one in heads}) == 2
    assert heads[0].facts["parameters"] == 3 * (6 + 1)


def test_the_plane_shows_some_images_of_every_class(out):
    table = records(out, "fit-head")[0].table("embedding")
    assert (table["label"] == STRIPES.test.labels.numpy()[table["index"]]).all()
    assert set(table["label"].tolist()) == {0, 1, 2}
    assert np.abs([table["x"].mean(), table["y"].mean()]).max() < 1e-4
    assert table["x"].var() >= table["y"].var()


def test_what_does_not_fit_is_refused(tmp_path):
    images, labels = stripes()
    wide = from_tensors(images.repeat(1, 3, 1, 1), labels, name="colour")
    bad = FitHead(net=NET, data="stripes", head=LDA(), layer="steam")
    with pytest.raises(UserError, match="no layer 'steam'; did you mean 'stem'"):
        run(tmp_path, bad)
    with pytest.raises(UserError, match="reads images of shape"):
        run(
            tmp_path,
            FitHead(net=NET, data="colour", head=LDA()),
            memory={**DATA, "colour": wide},
            info=_info(wide),
        )
    with pytest.raises(UserError, match="exceed the 72 training images"):
        run(tmp_path, FitHead(net=NET, data="stripes", head=NearestNeighbours(k=(900,))))


def _info(data):
    from gradlab.data.contents import info_of
    from tests.procedures.examples import info

    return lambda name: info_of(data) if name == data.name else info(name)
