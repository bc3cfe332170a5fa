"""Many tars that are one set: their names in short, and labels beside pictures, as WebDataset writes them.

    --data "shards/train-{000..146}.tar"    --data "shards/*.tar"

A tar of this project has folders, <class>/<picture>. One of WebDataset has files of one name that belong
together: 000017.jpg and 000017.cls, which holds the class, by number or by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from glob import glob, has_magic
from itertools import product
from pathlib import Path, PurePosixPath

from ..errors import DoodleError, quoted

BRACES = re.compile(r"\{([^{}]*)\}")
RANGE = re.compile(r"(\d+)\.\.(\d+)")
MOST_SHARDS = 100_000
LABEL = ".cls"  # WebDataset's suffix of a class
LONGEST_LABEL = 1000  # bytes

Reader = Callable[[], bytes]


def _alternatives(inside: str) -> list[str]:
    """ "000..146" -> "000", "001", ...; "a,b" -> "a", "b"; what is neither stays in its braces."""
    if found := RANGE.fullmatch(inside):
        low, high = found.groups()
        if int(high) - int(low) >= MOST_SHARDS:
            raise DoodleError(f"{{{quoted(inside)}}} names more than {MOST_SHARDS} files.")
        return [f"{number:0{len(low)}}" for number in range(int(low), int(high) + 1)]
    return inside.split(",") if "," in inside else [f"{{{inside}}}"]


def expanded(sources: Iterable[str | Path]) -> list[str]:
    """Each source that is there as it is, others with braces and wildcards written out.

    A pattern that fits nothing stays, for whoever reads it to say that it is not there.

    Raises:
        DoodleError: more than MOST_SHARDS.
    """
    found: list[str] = []
    for source in map(str, sources):
        if Path(source).exists():
            found.append(source)
            continue
        fixed, between = BRACES.split(source)[::2], BRACES.split(source)[1::2]
        for chosen in product(*map(_alternatives, between)):
            name = fixed[0] + "".join(a + b for a, b in zip(chosen, fixed[1:]))
            found += (sorted(glob(name)) if has_magic(name) and not Path(name).exists() else []) or [name]
            if len(found) > MOST_SHARDS:
                raise DoodleError(f"{quoted(source)} names more than {MOST_SHARDS} files.")
    return found


def labelled(files: Sequence[tuple[PurePosixPath, Reader]]) -> list[tuple[PurePosixPath, Reader]]:
    """A tar's files, those that have a class beside them in a folder of its name."""
    labels = {_key(path): read for path, read in files if path.suffix == LABEL}
    if not labels:
        return list(files)
    moved = []
    for path, read in files:
        if path.suffix != LABEL and (label := labels.get(_key(path))):
            name = label()[:LONGEST_LABEL].decode("utf-8", "replace").strip().replace("/", " ")
            moved.append((PurePosixPath(name or "-", path.name), read))
        elif path.suffix != LABEL:
            moved.append((path, read))
    return moved


def _key(path: PurePosixPath) -> PurePosixPath:
    """What files that belong together have in common: all up to the first dot of the name."""
    return path.with_name(path.name.partition(".")[0] or path.name)
