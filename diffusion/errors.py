"""What this program refuses, it refuses in one sentence: the base of all its errors, and what they share."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping, Sequence
from types import ModuleType

LONGEST_NAME = 60  # names come from files and from strangers; this much of one is quoted


class DoodleError(ValueError):
    """Something that the person who asked can put right; the message is one clear line for them.

    The command lines print it after their name and return status 2, the page shows it as it is.
    """


def quoted(name: str) -> str:
    """A name in quotes on one line, cut where it is very long."""
    return repr(name if len(name) <= LONGEST_NAME else name[:LONGEST_NAME] + "...")


def within(settings: object, limits: Mapping[str, tuple[int, int]]) -> None:
    """Check the whole numbers of a settings object, single ones and those in tuples, against their limits.

    Args:
        limits: attribute -> the smallest and the largest value allowed.

    Raises:
        DoodleError: no whole number, or one outside its limits.
    """
    for name, (low, high) in limits.items():
        value = getattr(settings, name)
        for each in value if isinstance(value, tuple) else (value,):
            if isinstance(each, bool) or not isinstance(each, int) or not low <= each <= high:
                said = f"{name} must be a whole number from {low} to {high}"
                raise DoodleError(f"{said}, not {quoted(str(each))}.")


def did_you_mean(name: str, names: Sequence[str]) -> str:
    """The sentence after "there is no such thing": up to three names like it, or else what there is.

    Args:
        name: what was asked for; upper and lower case are the same.
        names: what there is.
    """
    by_lower = {known.lower(): known for known in names}
    asked = name.lower()[:LONGEST_NAME]
    near = difflib.get_close_matches(asked, by_lower, n=3, cutoff=0.5)
    near += [known for known in by_lower if known not in near and asked and asked in known][: 3 - len(near)]
    if near:
        return f"Did you mean {' or '.join(by_lower[known] for known in near)}?"
    some = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    return f"There are: {some or 'none'}."


def require(module: str, package: str) -> ModuleType:
    """Import a module that only some commands need.

    Args:
        module: such as "skimage.metrics".
        package: what it is called when it is installed, such as "scikit-image".

    Raises:
        DoodleError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise DoodleError(f"This needs one more package: pip install {package}") from error
