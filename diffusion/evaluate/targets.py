"""What a good checkpoint should reach, checked on the numbers of an evaluation."""

from __future__ import annotations

from collections.abc import Iterator

from .parts import RESTORATION_STRENGTHS
from .study import DEFAULT_STRENGTH


def targets(result: dict) -> list[dict]:
    """What a good checkpoint should reach: name, value, bound, and whether it is met; of the parts run."""
    found = []

    def add(name: str, value: float | None, bound: float, above: bool = True) -> None:
        if value is not None:
            met = value >= bound if above else value <= bound
            found.append({"name": name, "value": value, "bound": bound, "above": above, "met": bool(met)})

    if "labels" in result:
        kinds = [kind for kind in result["labels"]["ratio"] if not kind.endswith(" in 5")]
        for kind, bound in zip(kinds, (0.8, 0.9)):
            name = f"{kind} accuracy, from noise / real held-out"
            add(name, result["labels"]["ratio"][kind], bound)
    if "realism" in result:
        r = result["realism"]
        for which in ("mean", "median"):
            apart = r["between"][which]
            if r["kid"]["generated"] and apart and apart > 0:
                name = f"KID from noise / {which} KID between two {r['by']}s"
                add(name, r["kid"]["generated"]["value"] / apart, 1 / 3, False)
    if "faithfulness" in result:
        kinds = result["faithfulness"]["kinds"]
        at = {kind: rows["strengths"][f"{DEFAULT_STRENGTH:g}"] for kind, rows in kinds.items()}
        subject = next(iter(at["strokes"]["accuracy"]))
        strokes = at["strokes"]["accuracy"][subject]
        if strokes:
            ratio = at["outlines, coloured in"]["accuracy"][subject] / strokes
            add(f"{subject} accuracy, coloured-in outlines / strokes, at {DEFAULT_STRENGTH:g}", ratio, 0.6)
        for kind in ("strokes", "shrunk and blurred", "outlines, coloured in"):
            rows = {"the input": kinds[kind]["strengths"]["0"]} | {
                name: kinds[kind][name] for name in ("no labels", "median filter")
            }
            for name, row in rows.items():
                if at[kind]["kid"] and row["kid"]:
                    difference = at[kind]["kid"]["value"] - row["kid"]["value"]
                    add(f"{kind} at {DEFAULT_STRENGTH:g}: KID - KID of {name}", difference, 0.0, False)
    if "restoration" in result:
        kind, rows = next(iter(result["restoration"]["kinds"].items()))
        best = max(rows[f"{s:g}"]["ssim"] for s in RESTORATION_STRENGTHS)
        add(f"{kind}: best SSIM - bicubic SSIM", best - rows["input"]["ssim"], 0.0)
    if "memory" in result:
        nearest = result["memory"]["nearest"]
        for name in list(nearest)[:2]:
            extra = nearest[name]["like copies"] - nearest["held out"]["like copies"]
            add(f"{name}: share like copies, beyond that of held-out pictures", extra, 0.02, False)
    for name, value, bound, above in drawn(result):
        add(name, value, bound, above)
    return found


def drawn(result: dict) -> Iterator[tuple[str, float | None, float, bool]]:
    """The same of drawings at the page's strength: name, value, bound, and whether more is better."""
    kinds = result.get("drawings", {}).get("kinds", {})
    bounds: dict[str, tuple[tuple[int | str, float], ...]] = {
        "outline": ((0, 0.6), (1, 0.8), ("in 5", 0.85), ("lines kept", 0.9)),
        "filled": ((0, 0.6), (1, 0.8)),
    }
    for kind, wanted in bounds.items():
        if kind not in kinds:
            continue
        strength = kinds[kind]["shown"]
        row = kinds[kind]["strengths"][strength]
        *labels, in_5 = list(row)[: list(row).index("as asked")]  # subject, style, subject in 5
        named: dict[int | str, str] = {"in 5": in_5, "lines kept": "lines kept"}
        named.update(enumerate(labels))
        for name, bound in ((named[which], bound) for which, bound in wanted if which in named):
            yield f"{kind} of held-out pictures at {strength}: {name}", row[name]["value"], bound, True
        if kind == "filled":
            nearer = row["pixels"]["value"] - kinds[kind]["drawing"]["pixels"]["value"]
            name = f"{kind} at {strength}: distance to the true picture - that of the drawing"
            yield name, nearer, 0.0, False
    if "ratio" in result.get("photos", {}):
        yield "photos from nothing: darker or brighter by", abs(result["photos"]["ratio"] - 1), 0.03, False
