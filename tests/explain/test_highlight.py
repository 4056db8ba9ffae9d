"""Colours of words: by sign and size, with the text as written between them."""

import re

from gradlab.explain import highlight


def test_words_are_blue_or_red_by_sign_and_as_dark_as_they_are_large():
    drawn = highlight("a <b> c", [(0, 1), (2, 5), (6, 7)], [0.5, -1.0, 0.0])
    assert re.sub("<span[^>]*>|</span>", "", drawn) == "a &lt;b&gt; c"
    assert re.findall(r"rgba\((\d+), .*?, (\d\.\d\d)\)\" title=\"(.*?)\"", drawn) == [
        ("31", "0.40", "+0.500"),
        ("214", "0.80", "-1.000"),
        ("214", "0.00", "+0.000"),
    ]


def test_a_scale_can_be_shared_and_zeros_and_texts_without_words_are_drawn():
    assert "0.20)" in highlight("a", [(0, 1)], [1.0], most=4.0)
    assert "0.80)" in highlight("a", [(0, 1)], [9.0], most=4.0)
    assert "0.00)" in highlight("a", [(0, 1)], [0.0])
    assert highlight("& so on", [], []) == "&amp; so on"
