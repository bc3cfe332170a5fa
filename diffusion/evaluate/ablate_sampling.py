"""Draw with one checkpoint in many ways, always from the same noise, and measure the differences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from ..guidance import ByKind
from ..sdedit import edit_timesteps
from .metrics import kid_difference, low_pass_agreement
from .study import STRENGTHS, Study
from .verdicts import accuracy, difference, mean_and_error, quality

STEPS = (5, 10, 20, 50)
ETAS = (0.0, 0.5, 1.0)
SCALES = (1.0, 2.0, 3.0, 4.0, 5.0)
INPUTS = ("strokes", "shrunk and blurred", "outlines, coloured in")
LARGEST_STRENGTH = 0.8  # beyond it the layout of the drawing goes


def variations(study: Study) -> Iterator[tuple[str, str, Study, int]]:
    """(what is varied, its value, a study with that alone changed, network calls a picture).

    The study's own values are left out.
    """
    calls = 2  # a step, with and without labels
    for steps in STEPS:
        if steps != study.steps:
            yield "steps", f"{steps}", replace(study, steps=steps), calls * steps
    for eta in ETAS:
        if eta != study.eta:
            yield "eta", f"{eta:g}", replace(study, eta=eta), calls * study.steps
    for scale in SCALES:
        if scale != study.guidance:
            each = 1 if scale == 1 else calls
            yield "guidance", f"{scale:g}", replace(study, guidance=scale), each * study.steps
    usual = study.guidance
    if len(study.kinds) == 1 or not isinstance(usual, float):
        return
    for number, kind in enumerate(study.kinds):
        for scale in SCALES:
            if scale != study.guidance:
                scales = [usual] * len(study.kinds)
                scales[number] = scale
                guidance = ByKind(tuple(scales))
                varied = replace(study, guidance=guidance)
                yield f"guidance by {kind}", f"{scale:g}", varied, guidance.calls * study.steps


def best_strength(kids: dict[float, float], less: Callable[[float, float], tuple[float, float]]) -> float:
    """The smallest strength up to LARGEST_STRENGTH whose KID is within one standard error of the lowest.

    The one-standard-error rule (Breiman et al. 1984, "Classification and Regression Trees", section 3.4.3):
    of what is not measurably worse than the best, the simplest; here, the truest to the drawing.

    Args:
        kids: strength -> KID.
        less: (strength, lowest) -> the difference of their KIDs, and its standard error.
    """
    allowed = sorted(strength for strength in kids if strength <= LARGEST_STRENGTH)
    lowest = min(allowed, key=lambda strength: kids[strength])
    for strength in allowed:
        value, error = less(strength, lowest)
        if strength == lowest or value <= error:
            return strength
    raise AssertionError("unreachable")


def strength_curve(study: Study, kind: str) -> dict:
    """One kind of input over the strengths, realism against faithfulness, and the strength the rule picks."""
    labels, groups = study.brought.labels, study.brought.groups
    real = study.features(study.brought_x0)
    source = study.at_size(study.inputs[kind])
    made, rows = {}, {}
    for strength in (0.0, *STRENGTHS):
        x0 = source if strength == 0 else study.repainted(kind, strength)
        made[strength] = study.classify(x0, labels)
        steps = len(edit_timesteps(strength, study.steps, study.checkpoint.schedule.num_train_timesteps))
        rows[f"{strength:g}"] = quality(made[strength], real, groups) | {
            "l2": mean_and_error(low_pass_agreement(x0, source)[0]),
            "calls": 2 * steps,
        }
    kids = {strength: rows[f"{strength:g}"]["kid"]["value"] for strength in STRENGTHS}
    lowest = min((s for s in kids if s <= LARGEST_STRENGTH), key=lambda s: kids[s])
    for strength, classified in made.items():
        rows[f"{strength:g}"]["difference"] = difference(classified, made[lowest], real, groups)

    def less(strength: float, other: float) -> tuple[float, float]:
        return kid_difference(made[strength].features, made[other].features, real, groups, groups)

    return {"strengths": rows, "lowest": lowest, "best": best_strength(kids, less)}


def sampling(study: Study, drawings: int) -> Iterator[dict]:
    """Draw in every way and measure; yields the numbers so far after each, the whole at the end.

    Args:
        study: its steps, guidance and eta are what the variations are compared with.
        drawings: how many inputs of each kind.
    """
    labels, groups = study.held_out.labels, study.held_out.groups
    real = study.classify(study.real, labels)
    usual = study.classify(study.generated, labels)
    result: dict = {
        "pictures": len(labels),
        "features": real.features.shape[1],
        "real": {"accuracy": accuracy(real)},
        "usual": quality(usual, real.features, groups) | {"calls": 2 * study.steps},
        "varied": {},
        "inputs": {},
    }
    yield result
    for what, value, varied, calls in variations(study):
        made = study.classify(varied.generated, labels)
        result["varied"].setdefault(what, {})[value] = quality(made, real.features, groups) | {
            "difference": difference(made, usual, real.features, groups),
            "calls": calls,
        }
        yield result
    # A study takes every eighth of its held-out pictures for inputs.
    many = replace(study, count=8 * drawings)
    result["drawings"] = len(many.brought)
    for kind in INPUTS:
        result["inputs"][kind] = strength_curve(many, kind)
        yield result
