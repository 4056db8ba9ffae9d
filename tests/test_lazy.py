import importlib
import sys
import types

import pytest

from gradlab._lazy import Late, attach


@pytest.fixture
def package(tmp_path, monkeypatch):
    folder = tmp_path / "lazy_example"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "from gradlab._lazy import Late, attach\n"
        "__getattr__, __dir__, __all__ = attach(__name__, {'act': 'act', 'other': 'leaf', 'whole': 'whole'})\n"
    )
    (folder / "act.py").write_text("def act(): return 'acted'\n")
    (folder / "leaf.py").write_text("other = 3\n")
    (folder / "whole.py").write_text("inside = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import lazy_example

    yield lazy_example
    for name in [name for name in sys.modules if name.startswith("lazy_example")]:
        del sys.modules[name]


def test_names_are_loaded_on_first_use(package):
    assert "lazy_example.leaf" not in sys.modules
    assert package.other == 3
    assert "lazy_example.leaf" in sys.modules
    assert package.__all__ == dir(package) == ["act", "other", "whole"]


def test_a_function_wins_over_its_module(package):
    importlib.import_module("lazy_example.act")
    assert package.act() == "acted"
    assert isinstance(sys.modules["lazy_example.act"], types.ModuleType)


def test_a_name_without_a_function_is_the_module(package):
    assert package.whole.inside == 1


def test_an_unknown_name_says_so(package):
    with pytest.raises(AttributeError, match="module 'lazy_example' has no attribute 'more'"):
        _ = package.more


def test_attach_needs_the_package_to_be_loading():
    with pytest.raises(KeyError):
        attach("nowhere", {})


def test_a_late_module_is_imported_when_a_name_is_asked_for(tmp_path, monkeypatch):
    (tmp_path / "late_example.py").write_text("value = 3\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    late = Late("late_example")
    assert "late_example" not in sys.modules
    assert late.value == 3
    with pytest.raises(AttributeError, match="has no attribute 'more'"):
        _ = late.more
    del sys.modules["late_example"]
