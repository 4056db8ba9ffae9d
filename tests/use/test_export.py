"""Exported files load without this package, in at most five lines, and give the same logits."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from gradlab.models import MLP, load
from gradlab.models.wrap import wrap
from gradlab.types import UserError
from gradlab.use import export, export_model, open_trained
from gradlab.use.export import BATCHES
from tests.pages import ROOT, blocks_of

SHAPE, NAMES = (3, 6, 5), ("cat", "dog", "cow", "sow")
CONFIGS = [
    MLP(width=9, depth=2),
    MLP(width=8, depth=4, residual=True, layers_per_block=2, norm="batch", dropout=0.2, activation="gelu"),
    MLP(width=8, depth=2, residual=True, norm="layer", activation_place="after-sum", stem_activation=False),
    MLP(widths=(7, 5), activation="leaky-relu"),
]


def shown_lines() -> dict[str, str]:
    """The blocks of the documentation that load an exported network without this package."""
    blocks = [block.text for block in blocks_of(ROOT / "docs" / "use.md") if block.language == "python"]
    alone = [text for text in blocks if text.startswith("import ") and "gradlab" not in text]
    return {"safetensors" if "steps" in text else "torch-export": text for text in alone}


FIVE_LINES = shown_lines()


def network(config: MLP, seed: int = 0) -> nn.Module:
    made = config.build(SHAPE, 4, seed=seed, mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.1))
    made(torch.rand(32, *SHAPE, generator=torch.Generator().manual_seed(1)))
    return made.eval()


def write(model: nn.Module, to: str, out: Path):
    return export_model(model, to, out, input_shape=SHAPE, class_names=NAMES)


@pytest.mark.parametrize("to", ["safetensors", pytest.param("torch-export", marks=pytest.mark.slow)])
def test_at_most_five_lines_of_plain_pytorch_give_identical_logits(to, tmp_path):
    """A fresh interpreter in which this package cannot be imported; several networks and batch sizes, to the bit."""
    lines = FIVE_LINES[to].strip().splitlines()
    assert len(lines) <= 5
    for number, config in enumerate(CONFIGS):
        folder = tmp_path / str(number)
        model = network(config)
        write(model, to, folder / "exports" / "model")
        with torch.no_grad():
            tensors = {
                f"{kind}{count}": value
                for count in (1, 5, 64)
                for kind, value in zip(("images", "logits"), _pair(model, count), strict=True)
            }
        save_file(tensors, folder / "expected.safetensors")
    code = f"""
import os, sys
sys.modules["gradlab"] = None
import safetensors.torch
for number in range({len(CONFIGS)}):
    os.chdir({str(tmp_path)!r} + f"/{{number}}")
    expected = safetensors.torch.load_file("expected.safetensors")
    for count in (1, 5, 64):
        images = expected[f"images{{count}}"].clone()  # into memory that PyTorch aligns
        exec({chr(10).join(lines)!r})
        assert torch.equal(logits, expected[f"logits{{count}}"]), (number, count)
assert not [name for name in sys.modules if name.startswith("gradlab.")]
print("equal")
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.stdout == "equal\n", done.stderr


def _pair(model, count):
    images = torch.rand(count, *SHAPE, generator=torch.Generator().manual_seed(count))
    return images, model(images)


def test_both_formats_are_shown():
    assert set(FIVE_LINES) == {"safetensors", "torch-export"}


