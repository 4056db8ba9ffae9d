"""What a certificate writes: it is that of `attacks.certify`, one network stands for all seeds, and reasons are told."""

import json
from dataclasses import replace

import numpy as np
import pytest
from torch import nn

from gradlab.attacks import certify
from gradlab.attacks.effort import EFFORTS, Effort
from gradlab.lab import load
from gradlab.lab.judging.results import Results
from gradlab.procedures import Certify, network_of
from gradlab.procedures._modules import describe_given
from gradlab.procedures.certify import CERTIFY
from gradlab.procedures.sources import Given
from gradlab.types import UserError
from tests.procedures.examples import DATA, EXAMPLES, run

ONE = replace(EXAMPLES["certify"], net_seed=0)


@pytest.fixture(scope="module", autouse=True)
def _brief():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(EFFORTS, "quick", Effort(images=12, steps=3, draws=2, queries=10))
        yield


def records(out, kind):
    found = [load(path) for path in (out / "records").iterdir()]
    return [one for one in found if one.spec["procedure"]["kind"] == kind]


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certify")
    results = run(folder, ONE, (0, 1))
    (folder / "results.json").write_text(json.dumps(results))
    return folder


def results(record):
    return Results(record, CERTIFY)


def test_one_network_stands_for_all_seeds_and_the_result_rests_on_no_other(out):
    (record,) = records(out, "certify")
    assert record.spec["seed"] is None
    told = json.loads((out / "results.json").read_text())
    assert {one["record"] for one in told["runs"]} == {record.hash}
    assert len(told["runs"]) == 2
    rests_on = [load(out / "records" / one["record"]) for one in told["rests_on"]]
    assert [one.spec["seed"] for one in rests_on] == [0, 0]  # the network and its twin


def test_it_is_the_certificate_of_the_network_of_that_seed(out):
    (record,) = records(out, "certify")
    net, twin = (network_of(load(out / "records" / record.spec["inputs"][name])) for name in ("net", "twin"))
    found = certify(net, DATA["stripes"], ONE.eps, quick=True, images=12, twin=twin)
    assert record.facts["finding"] == found.finding
    assert record.facts["budget"] == found.budget
    table = record.table("attacks")
    assert dict(zip(table["attack"].tolist(), table["left"].tolist(), strict=True)) == found.attacks
    assert "transfer from the twin" in found.attacks
    checks = record.table("checks")
    assert set(checks["check"][checks["finding"] == "passed"]) == set(found.passed)
    assert CERTIFY.measures["robust accuracy"].value(results(record)) == found.robust.estimate
    assert CERTIFY.measures["clean accuracy"].value(results(record)) == found.clean.estimate
    assert CERTIFY.measures["accuracy under PGD"].value(results(record)) == found.attacks["PGD"]


class Rounded(nn.Module):
    """Rounds away what an attack could follow."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, images):
        return self.network((images * 4).round() / 4)


def test_a_broken_network_of_ones_own_is_invalid_and_the_report_says_why(tmp_path):
    network = Rounded(EXAMPLES["train"].model.build((1, 6, 6), 3, seed=0))
    given = Given(name="mine", digest=describe_given("mine", network, (1, 6, 6)).digest)
    run(tmp_path, replace(ONE, net=given, twin=None), modules={"mine": network})
    (record,) = records(tmp_path, "certify")
    assert record.facts["finding"] == "invalid"
    assert "gradients: The gradient of the logits is zero" in record.facts["reasons"]
    (flag,) = CERTIFY.flags("mine", [results(record), results(record)])
    assert flag.startswith("mine: the certificate is invalid: gradients")
    remedies = record.table("checks")
    assert all(remedies["remedy"][remedies["finding"] == "invalid"])


class Told:
    """A run of which a fact, or which image was fooled, is another."""

    def __init__(self, record, facts=None, fooled_by=None):
        self.record, self.fooled_by = record, fooled_by
        self.facts, self.spec, self.hash = record.facts | (facts or {}), record.spec, record.hash

    def table(self, name):
        table = dict(self.record.table(name))
        if name == "certified" and self.fooled_by is not None:
            table["fooled_by"] = self.fooled_by
        return table


def test_a_finding_or_number_that_does_not_follow_is_found(out):
    (record,) = records(out, "certify")
    assert CERTIFY.check(results(record)) == []
    for facts in ({"finding": "sound"}, {"fooled by": "nothing at all"}):
        assert CERTIFY.check(results(Told(record, facts))) == list(facts)
    nobody = np.full(12, -1)
    assert "left" in CERTIFY.check(results(Told(record, fooled_by=nobody)))
    assert json.dumps(dict(record.facts))


def test_the_images_are_those_of_certify_with_their_shares_of_classes(out):
    (record,) = records(out, "certify")
    assert np.bincount(record.table("certified")["label"]).tolist() == [4, 4, 4]


@pytest.mark.parametrize(
    ("change", "sentence"), [({"eps": 0}, "a radius above 0"), ({"eps": 3.0}, "eps must lie")]
)
def test_a_radius_that_no_attack_can_use_is_refused(change, sentence):
    with pytest.raises(UserError, match=sentence):
        Certify(net=ONE.net, data="stripes", **change)
