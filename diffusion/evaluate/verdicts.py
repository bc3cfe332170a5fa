"""What the measures say of a set of pictures, with standard errors: alone, and against a set made alike."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from .metrics import frechet_distance, kid, kid_difference


@dataclass(frozen=True)
class Classified:
    """N pictures as the classifier sees them.

    Attributes:
        features: float64 (N, F).
        correct: which are named right, bool (N,), by label kind as in `Study.correct`.
    """

    features: Tensor
    correct: dict[str, Tensor]


def kid_or_none(x: Tensor, y: Tensor, x_groups: Sequence[str], y_groups: Sequence[str]) -> dict | None:
    """KID as {"value", "error"}; None where there are too few pictures of different things."""
    try:
        value, error = kid(x, y, x_groups, y_groups)
    except ValueError:
        return None
    return {"value": value, "error": error}


def mean_and_error(values: Tensor) -> dict[str, float]:
    """(N,) -> {"value": its mean, "error": the standard error of that}."""
    values = values.double()
    return {"value": float(values.mean()), "error": float(values.std() / len(values) ** 0.5)}


def accuracy(made: Classified) -> dict[str, dict[str, float]]:
    """The fraction named right, by label kind, with its standard error."""
    return {kind: mean_and_error(correct) for kind, correct in made.correct.items()}


def quality(made: Classified, real: Tensor, groups: Sequence[str]) -> dict:
    """KID and Frechet distance to real features (M, F), and accuracy, with standard errors.

    The Frechet distance is given where there are more pictures than features; row i of both sets shows
    `groups[i]`.
    """
    enough = len(real) > real.shape[1]
    value, error = kid(made.features, real, groups, groups)
    return {
        "kid": {"value": value, "error": error},
        "frechet": frechet_distance(made.features, real) if enough else None,
        "accuracy": accuracy(made),
    }


def difference(made: Classified, other: Classified, real: Tensor, groups: Sequence[str]) -> dict:
    """What `quality` says of `made` less what it says of `other`, made from the same noise and labels.

    The standard errors are those of the differences, picture by picture, not of the two numbers.
    """
    value, error = kid_difference(made.features, other.features, real, groups, groups)
    return {
        "kid": {"value": value, "error": error},
        "accuracy": {
            kind: mean_and_error(correct.double() - other.correct[kind].double())
            for kind, correct in made.correct.items()
        },
    }


def finite(value: Any) -> Any:
    """JSON has no nan and no inf: None in their place, however deep."""
    if isinstance(value, dict):
        return {key: finite(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
