"""Where pictures are read from: folders and tars."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys
import tarfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, cast

import numpy as np
from PIL import Image

from .. import images
from ..errors import DoodleError, quoted
from ..folders import is_seen, name_of, walk
from .shards import LABEL, labelled

SUFFIXES = frozenset(".png .apng .jpg .jpeg .jpe .jfif .webp .avif .bmp .gif .tif .tiff".split())
OTHERS = frozenset(
    ".heic .heif .jxl .jp2 .svg .psd .tga .ico .raw .dng .cr2 .nef".split()
)  # people have them
LARGEST = 100_000_000  # bytes of one file in a tar: a few bytes of a damaged one may claim terabytes
FITS = ("pad", "crop")
MOST_BYTES = 16_000_000_000  # of all of them
Reader = Callable[[], bytes]


class DataError(DoodleError):
    """Training pictures that are missing or laid out in a way nobody can guess; one clear line."""


def picture_files(source: str | Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    """(path inside the source, content) of each picture in a folder or tar, sorted by path.

    A folder around everything that has the source's own name is left out of the paths: `tar cf my.tar my`
    puts one there. Pictures in formats that cannot be read are counted on stderr.

    Raises:
        DataError: the source is missing, no folder or tar, damaged, or holds no pictures.
    """
    source = Path(source)
    if not source.exists():
        raise DataError(f"There are no training pictures at {source}.")
    files = _folder(source) if source.is_dir() else _tar(source)
    if others := [path.suffix.lower() for path, _ in files if path.suffix.lower() in OTHERS]:
        kinds = " ".join(sorted(set(others)))
        print(f"{source}: {len(others)} pictures left out, since {kinds} cannot be read.", file=sys.stderr)
    files = [(path, read) for path, read in files if path.suffix.lower() in SUFFIXES]
    if not files:
        raise DataError(f"{source} holds no pictures.")
    own = source.resolve().name.split(".")[0]
    around = all(path.parts[0] == own and len(path.parts) > 2 for path, _ in files)
    for path, read in files:
        yield PurePosixPath(*path.parts[1:]) if around else path, read()


def _folder(source: Path) -> list[tuple[PurePosixPath, Reader]]:
    try:
        return [(name, path.read_bytes) for name, path in walk(source)]
    except OSError as error:
        raise DataError(f"Cannot read {error.filename or source}: {error.strerror}.") from error


def _tar(source: Path) -> list[tuple[PurePosixPath, Reader]]:
    """What is in a tar, read at once: a compressed one can only be read forwards quickly."""
    found: list[tuple[PurePosixPath, Reader]] = []
    total = 0
    try:
        with _unpacked(source) as file, tarfile.open(fileobj=file, mode="r:") as tar:
            for member in tar:
                path = PurePosixPath(str(name_of(member.name)).lstrip("/"))
                total += member.size + tarfile.BLOCKSIZE
                wanted = path.suffix.lower() in SUFFIXES or path.suffix == LABEL
                if total > MOST_BYTES or (wanted and member.size > LARGEST):
                    raise DataError(f"{source} claims to hold too much: {quoted(str(path))}.")
                if member.isfile() and path.parts and is_seen(path):
                    content = tar.extractfile(member) if wanted else None
                    found.append((path, partial(bytes, content.read() if content else b"")))
            file.seek(tar.offset)  # where tarfile stopped, maybe without a word
            if file.read(tarfile.BLOCKSIZE).strip(b"\0") or file.tell() < tar.offset + tarfile.BLOCKSIZE:
                raise DataError(f"{source} is damaged or cut short.")
    except DataError:
        raise
    except Exception as error:  # tarfile and the decompressors raise almost anything on a damaged file
        raise DataError(f"{source} is neither a folder nor a readable tar.") from error
    return sorted(labelled(found), key=lambda file: file[0])


class _Unpacked(io.BufferedReader):
    """Reads no more at once than the largest file may have, whatever a header claims."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or not 0 <= size <= LARGEST + tarfile.BLOCKSIZE:
            raise tarfile.ReadError("a header claims too much")
        return super().read(size)


def _unpacked(source: Path) -> _Unpacked:
    """A tar, read through what it was compressed with."""
    with source.open("rb") as file:
        start = file.read(6)
    ways: dict[bytes, Callable[[Path], Any]]
    ways = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}
    opened = next((way for magic, way in ways.items() if start.startswith(magic)), partial(open, mode="rb"))
    return _Unpacked(cast(Any, opened(source)))


def decoded(content: bytes, size: int, name: str, fit: str = "pad") -> np.ndarray:
    """A picture file as a square, see `squared`.

    Raises:
        DataError: it is no picture.
    """
    try:
        return squared(images.load(io.BytesIO(content)), size, fit)
    except images.ImageError as error:
        raise DataError(f"{name}: {error}") from error


def squared(picture: Image.Image, size: int, fit: str = "pad") -> np.ndarray:
    """Flatten on white, make a square of it, resize: uint8 (3, size, size).

    Args:
        fit: "pad" puts white beside what is not square, "crop" takes its middle.
    """
    picture = images.flatten(picture)
    side = (max if fit == "pad" else min)(picture.size)
    if picture.size != (side, side):
        square = Image.new("RGB", (side, side), "white")
        square.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
        picture = square
    if picture.width != size:
        picture = picture.resize((size, size), Image.Resampling.LANCZOS)
    return np.asarray(picture).transpose(2, 0, 1)
