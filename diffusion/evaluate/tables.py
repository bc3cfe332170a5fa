"""Numbers as cells and tables of Markdown; the text around them is templates/evaluation.md."""

from __future__ import annotations

from collections.abc import Sequence

from .study import DEFAULT_STRENGTH


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def bold(text: str, yes: bool) -> str:
    return f"**{text}**" if yes else text


def percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.0f} %"


def number(value: float | None, digits: int = 3) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def with_error(found: dict | None) -> str:
    """{"value", "error"} as "0.042 ± 0.011"."""
    if found is None:
        return "-"
    error = "" if found["error"] is None else f" ± {found['error']:.3f}"
    return f"{found['value']:.3f}{error}"


def strengths(pictures: dict[str, int]) -> str:
    """How many pictures were made at which strength, in words."""
    return ", ".join(f"{count} at {strength}" for strength, count in pictures.items())


def accuracies(by_kind: dict[str, dict[str, float]]) -> str:
    """A judge's accuracies, kind -> {strength of the noise: accuracy}, in words."""
    return "; ".join(
        f"{kind} {percent(levels.get('0'))} clean, {percent(levels.get('0.4'))} at noise level 0.4"
        for kind, levels in by_kind.items()
    )


def subject(faithfulness: dict) -> str:
    """The first label kind."""
    return next(iter(_first(faithfulness["kinds"])["strengths"]["0"]["accuracy"]))


def strengths_table(faithfulness: dict) -> str:
    """Inputs by strength; each cell is KID, accuracy, L2."""
    kinds, named = faithfulness["kinds"], subject(faithfulness)

    def cell(row: dict) -> str:
        kid = number(row["kid"] and row["kid"]["value"])
        return f"{kid}, {percent(row['accuracy'][named])}, {row['l2']:.2f}"

    strengths = _first(kinds)["strengths"]
    rows = [(s, *(cell(kind["strengths"][s]) for kind in kinds.values())) for s in strengths]
    return table(["strength", *kinds], rows)


def baselines_table(faithfulness: dict) -> str:
    """Each kind of input at the default strength, against what learnt nothing or was told nothing."""
    named, default, rows = subject(faithfulness), f"{DEFAULT_STRENGTH:g}", []
    for name, kind in faithfulness["kinds"].items():
        compared = {
            f"strength {default}": kind["strengths"][default],
            "the same, labels not told": kind["no labels"],
            "the input itself": kind["strengths"]["0"],
            "median filter": kind["median filter"],
        }
        for i, (what, row) in enumerate(compared.items()):
            measures = (with_error(row["kid"]), percent(row["accuracy"][named]))
            rows.append(
                (name if not i else "", what, *measures, number(row["l2"]), number(row["correlation"]))
            )
    return table(["input", "made by", "KID", named, "L2", "correlation"], rows)


def restoration_table(restoration: dict) -> str:
    """Kinds of bad pictures by what restored them; the best SSIM of a row is bold."""
    kinds = restoration["kinds"]
    columns = list(_first(kinds))
    names = {"input": "as it is", "denoiser": "OpenCV denoiser"}
    rows = []
    for kind, row in kinds.items():
        best = max(columns, key=lambda column: row[column]["ssim"])
        cells = [bold(f"{row[c]['psnr']:.1f}, {row[c]['ssim']:.3f}", c == best) for c in columns]
        rows.append((kind, *cells))
    return table(["", *(names.get(c, f"strength {c}") for c in columns)], rows)


def _first(kinds: dict) -> dict:
    return next(iter(kinds.values()))
