"""A folder of class folders as a source of images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gradlab.data._labels import check_class_names
from gradlab.data._limits import PICTURE_BYTES, check_file, shown
from gradlab.data._sources import ROLE_NAMES, Encoded, Raw
from gradlab.data.registry import ROLES, Entry, Role
from gradlab.types import UserError

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm"}


@dataclass(frozen=True)
class ClassFolders:
    """Images in `root/CLASS/` or `root/PART/CLASS/`; a class's name is its folder's."""

    root: Path
    files: dict[Role, list[Path]]

    def read(self, entry: Entry | None) -> Raw:
        """Label every file by its folder; classes are the folders' names in order, or the registered names or ids."""
        first = self.files.get("train") or next(iter(self.files.values()))
        names = entry.class_names if entry else tuple(sorted({file.parent.name for file in first}))
        check_class_names(names, self.root)
        called = entry.ids if entry and first[0].parent.name in entry.ids else names
        return Raw({role: self._part(files, called) for role, files in self.files.items()}, names)

    def _part(self, files: list[Path], names: tuple[str, ...]) -> Encoded:
        index = {name: i for i, name in enumerate(names)}
        for file in files:
            if file.parent.name not in index:
                raise UserError(
                    f"The class folder {shown(file.parent)} has no counterpart among the classes "
                    f"{', '.join(names[:10])}; every part needs the class folders of train."
                )
        labels = np.array([index[file.parent.name] for file in files], dtype=np.int64)
        return Encoded(lambda i: _bytes(files[i]), [shown(file) for file in files], labels)


def scan(root: Path) -> ClassFolders | None:
    """Find the images under `root`; None where no class folder holds one.

    Hidden files and folders, and files that are no images by their suffix, are passed over.
    """
    parts: dict[Role, list[Path]] = {}
    for folder in _folders(root):
        role = ROLE_NAMES.get(folder.name.lower())
        if role and (found := _images_by_class(folder)):
            parts[role] = found
    if not parts and (found := _images_by_class(root)):
        parts["train"] = found
    return ClassFolders(root, {role: parts[role] for role in ROLES if role in parts}) if parts else None


def _folders(root: Path) -> list[Path]:
    return sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))


def _images_by_class(root: Path) -> list[Path]:
    return [
        file
        for folder in _folders(root)
        for file in sorted(folder.iterdir())
        if file.suffix.lower() in SUFFIXES and not file.name.startswith(".")
    ]


def _bytes(file: Path) -> bytes:
    check_file(file, PICTURE_BYTES)
    try:
        return file.read_bytes()
    except OSError as error:
        raise UserError(
            f"The image {shown(file)} cannot be read ({error.strerror}); replace or remove it."
        ) from error
