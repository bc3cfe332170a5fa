"""What the folders of a data set mean: ImageNet's are called n01440764, and show a tench.

Files that come with such sets, each read as it is:

    n01440764 tench, Tinca tinca                        LOC_synset_mapping.txt, words.txt; or with a tab
    {"0": ["n01440764", "tench"], ...}                  imagenet_class_index.json
    {"n01440764": "tench, Tinca tinca", ...}

The first word is the name, the others are aliases. A class may also be called by its place in the file, as
in shards that number their classes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from ..errors import quoted
from ..files import read_json, read_text
from ..header import HeaderError, check_name
from .growth import Names, read_names
from .sources import DataError

ClassNames = Mapping[str, tuple[str, ...]]  # folder -> name, aliases


def _entries(path: Path) -> list[tuple[str, str]]:
    """(folder, words) in the file's order."""
    if path.suffix.lower() != ".json":
        lines = [line.split(maxsplit=1) for line in read_text(path).splitlines() if line.strip()]
        if not lines or not all(len(line) == 2 for line in lines):
            raise DataError(f"{path} should hold a line for each class: its folder, a space, its name.")
        return [(folder, words) for folder, words in lines]
    found = read_json(path)
    rows = list(found.items()) if isinstance(found, dict) else []
    pairs = [tuple(row) if isinstance(row, list) else (folder, row) for folder, row in rows]
    if not pairs or not all(len(p) == 2 and all(isinstance(word, str) for word in p) for p in pairs):
        raise DataError(f"{path} should hold a name for each class's folder.")
    return [(folder, words.replace("_", " ")) for folder, words in pairs]


def read_class_names(path: str) -> ClassNames:
    """What the folders of the first label kind are called; empty without a file.

    Two classes of one name (ImageNet has two cranes) keep their folder in it.

    Raises:
        DoodleError: the file is missing, or not of this form.
    """
    if not path:
        return {}
    entries = _entries(Path(path))
    words = {folder: [word.strip() for word in said.split(",") if word.strip()] for folder, said in entries}
    often = Counter(said[0] for said in words.values() if said)
    names: dict[str, tuple[str, ...]] = {}
    for i, (folder, said) in enumerate(words.items()):
        first = said[0] if said else folder
        name = first if often[first] < 2 else f"{first} ({folder})"
        try:
            check_name(name)
        except HeaderError as error:
            raise DataError(f"{path} cannot be used: {error}.") from error
        names[folder] = (name, *dict.fromkeys(said[1:]))
        names.setdefault(str(i), names[folder])
    return names


def named(labels: tuple[str, ...], names: ClassNames) -> tuple[str, ...]:
    """A picture's labels with the first, its folder, by its name.

    Raises:
        DataError: the file of names lacks it.
    """
    if labels[0] not in names:
        raise DataError(f"The class names say nothing of {quoted(labels[0])}.")
    return (names[labels[0]][0], *labels[1:])


def all_names(names: str, class_names: str) -> Names:
    """What subjects are called: of `read_names`, and the aliases of `read_class_names`."""
    aliases = {
        name: {"aliases": list(rest)} for name, *rest in read_class_names(class_names).values() if rest
    }
    own = read_names(names)
    return aliases | {name: {**aliases.get(name, {}), **entry} for name, entry in own.items()}
