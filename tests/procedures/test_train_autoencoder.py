"""Auto-encoders as runs: their errors recomputed, and one on the trunk of another run's network."""

import base64
import io
from typing import ClassVar

import numpy as np
import pytest
import torch
from PIL import Image

from gradlab.data import gather
from gradlab.detection import AutoEncoder, Reconstruction, reconstruction_error
from gradlab.lab import load
from gradlab.lab.judging.results import Results
from gradlab.lab.records.record import Store
from gradlab.procedures import PROCEDURES, TOOLBOX, Score, TrainAutoencoder, network_of
from gradlab.training import Recipe
from gradlab.training.frozen import digest_of
from tests.procedures.examples import DATA, NET, run

STRIPES = DATA["stripes"]
OWN = TrainAutoencoder(
    data="stripes",
    model=AutoEncoder(code=4, widths=(6,)),
    recipe=Recipe(epochs=8, batch_size=16, learning_rate=1e-2),
)
ON_TRUNK = TrainAutoencoder(data="stripes", model=OWN.model, recipe=Recipe(epochs=1), net=NET)


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("autoencoders")
    run(folder, OWN)
    detectors = (Reconstruction(),)
    run(folder, Score(net=NET, data="stripes", out=("noise",), detectors=detectors, autoencoder=ON_TRUNK))
    return folder


def records(out, kind="train-autoencoder"):
    found = [load(path) for path in sorted((out / "records").iterdir())]
    return [one for one in found if one.spec["procedure"]["kind"] == kind]


class Bench:
    """As much of a desk as a source asks for."""

    toolbox = TOOLBOX
    modules: ClassVar = {}


def rebuilt(record, out):
    return PROCEDURES["train-autoencoder"].network(record, Bench(), Store(out / "records"))


def test_errors_and_psnr_are_those_of_the_network_that_was_kept(out):
    (record,) = (one for one in records(out) if not one.spec["inputs"])
    network = rebuilt(record, out)
    errors = reconstruction_error(network, STRIPES.test)
    np.testing.assert_allclose(record.table("reconstructed")["squared_error"], errors, rtol=1e-5)
    found = Results(record, PROCEDURES["train-autoencoder"])
    measures = found.kind.measures
    assert measures["squared error"].value(found) == pytest.approx(errors.mean(), rel=1e-5)
    assert measures["PSNR"].value(found) == pytest.approx(-10 * np.log10(errors.mean()), abs=1e-4)
    of_mean = (
        (STRIPES.test.images.double() / 255 - STRIPES.train.images.double().mean(0) / 255).square().mean()
    )
    assert errors.mean() < float(of_mean)


def test_examples_are_the_images_and_their_reconstructions(out):
    (record,) = (one for one in records(out) if not one.spec["inputs"])
    table = record.table("examples")
    made = rebuilt(record, out).reconstruct(gather(STRIPES.test, torch.arange(10))).detach()
    for place, expected in (("png", STRIPES.test.images[0]), ("reconstruction", (made[0] * 255).round())):
        picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(table[place][0]))))
        assert np.abs(picture - expected[0].numpy()).max() <= 1


def test_the_network_under_one_has_the_weights_of_its_own_record(out):
    (record,) = (one for one in records(out) if one.spec["inputs"])
    (trained,) = (one for one in records(out, "train") if one.hash == record.spec["inputs"]["net"])
    inside = rebuilt(record, out).encoder.network.state_dict()
    own = network_of(trained).state_dict()
    assert {name: digest_of(one) for name, one in inside.items()} == {
        name: digest_of(own[name]) for name in inside
    }
    assert record.facts["frozen"] > 0
    assert record.facts["parameters"] == sum(
        one.numel() for one in rebuilt(record, out).parameters() if one.requires_grad
    )


def test_a_score_reads_the_auto_encoder_of_another_record(out):
    (record,) = (one for one in records(out) if one.spec["inputs"])
    (scored,) = records(out, "score")
    assert scored.spec["inputs"]["autoencoder"] == record.hash
    stored = scored.table("outside")["reconstruction"]
    np.testing.assert_allclose(
        stored, reconstruction_error(rebuilt(record, out), DATA["noise"].test), rtol=1e-5
    )
