"""Facts about images and sentences that are computed once: content checksum, channel statistics, exact copies."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from gradlab.data.registry import Role

Images = NDArray[np.uint8]
Labels = NDArray[np.int64]


def digest(images: Images, labels: Labels) -> str:
    """Return the SHA-256 of one part: shape, pixels and labels, in order."""
    hasher = hashlib.sha256(json.dumps(list(images.shape)).encode())
    hasher.update(np.ascontiguousarray(images).data)
    hasher.update(np.ascontiguousarray(labels, dtype="<i8").data)
    return hasher.hexdigest()


def text_digest(texts: Sequence[str], labels: Labels) -> str:
    """Return the SHA-256 of one part of sentences: each one's length and UTF-8 bytes, then the labels, in order."""
    hasher = hashlib.sha256(f"texts {len(texts)}\n".encode())
    for text in texts:
        encoded = text.encode()
        hasher.update(len(encoded).to_bytes(8, "little"))
        hasher.update(encoded)
    hasher.update(np.ascontiguousarray(labels, dtype="<i8").data)
    return hasher.hexdigest()


def checksum(digests: Mapping[str, str], class_names: Sequence[str]) -> str:
    """Return "sha256:..." of a whole data set: the parts' digests by role, and the class names."""
    content = json.dumps({"parts": dict(digests), "classes": list(class_names)}, sort_keys=True)
    return "sha256:" + hashlib.sha256(content.encode()).hexdigest()


def channel_statistics(images: Images) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and population standard deviation of each channel on the [0, 1] scale.

    Exact up to the last rounding: sums run over a histogram of grey levels, in integers. A constant channel gets
    the deviation 1, so that dividing by it is harmless (as scikit-learn's StandardScaler does).

    Args:
        images: (N, C, H, W) uint8.
    Returns: (mean, deviation), each of C floats; two empty tuples where N = 0.
    """
    if not len(images):
        return (), ()
    means, deviations = [], []
    for channel in range(images.shape[1]):
        levels = [int(n) for n in _histogram(images[:, channel])]
        total = sum(levels)
        first = sum(level * n for level, n in enumerate(levels))
        second = sum(level * level * n for level, n in enumerate(levels))
        means.append(first / (255 * total))
        deviations.append(((total * second - first * first) ** 0.5) / (255 * total) or 1.0)
    return tuple(means), tuple(deviations)


def _histogram(channel: Images) -> NDArray[np.int64]:
    """Count the grey levels in blocks, since bincount works on eight-byte copies."""
    counts = np.zeros(256, dtype=np.int64)
    for block in np.array_split(channel, max(1, channel.size // 4_000_000)):
        counts += np.bincount(block.reshape(-1), minlength=256)
    return counts


def copies(parts: Mapping[Role, Images], names: Mapping[Role, Sequence[str]] | None = None) -> list[str]:
    """Count and name the images that occur bit-equal in an earlier part.

    Args:
        parts: role -> (N, C, H, W) uint8, train first.
        names: role -> name of each image; its index where there is none.
    Returns: one sentence per pair of parts that share an image.
    """
    return _shared({role: map(_image_key, np.ascontiguousarray(part)) for role, part in parts.items()},
                   "images", names or {})  # fmt: skip


def text_copies(parts: Mapping[Role, Sequence[str]]) -> list[str]:
    """Count and name, by their row, the sentences that occur letter by letter in an earlier part."""
    return _shared({role: (text.encode() for text in part) for role, part in parts.items()}, "sentences", {})


def is_about_copies(note: str) -> bool:
    """Whether a note was made by `copies` or `text_copies`."""
    return _COPIES in note


_COPIES = " are exact copies of "


def _image_key(image: Images) -> bytes:
    return hashlib.blake2b(image.data, digest_size=16).digest()


def _shared(
    parts: Mapping[Role, Iterable[bytes]], things: str, names: Mapping[Role, Sequence[str]]
) -> list[str]:
    seen: dict[Role, dict[bytes, int]] = {}
    notes = []
    for role, part in parts.items():
        keys = list(part)
        for earlier, index in seen.items():
            hits = [(i, index[key]) for i, key in enumerate(keys) if key in index]
            if hits:
                notes.append(_sentence(role, earlier, hits, things, names))
        seen[role] = {key: i for i, key in reversed(list(enumerate(keys)))}
    return notes


def _sentence(
    role: Role,
    earlier: Role,
    hits: list[tuple[int, int]],
    things: str,
    names: Mapping[Role, Sequence[str]],
) -> str:
    def name(part: Role, index: int) -> str:
        return names[part][index] if part in names else str(index)

    pairs = ", ".join(f"{name(role, i)} = {name(earlier, j)}" for i, j in hits[:5])
    more = f" and {len(hits) - 5:,} more" if len(hits) > 5 else ""
    return f"{len(hits):,} {role} {things}{_COPIES}{earlier} {things} ({pairs}{more})."
