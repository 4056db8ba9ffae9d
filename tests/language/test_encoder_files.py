"""Where encoders are found, and every sentence by which something else is refused."""

import json
import sys
from pathlib import Path

import pytest

from gradlab.language import find_encoder
from gradlab.types import UserError

WHOLE = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")


def folder(tmp_path: Path, *names: str) -> Path:
    for name in names:
        (tmp_path / name).write_text("{}")
    return tmp_path


def test_a_folder_has_its_files_and_those_that_its_tokenizer_depends_on(tmp_path):
    found = find_encoder(folder(tmp_path, *WHOLE, "vocab.txt", "README.md", "pytorch_model.bin"))
    assert found.config == tmp_path / "config.json"
    assert found.weights == (tmp_path / "model.safetensors",)
    assert found.tokenizer == (tmp_path / "tokenizer.json", tmp_path / "tokenizer_config.json")
    assert found.folder == tmp_path
    assert found.name == tmp_path.name
    assert find_encoder(tmp_path / "config.json") == find_encoder(str(tmp_path)) == found


def test_a_vocabulary_stands_in_for_a_tokenizer(tmp_path):
    found = find_encoder(folder(tmp_path, "config.json", "model.safetensors", "vocab.txt"))
    assert found.tokenizer == (tmp_path / "vocab.txt",)


def test_weights_in_several_files_are_those_of_the_index(tmp_path):
    folder(tmp_path, *WHOLE, "model-1.safetensors", "model-2.safetensors", "other.safetensors")
    (tmp_path / "model.safetensors").unlink()
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"b": "model-2.safetensors", "a": "model-1.safetensors"}}))
    assert [one.name for one in find_encoder(tmp_path).weights] == [
        "model.safetensors.index.json",
        "model-1.safetensors",
        "model-2.safetensors",
    ]
    (tmp_path / "model-2.safetensors").unlink()
    with pytest.raises(UserError, match=r"lacks the weights model-2\.safetensors, which .* names"):
        find_encoder(tmp_path)
    index.write_text('{"weight_map": {"a": "pytorch_model.bin"}}')
    folder(tmp_path, "pytorch_model.bin")
    with pytest.raises(UserError, match=r"lacks the weights pytorch_model\.bin"):
        find_encoder(tmp_path)
    index.write_text("[]")
    with pytest.raises(UserError, match="is damaged; fetch the encoder again"):
        find_encoder(tmp_path)


def test_the_name_in_the_cache_is_what_people_say(tmp_path):
    place = tmp_path / "models--google-bert--bert-base-uncased" / "snapshots" / "0a1b"
    place.mkdir(parents=True)
    assert find_encoder(folder(place, *WHOLE)).name == "google-bert/bert-base-uncased"


REFUSED = {
    "no config": (("model.safetensors",), "it has no config.json; save one there"),
    "pickled": (
        ("config.json", "pytorch_model.bin", "tokenizer.json"),
        r"holds pytorch_model\.bin and no model\.safetensors; gradlab opens safetensors alone",
    ),
    "no weights": (("config.json", "tokenizer.json"), r"holds no weights: model\.safetensors is missing"),
    "no tokenizer": (("config.json", "model.safetensors"), r"has no tokenizer; put the tokenizer\.json"),
    "adapter": ((*WHOLE, "adapter_config.json"), "holds an adapter; merge it into its encoder"),
}


@pytest.mark.parametrize(("names", "text"), REFUSED.values(), ids=REFUSED)
def test_a_folder_that_is_no_whole_encoder_is_refused(tmp_path, names, text):
    with pytest.raises(UserError, match=text):
        find_encoder(folder(tmp_path, *names))


@pytest.mark.parametrize("name", ["/no/such/folder", "../elsewhere/there", "a/b/c", "two words"])
def test_what_is_neither_a_folder_nor_a_name_is_not_looked_up(name):
    with pytest.raises(
        UserError, match=r"there is no folder .* or its name, such as distilbert-base-uncased"
    ):
        find_encoder(name)


class Hub:
    """Stands for huggingface_hub: what the cache and the network hold."""

    def __init__(self, cached: Path | None = None, online: Path | None = None) -> None:
        self.places, self.asked = {True: cached, False: online}, []

    def snapshot_download(self, name, *, allow_patterns, local_files_only, etag_timeout):
        self.asked.append((name, local_files_only, etag_timeout <= 10))
        assert not any("bin" in one or "py" in one for one in allow_patterns)  # neither pickles nor code
        place = self.places[local_files_only]
        if place is None:
            raise OSError("no route\nto host")
        return str(place)


def test_a_name_is_looked_up_in_the_cache_first_then_on_the_hub(tmp_path, monkeypatch):
    there = folder(tmp_path, *WHOLE)
    for hub, asked in ((Hub(cached=there), 1), (Hub(online=there), 2)):
        monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
        assert find_encoder("some/encoder").folder == tmp_path
        assert hub.asked == [("some/encoder", True, True), ("some/encoder", False, True)][:asked]


def test_without_a_network_one_sentence_says_what_would_provide_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", Hub())
    with pytest.raises(UserError, match="some-encoder") as caught:
        find_encoder("some-encoder")
    text = str(caught.value)
    assert "the Hub did not give it (no route)" in text
    assert "config.json, model.safetensors, tokenizer.json" in text
    assert text.endswith("hf download some-encoder")
    assert "\n" not in text
