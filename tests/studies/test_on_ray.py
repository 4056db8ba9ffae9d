"""Real studies by Ray: claims, tables, figures and every column are those of the local executor."""

from pathlib import Path
from typing import Any

import pytest

import gradlab
from gradlab.language import TextTransformer, WordPiece, build_encoder
from tests.kills import columns_of
from tests.lab.running.test_ray import needs_ray

WORDS = ["good", "bad", "fine", "poor", "great", "dull", "warm", "cold"]
SMALLEST: dict[str, dict[str, Any]] = {
    "fgsm-budget": {"images": 30},
    "ood-detection": {"images": 40, "code": 2},
    "where-it-looks": {"images": 20},
    "text-features": {"layers": (0,)},
}


def own_texts(folder: Path) -> dict[str, Any]:
    """Write a few sentences of two classes, and a tiny encoder for them."""
    rows = [f"{word} film {number} of the year" for number in range(30) for word in WORDS]
    lines = [f"{row},{'yes' if row.split()[0] in WORDS[::2] else 'no'}\n" for row in rows]
    (folder / "mine.csv").write_text("text,label\n" + "".join(lines))
    model = TextTransformer(dim=8, layers=1, heads=2, hidden_dim=8)
    place = build_encoder(model, WordPiece(vocab_size=60).train(rows), seed=0).save(folder / "encoder")
    return {"data": folder / "mine.csv", "model": str(place)}


@needs_ray
@pytest.mark.parametrize("study", SMALLEST)
def test_a_study_by_ray_equals_that_of_the_local_executor(tmp_path, study):
    given = SMALLEST[study] | (own_texts(tmp_path) if study == "text-features" else {})

    def run(executor: str, **more: Any) -> dict[str, Any]:
        made = gradlab.run(
            study, out=tmp_path / executor, executor=executor, seeds=2, device="cpu", progress=False, **given, **more
        )  # fmt: skip
        return made.results

    by_ray = run("ray", store=f"file://{tmp_path}/store")
    local = run("local")
    for name in ("claims", "tables", "figures", "answer"):
        assert by_ray[name] == local[name], name
    records = columns_of(tmp_path / "local")
    assert len(records) > 2
    assert columns_of(tmp_path / "ray") == records
