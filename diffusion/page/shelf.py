"""What is kept between requests, and for how long: so many bytes for everybody together, the oldest go first.

`SHELF` counts the runs that tabs may still go on from. `tidy` does the same for files: what was uploaded, and
what was made to be downloaded. Both are there for anybody to fill, with as many tabs as they like.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
import weakref
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, Protocol

KEPT_BYTES = 400_000_000  # of runs
FILE_BYTES, FILE_SECONDS = 1_000_000_000, 3600  # or half of a disk that has less than twice that
EVERY = 60  # seconds


class Owner(Protocol):
    """A tab with its runs, by number; each says how many bytes it takes."""

    @property
    def runs(self) -> MutableMapping[int, Any]: ...


class Shelf:
    """Takes runs away from their owners, in the order in which they came, when they are too many bytes."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._kept: list[tuple[weakref.ref[Owner], int]] = []
        self._lock = threading.Lock()

    def _there(self) -> list[tuple[Owner, int, int]]:
        """(owner, number, bytes) of what has not gone by itself, with its owner or by their doing."""
        found = []
        for ref, number in self._kept:
            owner = ref()
            run = owner.runs.get(number) if owner is not None else None
            if owner is not None and run is not None:
                found.append((owner, number, run.nbytes))
        return found

    @property
    def nbytes(self) -> int:
        with self._lock:
            return sum(nbytes for *_, nbytes in self._there())

    def put(self, owner: Owner, number: int) -> None:
        """A run of that number is new at its owner's; older ones, anybody's, make room."""
        with self._lock:
            self._kept.append((weakref.ref(owner), number))
            there = self._there()
            total = sum(nbytes for *_, nbytes in there)
            while total > self.most and len(there) > 1:
                oldest, number, nbytes = there.pop(0)
                oldest.runs.pop(number, None)
                total -= nbytes
            self._kept = [(weakref.ref(each), number) for each, number, _ in there]


SHELF = Shelf(KEPT_BYTES)


def tidy(folder: Path, most: int | None = None, seconds: float = FILE_SECONDS) -> None:
    """Remove files that have been there for long, and the oldest where they are more than `most` bytes."""
    if most is None:
        most = min(FILE_BYTES, shutil.disk_usage(folder).total // 2) if folder.is_dir() else 0
    files, folders = [], []
    for there, inner, names in os.walk(folder, topdown=False):  # unlike rglob it takes what goes meanwhile
        folders += [Path(there, name) for name in inner]
        for path in (Path(there, name) for name in names):
            with contextlib.suppress(OSError):  # somebody else may have removed it
                if path.is_file() and not path.is_symlink():
                    about = path.stat()
                    files.append((about.st_mtime, about.st_size, path))
    files.sort(key=lambda file: file[:2])
    total, now = sum(size for _, size, _ in files), time.time()
    for changed, size, path in files:
        # A clock that was set back makes files that come from the future: they are new.
        if total <= most and now - changed <= seconds:
            break
        with contextlib.suppress(OSError):
            path.unlink()
            total -= size
    for path in folders:
        with contextlib.suppress(OSError):  # it is not empty, or gone
            if now - path.stat().st_mtime > EVERY:
                path.rmdir()


def keep_tidy(folder: Path) -> None:
    """Do that from now on, in a thread of its own."""

    def work() -> None:
        while True:
            time.sleep(EVERY)
            tidy(folder)

    threading.Thread(target=work, name="tidy", daemon=True).start()
