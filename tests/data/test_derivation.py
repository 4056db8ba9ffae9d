import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from gradlab.data import Derivation, arrays, check, info, load, parse
from gradlab.data._derive import few_of_each, grey
from gradlab.data._resampling import resample
from gradlab.types import UserError
from tests.data import make

NAMES = st.text("abcdefghij 0123456789_", min_size=1).map(str.strip).filter(bool)
SIDES = st.integers(1, 4096)


@given(
    st.lists(NAMES, max_size=3).map(tuple),
    st.none() | st.integers(1, 10**6),
    st.none() | st.tuples(SIDES, SIDES),
    st.sampled_from([None, "grey", "rgb"]),
)
def test_what_is_written_is_read_again(classes, per_class, size, channels):
    one = Derivation(classes, per_class, size, channels)
    assert parse(f"my-data{one}") == ("my-data", one)


@pytest.mark.parametrize(
    ("text", "base", "written"),
    [
        ("digits", "digits", ""),
        ("cifar100[bottle, bed]", "cifar100", "[bottle,bed]"),
        ("mnist:GREY@32x24#10[0-7]", "mnist", "[0-7]#10@32x24:grey"),
        ("/data[1]/run#3/pets[cat]", "/data[1]/run#3/pets", "[cat]"),
        ("fashion-mnist[T-shirt/top]", "fashion-mnist", "[T-shirt/top]"),
        ("me@home/pets.parquet@8", "me@home/pets.parquet", "@8"),
        (r"C:\data\pets:rgb", r"C:\data\pets", ":rgb"),
    ],
)
def test_steps_stand_behind_the_name_in_any_order(text, base, written):
    found, derivation = parse(text)
    assert (found, str(derivation)) == (base, written)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("digits@", r"@ takes a size in pixels from 1 to 4096, got '' in 'digits@'; write @32"),
        ("digits@0", r"got '0'"),
        ("digits@99999", r"got '99999'"),
        ("digits#", r"# takes how many of each class to keep, at least 1, got ''"),
        ("digits#0", r"at least 1, got '0'"),
        ("digits#-3", r"got '-3'"),
        ("digits:blue", r"a colon takes grey or rgb, got 'blue' in 'digits:blue'; write :grey or :rgb"),
        ("digits@8@9", r"says size twice; leave one"),
        ("digits[0][1]", r"says classes twice"),
        ("digits[0", r"a bracket too many or too few; write classes as digits\[a,b\]"),
        ("digits[]", r"has an empty class name"),
        ("digits[0,]", r"has an empty class name"),
        ("digits[10]", r"'digits' has the classes 0 to 9, not 10; name one"),
        ("digits[7-2]", r"the range '7-2' of 'digits' runs backwards; turn it round"),
        ("photos[chinna]", r"'photos' has no class 'chinna'; did you mean 'china'\?"),
        ("mnits[0]", r"No data set is called 'mnits'; did you mean 'mnist'"),
    ],
)
def test_what_cannot_be_derived_is_one_sentence(name, sentence):
    with pytest.raises(UserError, match=sentence) as raised:
        info(name)
    assert "\n" not in str(raised.value)


def test_classes_are_kept_and_renumbered_in_label_order():
    whole, some = arrays("digits"), arrays("digits[8,2-3]")
    assert some.info.class_names == ("2", "3", "8")
    for role, part in some.parts.items():
        source = whole.parts[role]
        rows = np.isin(source.labels, [2, 3, 8])
        assert (part.images == source.images[rows]).all()
        assert [(2, 3, 8)[label] for label in part.labels] == source.labels[rows].tolist()
    assert some.info.notes[-1] == "Only 3 of 10 classes are kept, renumbered from 0: 8,2-3."


def test_near_and_in_distribution_share_no_image_and_are_the_whole():
    whole, inside, near = (info(name).counts for name in ("digits", "digits[0-7]", "digits[8,9]"))
    assert {role: inside[role] + near[role] for role in inside} == whole


def test_the_same_classes_are_the_same_data_however_they_are_written():
    sums = {info(name).checksum for name in ("digits[0,1,2]", "digits[0-2]", "digits[2,0,1,1]")}
    assert len(sums) == 1
    everything = {info(f"digits{steps}").checksum for steps in ("", "[0-7]", "#10", "@9", ":rgb", "[0-7]@9")}
    assert len(everything) == 6


def test_names_are_matched_as_people_spell_them(tmp_path, rng):
    folder = make.class_folders(
        tmp_path / "d" / "p", rng, {"maple_tree": 6, "T-shirt-top": 6, "1": 6, "x-ray": 6}
    )
    assert info(f"{folder}[Maple tree]").class_names == ("maple_tree",)
    assert info(f"{folder}[t_shirt-top,x-ray]").class_names == ("T-shirt-top", "x-ray")
    assert info(f"{folder}[1]").class_names == ("1",)  # the class of that name, not number 1
    assert info(f"{folder}[2]").class_names == ("maple_tree",)  # no such name: counted from 0
    assert info(f"{folder}[1-maple-tree]").class_names == ("1", "T-shirt-top", "maple_tree")
    assert info("p[x ray]", tmp_path / "d").name == "p[x ray]"


