"""Runs over a published CLIP: rebuilt from their records on this machine, which say its name and checksums and no path."""

import shutil

import numpy as np
import pytest
import torch

from gradlab.clip import CLIPLoRA, PromptLearning, build_small, save_clip
from gradlab.lab.records.binding import software_of
from gradlab.lab.records.record import Store
from gradlab.procedures import PROCEDURES
from gradlab.procedures.clip_tune import ClipTune
from gradlab.procedures.clip_zero_shot import ClipZeroShot
from gradlab.procedures.pretrained_clip import clip_below, clip_source
from gradlab.training import Recipe
from gradlab.types import UserError
from tests.procedures.examples import CLIP, DATA, run

RECIPE = Recipe(epochs=1, batch_size=64, learning_rate=1e-2)


def tuned(net, method):
    return ClipTune(net=net, data="stripes", method=method, recipe=RECIPE)


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """A published CLIP in a folder, tuned, and asked; returns the folder, that of the runs, and the records by kind."""
    pytest.importorskip("peft")
    place = tmp_path_factory.mktemp("published-here") / "my-clip"
    folder = save_clip(build_small(CLIP.model, DATA["stripes"], seed=0), place)
    out = tmp_path_factory.mktemp("runs")
    run(out, ClipZeroShot(net=tuned(clip_source(folder), CLIPLoRA()), data="stripes"))
    run(out, ClipZeroShot(net=clip_source(folder), data="stripes"))
    store = Store(out / "records")
    found = {}
    for one in (out / "records").iterdir():
        record = store.get(one.name)
        found[record.spec["procedure"]["kind"], record.facts["source"] is None] = record
    return folder, out, found


def test_their_records_say_the_name_and_the_checksums_and_no_path(asked):
    folder, out, found = asked
    assert set(found) == {("clip-tune", False), ("clip-zero-shot", True), ("clip-zero-shot", False)}
    told = found["clip-tune", False].facts["source"]
    assert told["name"] == "my-clip"
    assert {"config.json", "model.safetensors", "tokenizer.json"} < set(told["files"])
    assert all(len(one) == 64 for one in told["files"].values())
    for path in (out / "records").rglob("*"):
        assert path.is_dir() or b"published-here" not in path.read_bytes(), path.name
    assert str(folder) in next((out / "sources").iterdir()).read_text()  # for this machine alone


def test_the_network_below_is_the_published_one_and_changed_files_or_a_moved_folder_are_said(asked):
    folder, out, found = asked
    store, record = Store(out / "records"), found["clip-zero-shot", False]
    state = clip_below(record, None, store).state_dict()
    assert all(torch.equal(one, state[name]) for name, one in _loaded(folder).items())
    classifier = PROCEDURES["clip-zero-shot"].network(record, None, store)
    logits = classifier(DATA["stripes"].test.images[:4].expand(-1, 3, -1, -1) / 255)
    stored = np.stack([record.table("predictions")[f"logit_{one}"][:4] for one in range(3)], 1)
    assert torch.allclose(logits, torch.tensor(stored).float(), atol=1e-4)
    kept = folder.parent / "elsewhere"
    shutil.copytree(folder, kept)
    for change in (
        lambda: (folder / "preprocessor_config.json").write_text("{}"),
        lambda: shutil.rmtree(folder),
    ):
        change()
        with pytest.raises(
            UserError, match=r"rests on the CLIP 'my-clip', whose files are not here; .* --model"
        ):
            clip_below(record, None, store)
    shutil.copytree(kept, folder)
    clip_below(record, None, store)


def _loaded(folder):
    from gradlab.clip import load_clip

    return load_clip(folder).state_dict()


def test_adapters_make_the_version_of_peft_part_of_the_spec_and_prompts_do_not(asked):
    _, _, found = asked
    spec = found["clip-tune", False].spec
    assert set(spec["software"]) == {"torch", "transformers", "tokenizers", "peft"}
    assert "peft" not in found["clip-zero-shot", True].spec["software"]
    prompt = tuned(CLIP, PromptLearning())
    assert "peft" not in software_of([prompt], PROCEDURES)
    assert "peft" in software_of([tuned(CLIP, CLIPLoRA())], PROCEDURES)
