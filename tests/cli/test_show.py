import json
import re

from gradlab.attacks import ATTACKS
from gradlab.data import DATASETS
from gradlab.detection import DETECTORS
from gradlab.explain import EXPLAINERS
from gradlab.lab.kinds import measures_of
from gradlab.lab.running.trackers import TRACKERS
from gradlab.metrics import METRICS
from gradlab.models import MODELS, NETS
from gradlab.procedures import PROCEDURES
from gradlab.studies import STUDIES
from gradlab.training import RECIPES

MEASURES = measures_of(PROCEDURES)


def test_everything_that_has_a_name_is_listed(ask):
    listed = json.loads(ask("list", "--json").out)
    registries = {
        "studies": STUDIES,
        "data": DATASETS,
        "procedures": PROCEDURES,
        "models": MODELS,
        "networks": NETS,
        "recipes": RECIPES,
        "attacks": ATTACKS,
        "detectors": DETECTORS,
        "explainers": EXPLAINERS,
        "measures": MEASURES,
        "metrics": METRICS,
        "trackers": TRACKERS,
    }
    assert {kind: list(members) for kind, members in listed.items()} == {
        kind: list(registry) for kind, registry in registries.items()
    }
    assert all(text for members in listed.values() for text in members.values())


def test_the_table_says_the_same(ask, monkeypatch):
    monkeypatch.setenv("COLUMNS", "250")
    answer = ask("list")
    assert (answer.code, answer.err) == (0, "")
    registries = (
        STUDIES,
        DATASETS,
        PROCEDURES,
        MODELS,
        NETS,
        RECIPES,
        ATTACKS,
        DETECTORS,
        EXPLAINERS,
        MEASURES,
    )
    assert len(answer.out.splitlines()) == sum(map(len, (*registries, METRICS, TRACKERS)))
    for name in (
        *STUDIES,
        *DATASETS,
        *NETS,
        *ATTACKS,
        *DETECTORS,
        *EXPLAINERS,
        *MEASURES,
        *METRICS,
        *TRACKERS,
    ):
        assert re.search(rf"(?<!\S){re.escape(name)}  ", answer.out), name
    assert "residual-mlp" in answer.out
    assert "pip install 'gradlab[wandb]'" in answer.out
