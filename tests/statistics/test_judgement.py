import json
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from gradlab.statistics import Judgement, Part, judge, judge_every

RNG = np.random.default_rng(0)
CORRECT = RNG.random((6, 360)) < 0.95, RNG.random((6, 360)) < 0.90
JUDGEMENTS = {
    "per seed": judge([0.94, 0.95, 0.95], [0.88, 0.88, 0.89], delta=0.01),
    "per sample": judge(*CORRECT, delta=0.01),
    "one seed": judge([1.0], delta=0.1),
    "no spread": judge([1.0, 1.0], delta=0.1, unit="epochs"),
    "every": judge_every(
        {"depth <2>": Part([0.1, 0.2, 0.15], delta=0.01), "depth 8": Part([0.0, 0.3, 0.1], delta=0.01)}
    ),
}


@pytest.mark.parametrize("name", JUDGEMENTS)
def test_record_is_json_without_nan_and_comes_back_the_same(name: str) -> None:
    record = JUDGEMENTS[name].as_record()
    assert json.loads(json.dumps(record, allow_nan=False)) == record


def test_record_holds_kind_verdict_and_reading() -> None:
    record = JUDGEMENTS["per seed"].as_record()
    assert (record["kind"], record["verdict"], record["reading"]) == (
        "more",
        "supported",
        "better by more than 0.01",
    )
    assert record["rule"] == "normal"
    assert {one.as_record()["verdict"] for one in JUDGEMENTS.values()} <= {"supported", "refuted", "open"}
    assert all(part["kind"] == "more" for part in JUDGEMENTS["every"].as_record()["parts"])


def test_record_of_one_seed_has_nulls() -> None:
    record = JUDGEMENTS["one seed"].as_record()
    assert record["interval"] == [None, None]
    assert record["seed_share"] is None
    assert record["n"] == 1


def test_record_holds_both_parts_of_the_variance() -> None:
    record = JUDGEMENTS["per sample"].as_record()
    total = record["seed_variance"] + record["sample_variance"]
    assert record["seed_share"] == pytest.approx(record["seed_variance"] / total)
    assert (record["n"], record["samples"], record["degrees_of_freedom"]) == (6, 360, 5)


def test_text_starts_with_the_verdict_and_holds_numbers_and_flags() -> None:
    text = str(JUDGEMENTS["per seed"])
    assert text.startswith("supported: better by more than 0.01\n  The 96 % interval [")
    assert "3 paired seeds" in text
    assert "note: with 3 seeds the sign-flip cannot reach 0.05" in text
    assert "360 test samples" in str(JUDGEMENTS["per sample"])
    assert "to settle it: at least 5 more seeds" in str(JUDGEMENTS["one seed"])
    assert "  depth 8: open: " in str(JUDGEMENTS["every"])


@pytest.mark.parametrize("name", JUDGEMENTS)
def test_html_is_well_formed_and_escaped(name: str) -> None:
    made = JUDGEMENTS[name]._repr_html_()
    root = ET.fromstring(made)
    assert JUDGEMENTS[name].verdict in "".join(root.itertext())
    assert "<2>" not in made


def test_html_draws_the_interval_in_proportion() -> None:
    made: Judgement = JUDGEMENTS["per seed"]
    root = ET.fromstring(made._repr_html_())
    solid = [line for line in root.iter("line") if line.get("stroke-width") == "3"]
    ticks = {text.text: float(text.get("x") or 0) for text in root.iter("text")}
    per_unit = (ticks["0.01"] - ticks["-0.01"]) / 0.02
    drawn = float(solid[0].get("x2") or 0) - float(solid[0].get("x1") or 0)
    assert drawn == pytest.approx((made.high - made.low) * per_unit, rel=0.02)
    assert float(solid[0].get("x1") or 0) > ticks["0.01"]  # supported lies right of delta


def test_html_of_one_seed_has_no_drawing() -> None:
    assert "<svg" not in JUDGEMENTS["one seed"]._repr_html_()
