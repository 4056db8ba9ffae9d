"""Text that a terminal shows, or a spreadsheet, and never obeys."""

from __future__ import annotations

import re
from typing import Any

CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that move the cursor, ring, colour, reverse the direction, or are none; the newline is allowed."""


def printable(text: str) -> str:
    """Return a text in which control characters are written out, such as \\\\x1b; newlines stay.

    >>> printable("a\\x1b[31mb")
    'a\\\\x1b[31mb'
    """
    return CONTROL.sub(lambda found: _written(ord(found[0])), text)


def plain_cell(value: Any) -> Any:
    """Return a value as a CSV cell; a text that a spreadsheet would run as a formula gets an apostrophe before it.

    >>> plain_cell("=1+1"), plain_cell(-0.5)
    ("'=1+1", -0.5)
    """
    is_run = isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r"))
    return f"'{value}" if is_run else value


def _written(code: int) -> str:
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
