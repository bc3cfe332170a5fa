"""Where pictures are read from: folders, tars, torchvision."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from .. import images
from ..errors import DoodleError

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"}


class DataError(DoodleError):
    """Training pictures that are missing or laid out in a way nobody can guess; one clear line."""


def picture_files(source: str | Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    """(path inside the source, content) of each picture in a folder or tar, sorted by path.

    Raises:
        DataError: the source is missing, no folder or tar, or holds no pictures.
    """
    source = Path(source)
    if not source.exists():
        raise DataError(f"There are no training pictures at {source}.")
    count = 0
    for path, content in _files(source):
        if path.suffix.lower() in SUFFIXES and not path.name.startswith("."):
            count += 1
            yield path, content
    if not count:
        raise DataError(f"{source} holds no pictures.")


def _files(source: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    if source.is_dir():
        for path in sorted(source.rglob("*")):
            if path.suffix.lower() in SUFFIXES and path.is_file():
                yield PurePosixPath(path.relative_to(source).as_posix()), path.read_bytes()
        return
    try:
        with tarfile.open(source) as tar:
            # A compressed tar can only be read forwards quickly, so it is read in its own order.
            files = ((member.name, tar.extractfile(member)) for member in tar if member.isfile())
            members = [(PurePosixPath(name), file.read()) for name, file in files if file]
    except (tarfile.TarError, OSError) as error:
        raise DataError(f"{source} is neither a folder nor a readable tar.") from error
    yield from sorted(members)


def square_pixels(content: bytes, size: int, name: str) -> np.ndarray:
    """Decode, flatten on white, letterbox to a square, resize: uint8 (3, size, size)."""
    try:
        picture = images.flatten(images.load(io.BytesIO(content)))
    except images.ImageError as error:
        raise DataError(f"{name}: {error}") from error
    side = max(picture.size)
    if picture.size != (side, side):
        square = Image.new("RGB", (side, side), "white")
        square.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
        picture = square
    if picture.width != size:
        picture = picture.resize((size, size), Image.Resampling.LANCZOS)
    return np.asarray(picture).transpose(2, 0, 1)


def torchvision_pictures(name: str, size: int) -> list[tuple[tuple[str, ...], str, bool, np.ndarray]]:
    from torchvision import datasets

    make = {"cifar10": datasets.CIFAR10, "cifar100": datasets.CIFAR100}[name]
    rows: list[tuple[tuple[str, ...], str, bool, np.ndarray]] = []
    for train in (True, False):
        try:
            part = make(root="data", train=train, download=True)
        except (OSError, RuntimeError) as error:
            raise DataError(f"{name} could not be downloaded to data/: {error}") from error
        for i, (picture, label) in enumerate(zip(part.data, part.targets)):
            resized = np.asarray(Image.fromarray(picture).resize((size, size), Image.Resampling.LANCZOS))
            rows.append(((part.classes[label],), f"{train}{i}", not train, resized.transpose(2, 0, 1)))
    return rows