@pytest.mark.slow
@pytest.mark.parametrize("config", CONFIGS[:2], ids=str)
def test_onnx_agrees_for_batches_of_any_size(config, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    pytest.importorskip("onnxscript", reason="needs the extra onnx")
    model = network(config)
    made = write(model, "onnx", tmp_path / "model")
    assert made.path == tmp_path / "model.onnx"
    assert 0 <= made.difference < 1e-5
    session = onnxruntime.InferenceSession(made.path, providers=["CPUExecutionProvider"])
    images, logits = _pair(model, 11)
    (found,) = session.run(["logits"], {"images": images.numpy()})
    np.testing.assert_allclose(found, logits.detach().numpy(), rtol=1e-4, atol=1e-5)
    assert json.loads(session.get_modelmeta().custom_metadata_map["gradlab.class_names"]) == list(NAMES)


def test_onnx_without_its_packages_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules["gradlab.use.export"], "find_spec", lambda _name: None)
    with pytest.raises(
        UserError, match=r"needs onnx and onnxscript, not installed: pip install 'gradlab\[onnx\]'"
    ):
        write(network(CONFIGS[0]), "onnx", tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_safetensors_is_a_model_folder(tmp_path):
    model = network(CONFIGS[1])
    made = write(model, "safetensors", tmp_path / "model")
    assert (made.difference, made.images) == (0.0, sum(BATCHES))
    assert "bit-equal" in made.describe()
    images, logits = _pair(model, 6)
    assert torch.equal(load(tmp_path / "model")(images), logits)


class Convolutions(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.head = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 4)

    def forward(self, x):
        return self.head(self.norm(self.conv(x)).relu().mean((2, 3)))


def test_a_module_of_ones_own_goes_to_torch_export_but_not_to_steps(tmp_path):
    model = wrap(Convolutions().eval(), mean=(0.5,), std=(0.25,))
    made = write(model, "torch-export", tmp_path / "own")
    images, logits = _pair(model, 5)
    assert torch.equal(torch.export.load(made.path).module()(images), logits)
    with pytest.raises(UserError, match="save writes networks that"):
        write(model, "safetensors", tmp_path / "folder")


def test_the_model_is_left_as_it_was(tmp_path):
    model = network(CONFIGS[1]).train()
    model.head.eval()
    write(model, "torch-export", tmp_path / "model")
    assert model.training
    assert not model.head.training
    assert model.stem.training


def test_no_path_of_this_machine_is_written(tmp_path):
    made = write(network(CONFIGS[0]), "torch-export", tmp_path / "model")
    content = made.path.read_bytes()
    assert str(tmp_path).encode() not in content
    assert b"site-packages" not in content
    assert b"mlp_network.py" not in content


class Branches(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(90, 4)

    def forward(self, x):
        x = self.head(x.flatten(1))
        return x if x.sum() > 0 else -x


class FixedBatch(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(90, 4)

    def forward(self, x):
        return self.head(x.reshape(3, 90))


@pytest.mark.parametrize("model", [Branches(), FixedBatch()], ids=["branches", "fixed batch"])
def test_what_cannot_be_traced_is_one_sentence_and_nothing_is_left(model, tmp_path):
    with pytest.raises(UserError, match="PyTorch cannot trace the model for batches of any size") as caught:
        write(model, "torch-export", tmp_path / "model")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_disagrees_is_not_kept(tmp_path, monkeypatch):
    from gradlab.use.export import WRITERS

    monkeypatch.setitem(
        WRITERS, "torch-export", lambda model, _path, _facts: (lambda x: model(x) + 1e-3, "a fault")
    )
    with pytest.raises(UserError, match=r"gives other logits .* it was not kept"):
        write(network(CONFIGS[0]), "torch-export", tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_logits_that_are_not_finite_are_refused(tmp_path):
    model = network(CONFIGS[0])
    nn.init.constant_(model.head.bias, float("nan"))
    with pytest.raises(UserError, match="logits are not finite"):
        write(model, "torch-export", tmp_path / "model")


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "model.pt2").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    (tmp_path / "file").write_text("mine")
    model = network(CONFIGS[0])
    with pytest.raises(UserError, match=r"model.pt2 already exists; give --out another name"):
        write(model, "torch-export", tmp_path / "model")
    with pytest.raises(UserError, match="link already exists"):
        write(model, "safetensors", tmp_path / "link")
    with pytest.raises(UserError, match="file is a file; give a path in a folder"):
        write(model, "safetensors", tmp_path / "file" / "model")
    with pytest.raises(UserError, match="unknown format 'onx'; did you mean 'onnx'"):
        write(model, "onx", tmp_path / "new")
    assert (tmp_path / "model.pt2").read_text() == "mine"


def test_a_place_that_cannot_be_written_is_named_as_it_was_given(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied", "/hidden/.export-x1y2")

    monkeypatch.setattr("tempfile.TemporaryDirectory", refuse)
    with pytest.raises(UserError, match=r"x\.pt2 cannot be written \(Permission denied\); give another path"):
        write(network(CONFIGS[0]), "torch-export", tmp_path / "x")


def test_a_record_keeps_its_facts(out, tmp_path):
    folder = sorted((out / "records").iterdir())[0]
    trained = open_trained(folder)
    export(trained, "safetensors", tmp_path / "model")
    again = open_trained(tmp_path / "model")
    images = torch.rand(4, *trained.input_shape)
    assert torch.equal(again.network(images), trained.network(images))
    assert (again.data, again.data_checksum) == (trained.data, trained.data_checksum)
    assert again.class_names == trained.class_names
    assert again.facts["record"] == folder.name
    export(again, "safetensors", tmp_path / "twice")
    assert open_trained(tmp_path / "twice").facts["recipe"] == again.facts["recipe"]


@pytest.mark.slow
def test_what_onnxruntime_cannot_run_is_one_sentence_and_nothing_is_left(tmp_path):
    pytest.importorskip("onnxscript")
    pytest.importorskip("onnxruntime")
    model = network(CONFIGS[3]).double()  # it has no leaky rectifier of doubles
    with pytest.raises(
        UserError, match=r"onnxruntime cannot run the network as onnx .* nothing was kept"
    ) as caught:
        write(model, "onnx", tmp_path / "model")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []
