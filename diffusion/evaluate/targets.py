"""What a good checkpoint should reach, checked on the numbers of an evaluation."""

from __future__ import annotations

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
    return found
