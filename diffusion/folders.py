"""The files of a folder as a person sees them: this one walk is behind everything that looks for files.

Systems leave things of their own in folders: .DS_Store, ._a.png, .ipynb_checkpoints/, @eaDir/, __MACOSX/.
They are left out. Links are followed, also to folders, but never in a circle. Names are put together (NFC): a
Mac writes an accent behind its letter, and "café" would be two things.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

SYSTEM = frozenset({"@eadir", "__macosx", "$recycle.bin", "system volume information", "lost+found"})


def is_seen(path: PurePosixPath) -> bool:
    """Would a person see this file: are neither it nor its folders hidden, or a system's own?"""
    return not any(part.startswith(".") or part.lower() in SYSTEM for part in path.parts if part != ".")


def name_of(path: str | PurePosixPath) -> PurePosixPath:
    """A path inside a folder or an archive, its names put together."""
    return PurePosixPath(unicodedata.normalize("NFC", str(path)))


def files_in(folder: Path, suffix: str) -> list[Path]:
    """The files that lie in a folder itself and end so, by name; upper and lower case are the same."""
    if not folder.is_dir():
        return []
    found = (path for path in folder.iterdir() if path.suffix.lower() == suffix)
    return sorted(path for path in found if is_seen(PurePosixPath(path.name)) and path.is_file())


def walk(folder: Path) -> Iterator[tuple[PurePosixPath, Path]]:
    """(path inside, path) of every file in a folder and those below it, by path inside.

    Raises:
        OSError: a folder cannot be looked into.
    """
    yield from sorted(_walk(folder, PurePosixPath(), ()))


def _walk(
    folder: Path, inside: PurePosixPath, above: tuple[str, ...]
) -> Iterator[tuple[PurePosixPath, Path]]:
    real = os.path.realpath(folder)
    if real in above:  # a link to a folder that it lies in
        return
    for path in folder.iterdir():
        name = inside / name_of(path.name)
        if not is_seen(PurePosixPath(path.name)):
            continue
        if path.is_dir():
            yield from _walk(path, name, (*above, real))
        elif path.is_file():
            yield name, path