def test_so_many_of_each_class_are_the_same_rows_and_nested():
    labels = np.array([0] * 50 + [1] * 3 + [2] * 20)
    few, more = few_of_each(labels, 5), few_of_each(labels, 10)
    assert np.bincount(labels[few]).tolist() == [5, 3, 5]
    assert np.bincount(labels[more]).tolist() == [10, 3, 10]
    assert (few <= more).all()
    assert not few[:5].all()  # ranked, not the first ones
    assert info("digits#4").counts == {"train": 40, "validation": 40, "test": 40}


def test_every_set_is_resampled_by_the_one_antialiased_method(rng):
    images = rng.integers(0, 256, (3, 3, 12, 16), dtype=np.uint8)
    small = resample(images, (3, 4))
    for image, found in zip(images, small, strict=True):
        expected = Image.fromarray(image.transpose(1, 2, 0)).resize((4, 3), Image.Resampling.BILINEAR)
        assert (found == np.asarray(expected).transpose(2, 0, 1)).all()
    checkers = np.zeros((1, 1, 64, 64), dtype=np.uint8)
    checkers[..., ::2, 1::2] = checkers[..., 1::2, ::2] = 255
    inner = resample(checkers, (8, 8))[0, 0, 1:-1, 1:-1]
    assert np.abs(inner.astype(int) - 128).max() <= 1  # without antialiasing it would be black or white


def test_grey_is_the_luma_that_pillow_computes(rng):
    images = rng.integers(0, 256, (50, 3, 6, 5), dtype=np.uint8)
    expected = [np.asarray(Image.fromarray(image.transpose(1, 2, 0)).convert("L")) for image in images]
    assert (grey(images)[:, 0] == expected).all()


def test_grey_images_get_three_equal_channels_and_back():
    one, three, back = arrays("digits"), arrays("digits:rgb"), arrays("digits:grey")
    assert three.info.input_shape == (3, 8, 8)
    assert (three.parts["test"].images == one.parts["test"].images).all()
    assert back.info.checksum == one.info.checksum


def test_photographs_match_the_digits_in_shape():
    found = info("photos@8:grey")
    assert (found.name, found.input_shape, found.counts) == ("photos@8:grey", (1, 8, 8), {"test": 520})
    assert found.notes[0].startswith(
        "The images were resampled from 32×32 to 8×8 pixels (bilinear, antialiased"
    )


def test_size_comes_before_grey():
    patches = arrays("photos").parts["test"].images[:4]
    assert (arrays("photos:grey@8").parts["test"].images[:4] == grey(resample(patches, (8, 8)))).all()


def test_derived_data_are_made_once_and_kept(mnist_like, monkeypatch):
    from gradlab.data import reading

    count = []
    real = reading.derive_images
    monkeypatch.setattr(reading, "derive_images", lambda *a: count.append(1) or real(*a))
    first, again = load("mnist[0-4]@16:rgb", mnist_like), load("mnist[0-4]@16:rgb", mnist_like)
    assert len(count) == 1
    assert first.checksum == again.checksum == info("mnist[0-4]@16:rgb", mnist_like).checksum
    assert (first.input_shape, first.num_classes, first.name) == ((3, 16, 16), 5, "mnist[0-4]@16:rgb")
    assert first.mean == pytest.approx((first.train.images / 255).mean(dim=(0, 2, 3)).tolist(), abs=1e-6)
    assert all(row.ok is not False for row in check("mnist[0-4]@16:rgb", mnist_like))


def test_ones_own_images_are_resampled_once_from_their_files(tmp_path, rng):
    root = make.class_folders(tmp_path / "pets", rng, {"a": 10, "b": 10}, height=20, width=20)
    Image.fromarray(make.images(rng, 1, 40, 40, 3)[0]).save(root / "a" / "large.png")
    assert info(f"{root}@8").checksum == info(root, size=(8, 8)).checksum
    expected = {
        np.asarray(Image.open(file).resize((8, 8), Image.Resampling.BILINEAR)).tobytes()
        for file in root.glob("*/*.png")
    }
    found = arrays(f"{root}@8").parts.values()
    assert {image.transpose(1, 2, 0).tobytes() for part in found for image in part.images} == expected
    with pytest.raises(UserError, match="says a size already; leave size out"):
        info(f"{root}@8", size=(8, 8))


def test_a_folder_that_is_called_like_a_derivation_is_that_folder(tmp_path, rng, monkeypatch):
    make.class_folders(tmp_path / "d" / "run#3@8", rng, {"a": 10, "b": 10})
    assert info(tmp_path / "d" / "run#3@8").input_shape == (3, 6, 6)
    assert info("run#3@8", tmp_path / "d").input_shape == (3, 6, 6)
    monkeypatch.chdir(tmp_path / "d")
    assert info("run#3@8").input_shape == (3, 6, 6)


def test_test_images_stay_test_in_derived_data():
    with pytest.raises(UserError, match=r"test images of 'digits\[0-7\]' cannot become a train split"):
        type(load("digits").train)(load("digits[0-7]").test.images, load("digits[0-7]").test.labels, "train")


def test_more_than_memory_holds_is_refused_before_it_is_made(mnist_like):
    with pytest.raises(UserError, match=r"would take \d+ GiB decoded; pass a smaller size"):
        arrays("digits@4096", mnist_like)
