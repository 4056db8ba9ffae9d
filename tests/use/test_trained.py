"""A model by its folder, by a record's folder, or by the beginning of a record's name."""

import shutil

import pytest
import torch

from gradlab.data import gather
from gradlab.lab import find_record
from gradlab.models import MLP, save
from gradlab.types import UserError
from gradlab.use import network, open_trained
from tests.studied import logits


@pytest.fixture
def record(out):
    return sorted((out / "records").iterdir())[0]


def test_a_record_gives_its_network_and_facts(record, digits):
    trained = open_trained(record)
    found = find_record(record)
    test = digits.test
    again = trained.network(gather(test, torch.arange(len(test))))
    assert torch.allclose(again, torch.from_numpy(logits(found)), atol=1e-5)
    assert (trained.data, trained.data_checksum) == ("digits", digits.checksum)
    assert trained.class_names == digits.class_names
    assert trained.facts["metrics"]["test"] == found.facts["test"]


def test_the_beginning_of_a_name_is_enough(out, record):
    for name in (record.name[:6], record.name, out / "records" / record.name[:6], f"{record.name[:6]}…"):
        assert find_record(name, out).hash == record.name
    assert open_trained(record.name[:8], out).name == record.name


def test_a_beginning_of_several_is_refused(out, record):
    twin = record.with_name(f"{record.name[:10]}{'0' * 10}")
    shutil.copytree(record, twin)
    with pytest.raises(
        UserError, match=rf"2 records in .* begin with {record.name[:10]} .* give more characters"
    ):
        find_record(record.name[:10], out)


@pytest.mark.parametrize(
    "name", ["zz", "..", "../..", "", "a/b", "*", "3fa9*", "[a-f]", "records", "~", "ABCDEF"]
)
def test_what_is_no_name_is_refused(out, name):
    with pytest.raises(UserError, match="there is no record"):
        find_record(name, out)


def test_a_name_that_is_not_there_says_where_to_look(out):
    with pytest.raises(
        UserError, match=r"no record in .* begins with 0123456789abcdef; gradlab runs .* lists them"
    ):
        find_record("0123456789abcdef", out)


def test_a_model_folder_is_read_by_its_folder_or_its_json(tmp_path):
    folder = save(MLP().build((1, 4, 4), 2, seed=0), tmp_path / "model", class_names=("a", "b"))
    for place in (folder, folder / "model.json", folder / "model.safetensors"):
        trained = open_trained(place)
        assert (trained.name, trained.input_shape, trained.class_names) == ("model", (1, 4, 4), ("a", "b"))
        assert trained.data is None


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("model.pt2", "is a program or a pickle, which could run anything, so gradlab does not open it"),
        ("model.pt", "is a program or a pickle"),
        ("model.pkl", "is a program or a pickle"),
        ("other.safetensors", r"holds weights alone; give the folder of a model, with model.json beside"),
        ("notes.txt", "is no model; give the folder that gradlab train wrote, or a run record"),
    ],
)
def test_files_that_are_no_models_are_refused_unread(tmp_path, name, sentence):
    (tmp_path / name).write_bytes(b"\x80\x04")
    with pytest.raises(UserError, match=sentence):
        open_trained(tmp_path / name)


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(UserError, match="holds no model; give a folder that gradlab train or"):
        open_trained(tmp_path)
    with pytest.raises(UserError, match=r"there is no model .*nowhere"):
        open_trained(tmp_path / "nowhere")


def test_a_damaged_record_is_refused(record):
    weights = record / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(UserError, match=r"is damaged \(weights.safetensors\); delete its folder"):
        open_trained(record)


def test_an_unknown_precision_is_refused(tmp_path):
    folder = save(MLP().build((1, 4, 4), 2, seed=0), tmp_path / "model", facts={"precision": "int3"})
    with pytest.raises(UserError, match="names the precision 'int3', which is none; known are bf16"):
        open_trained(folder)


def test_the_network_alone_comes_from_a_record_a_name_or_a_folder(out, record, tmp_path):
    images = torch.rand(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    expected = open_trained(record).network(images)
    save(open_trained(record).network, tmp_path / "model")
    for place in (find_record(record), record, tmp_path / "model"):
        assert torch.equal(network(place)(images), expected)
    assert torch.equal(network(record.name[:8], out)(images), expected)
