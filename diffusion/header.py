"""What a weights file says of itself is checked here, all of it, before anything is built from it.

The file may be a stranger's, or damaged. Everything that works with a checkpoint, a judge or an upscaler may
rely on what passes: names are names, pairs are pairs of them, and no size is beyond what a machine can do.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from .errors import DoodleError, quoted
from .schedule import NoiseSchedule
from .unet import UNetConfig

LONGEST = 255  # characters of a name; names are names of folders, which have no more
MOST_NAMES = 20_000  # of one kind
MOST_KINDS = 8
KIND = re.compile(r"[a-z][a-z0-9_-]{0,39}")
COLOUR = re.compile(r"#[0-9a-f]{6}")
# Each label kind is a flag of the command line and a word in links: these mean something else there.
TAKEN = frozenset(
    "checkpoint strength steps guidance eta solver seed precision size enlarge keep-outlines keep_outlines"
    " mask outpaint resample jump low-pass low_pass frames gif help h model colour labels input"
    " output".split()
)


class HeaderError(DoodleError):
    """What is wrong with a header, as the end of a sentence about the file."""


def checked(about: Any) -> dict[str, Any]:
    """The facts that all weights files share; those a file does not have are left out.

    Raises:
        HeaderError: one of them is not what it should be.
    """
    about = dict(_of(dict, about, "header"))
    if "label_names" in about:
        check_labels(about["label_names"])
    if "pairs" in about:
        about["pairs"] = _pairs(about["pairs"], about["label_names"])
    for name, colours in _of(dict, about.get("colours", {}), "colours").items():
        if not all(COLOUR.fullmatch(each) for each in _texts(colours, "colours")):
            raise HeaderError(f"the colours of {quoted(name)} are not #rrggbb")
    for name, entry in _of(dict, about.get("names", {}), "names").items():
        _check_words(name, _of(dict, entry, "names"))
    _texts(about.get("credits", []), "credits")
    _check_record(_of(dict, about.get("training", {}), "training"))
    return about


def check_labels(label_names: Any) -> None:
    """Label kinds and their names: {"subject": ["apple", ...], ...}.

    Raises:
        HeaderError: a kind that cannot be a flag, a name twice, empty, too long or with control characters.
    """
    kinds = _of(dict, label_names, "label_names")
    if len(kinds) > MOST_KINDS:
        raise HeaderError(f"it has {len(kinds)} label kinds, at most {MOST_KINDS}")
    for kind, names in kinds.items():
        if not KIND.fullmatch(kind) or kind in TAKEN:
            raise HeaderError(f"no label kind can be called {quoted(kind)}")
        if not 1 <= len(_texts(names, kind)) <= MOST_NAMES:
            raise HeaderError(f"it has {len(names)} names of the kind {kind}, from 1 to {MOST_NAMES}")
        if len(set(names)) != len(names):
            raise HeaderError(f"it has a name of the kind {kind} twice")
        for name in names:
            check_name(name)


def check_name(name: str) -> None:
    """
    Raises:
        HeaderError: it is empty, too long, or has characters that stand for nothing.
    """
    if not name.strip() or len(name) > LONGEST or not is_plain(name):
        raise HeaderError(f"no label can be called {quoted(name)}")


def is_plain(text: str) -> bool:
    """Are these characters to be read, on one line? Control characters and half ones are not."""
    return not any(unicodedata.category(each) in ("Cc", "Cs", "Zl", "Zp") for each in text)


def same_name(name: str) -> str:
    """What two names have in common that look the same: upper and lower case, and accents put together."""
    return unicodedata.normalize("NFC", name).casefold()


def read_network(about: Any, label_names: dict[str, list[str]]) -> UNetConfig:
    """The shape of a network with a table for each kind of names.

    Raises:
        DoodleError: sizes that do not fit each other or the names, or too large ones.
    """
    config = UNetConfig(**_of(dict, about, "model"))
    if config.label_sizes != tuple(len(names) for names in label_names.values()):
        raise HeaderError("its network has other numbers of labels than it has names")
    return config


def read_schedule(about: Any) -> NoiseSchedule:
    """The noise schedule.

    Raises:
        DoodleError: there is none like that.
    """
    about = _of(dict, about, "schedule")
    return NoiseSchedule(about["kind"], about["num_train_timesteps"])


def _of(kind: type, value: Any, what: str) -> Any:
    if not isinstance(value, kind):
        raise HeaderError(f"its {what} is no {kind.__name__}")
    return value


def _texts(values: Any, what: str) -> list[str]:
    if not isinstance(values, list) or not all(isinstance(each, str) for each in values):
        raise HeaderError(f"its {what} is no list of words")
    if not all(map(is_utf8, values)):
        raise HeaderError(f"its {what} has half a character")
    return values


def is_utf8(text: str) -> bool:
    """Can this be written? JSON can name halves of characters, of which no file consists."""
    return not any("\ud800" <= each <= "\udfff" for each in text)


def _pairs(pairs: Any, label_names: dict[str, list[str]]) -> list[tuple[str, ...]]:
    known = [set(names) for names in label_names.values()]
    found = []
    for pair in _of(list, pairs, "pairs"):
        names = _texts(pair, "pairs")
        if len(names) != len(known) or not all(name in kind for name, kind in zip(names, known)):
            raise HeaderError("its pairs are not pairs of its names")
        found.append(tuple(names))
    return found


def _check_words(name: str, entry: dict) -> None:
    for key in ("aliases", "keywords"):
        _texts(entry.get(key, []), f"{key} of {quoted(name)}")
    _texts([entry.get("category") or ""], f"category of {quoted(name)}")


def _check_record(training: dict) -> None:
    """Of the record of a run, what is computed with or looked into; the rest is for people to read."""
    for key in ("steps", "samples", "seconds"):
        value = training.get(key, 0)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**53:
            raise HeaderError(f"its {key} is no number")
    for key in ("config", "accuracy", "drawn_accuracy"):
        _of(dict, training.get(key, {}), key)
    _texts([training.get("config", {}).get("augment", "none")], "augment")
