"""Views of images."""

import subprocess
import sys
from typing import get_args

import pytest
import torch

from gradlab.transfer import VIEWS
from gradlab.transfer.views import View, check_views
from gradlab.types import UserError


def test_two_views_are_found():
    assert set(VIEWS) == set(get_args(View)) == {"identity", "mirror"}
    image = torch.arange(6).view(1, 2, 3)
    assert VIEWS["mirror"](image).tolist() == [[[2, 1, 0], [5, 4, 3]]]
    assert VIEWS["identity"](image) is image


def test_views_need_no_torch():
    code = "import sys, gradlab.transfer as t; t.VIEWS, t.HEADS, t.POLICIES; print('torch' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["False"]


@pytest.mark.parametrize(
    ("views", "sentence"),
    [
        ((), "at least one view"),
        (("identity", "identity"), "each once"),
        (("miror",), "did you mean 'mirror'"),
    ],
)
def test_views_that_are_none_are_refused(views, sentence):
    with pytest.raises(UserError, match=sentence):
        check_views(views)
