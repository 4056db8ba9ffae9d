"""What disks, cables and people do to a file: one damage at a random place, and its name."""

import random
from collections.abc import Callable

BLOCK = 512
"""Bytes of what is swapped, doubled or zeroed, at most: a sector."""


def _flip(content: bytearray, rng: random.Random) -> bytes:
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    return bytes(content)


def _truncate(content: bytearray, rng: random.Random) -> bytes:
    return bytes(content[: rng.randrange(len(content))])


def _zero(content: bytearray, rng: random.Random) -> bytes:
    start, size = _block(content, rng)
    content[start : start + size] = bytes(size)
    return bytes(content)


def _swap(content: bytearray, rng: random.Random) -> bytes:
    start, size = _block(content[: len(content) // 2], rng)
    other = len(content) // 2 + rng.randrange(len(content) - len(content) // 2 - size + 1)
    mine, theirs = content[start : start + size], content[other : other + size]
    content[start : start + size], content[other : other + size] = theirs, mine
    return bytes(content)


def _double(content: bytearray, rng: random.Random) -> bytes:
    start, size = _block(content, rng)
    return bytes(content[: start + size] + content[start:])


def _block(content: bytearray, rng: random.Random) -> tuple[int, int]:
    size = rng.randint(1, max(1, min(BLOCK, len(content) // 4)))
    return rng.randrange(len(content) - size + 1), size


DAMAGES: dict[str, Callable[[bytearray, random.Random], bytes]] = {
    "flip": _flip,
    "truncate": _truncate,
    "zero": _zero,
    "swap": _swap,
    "double": _double,
    "append": lambda content, rng: bytes(content) + rng.randbytes(rng.randint(1, 9)),
    "empty": lambda _content, _rng: b"",
}


def damaged(content: bytes, rng: random.Random) -> tuple[str, bytes]:
    """Return what was done, and the content after it; it may be the same, as where zeros were zeroed."""
    what = rng.choice(sorted(DAMAGES))
    return what, DAMAGES[what](bytearray(content), rng)
