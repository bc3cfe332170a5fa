"""What `evaluate` measured, as one page of Markdown with curves. Numbers in, text out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

COLOURS = ("#d62728", "#1f77b4", "#2ca02c", "#9467bd", "#ff7f0e", "#7f7f7f")

Series = dict[str, list[tuple[float, float]]]


# ---------------------------------------------------------------------- curves


def chart(series: Series, title: str, x_name: str, y_name: str, size: tuple[int, int] = (560, 420)):
    """Lines through points, with axes from the smallest to the largest value: PIL, RGB.

    Drawn at twice the size and shrunk, because PIL's lines have no soft edges.
    """
    width, height = 2 * size[0], 2 * size[1]
    left, right, top, bottom = 120, width - 30, 80 + 32 * len(series), height - 100
    picture = Image.new("RGB", (width, height), "white")
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(size=24)
    points = np.array([point for line in series.values() for point in line], dtype=float).reshape(-1, 2)
    low, high = points.min(axis=0), points.max(axis=0)
    span = np.where(high > low, high - low, 1.0)

    def place(point: tuple[float, float]) -> tuple[float, float]:
        x, y = (np.array(point) - low) / span
        return left + x * (right - left), bottom - y * (bottom - top)

    draw.text((width / 2, 12), title, fill="black", font=ImageFont.load_default(size=30), anchor="ma")
    draw.text((width / 2, height - 36), x_name, fill="black", font=font, anchor="ma")
    draw.text((12, top - 44), y_name, fill="black", font=font)
    for share in (0, 0.25, 0.5, 0.75, 1):
        x, y = place(low + share * span)
        draw.line([(left, y), (right, y)], fill="#e4e4e4", width=2)
        draw.text((left - 12, y), f"{low[1] + share * span[1]:.3g}", fill="#555555", font=font, anchor="rm")
        draw.text((x, bottom + 16), f"{low[0] + share * span[0]:.2g}", fill="#555555", font=font, anchor="ma")
    for number, (name, line) in enumerate(series.items()):
        colour = COLOURS[number % len(COLOURS)]
        places = [place(point) for point in line]
        draw.line(places, fill=colour, width=5)
        for x, y in places:
            draw.ellipse([x - 7, y - 7, x + 7, y + 7], fill=colour)
        draw.text((right, 62 + 32 * number), name, fill=colour, font=font, anchor="ra")
    return picture.resize(size, Image.Resampling.LANCZOS)


def curves(faithfulness: dict, subject: str) -> Image.Image:
    """SDEdit's figure 3 (realism against faithfulness, a point per strength), and accuracy over strength."""
    figure_3, accuracy = {}, {}
    for kind, rows in faithfulness["kinds"].items():
        points = [row for row in rows["strengths"].values() if row["kid"]]
        figure_3[kind] = [(row["l2"], row["kid"]["value"]) for row in points]
        accuracy[kind] = [(float(s), row["accuracy"][subject]) for s, row in rows["strengths"].items()]
    pictures = [chart(accuracy, "Recognised", "strength", f"{subject} accuracy")]
    if all(figure_3.values()):
        title = "Realism against faithfulness"
        pictures.insert(
            0, chart(figure_3, title, "L2 to the input at 8 x 8 (left: faithful)", "KID (low: real)")
        )
    whole = Image.new("RGB", (sum(p.width for p in pictures), pictures[0].height), "white")
    for number, picture in enumerate(pictures):
        whole.paste(picture, (number * picture.width, 0))
    return whole


# ---------------------------------------------------------------------- text


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.0f} %"


def number(value: float | None, digits: int = 3) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def with_error(kid: dict | None) -> str:
    if kid is None:
        return "-"
    error = "" if kid["error"] is None else f" ± {kid['error']:.3f}"
    return f"{kid['value']:.3f}{error}"


def targets_section(result: dict) -> str:
    rows = [
        (
            target["name"],
            f"{target['value']:.3f}",
            f"{'≥' if target['above'] else '≤'} {target['bound']:.3g}",
            "yes" if target["met"] else "**no**",
        )
        for target in result["targets"]
    ]
    caution = "A difference smaller than the standard errors given below may be chance, met or not.\n\n"
    return "## Targets\n\n" + caution + table(["measure", "value", "should be", "met"], rows)


def labels_section(part: dict) -> str:
    keys = list(part["ratio"])
    rows = [
        (key, percent(part["generated"][key]), percent(part["real"][key]), number(part["ratio"][key], 2))
        for key in keys
    ]
    first = keys[0]
    each = [
        (
            name,
            row["pictures"],
            *(f"{percent(row[s][first])}, {percent(row[s][part['by']])}" for s in ("generated", "real")),
        )
        for name, row in part["each"].items()
    ]
    text = (
        "## Label fidelity\n\n"
        f"{part['pictures']} pictures from pure noise, told the labels of as many held-out ones; the judge's "
        "accuracy on both.\n\n" + table(["", "from noise", "real, held out", "ratio"], rows)
    )
    if len(each) <= 16:
        both = first if first == part["by"] else f"{first}, {part['by']}"
        text += "\n\n" + table([part["by"], "pictures", f"from noise: {both}", f"real: {both}"], each)
    return text


def realism_section(part: dict, features: str) -> str:
    between = part["between"]
    pair = "" if not between["nearest pair"] else f" ({' and '.join(between['nearest pair'])})"
    owner = "this project" if features == "judge" else "torchvision"
    text = (
        "## Realism\n\n"
        "KID (unbiased, cubic polynomial kernel, ± jackknife standard error) and Frechet distance in the "
        f"{part['features']} features of {owner}'s {features}, to {part['pictures']} held-out pictures "
        "placed as in training. **These numbers do not compare with published Inception KIDs or FIDs**, "
        "only with each other.\n\n"
        + table(
            ["", "KID", "Frechet"],
            [
                ("from noise", with_error(part["kid"]["generated"]), number(part["frechet"]["generated"], 2)),
                ("training pictures", with_error(part["kid"]["train"]), number(part["frechet"]["train"], 2)),
                (f"two different {part['by']}s, mean", number(between["mean"]), ""),
                (f"two different {part['by']}s, median", number(between["median"]), ""),
                (f"the two nearest {part['by']}s{pair}", number(between["nearest"]), ""),
            ],
        )
    )
    if part["frechet"]["generated"] is None:
        text += f"\n\nNo Frechet distance: it needs more pictures than features ({part['features']})."
    else:
        text += f"\n\nBy {part['by']} there are fewer pictures than features, so only KID is given."
    rows = [
        (
            name,
            row["pictures"],
            with_error(row["generated"]),
            with_error(row["train"]),
            number(row["nearest other"]),
        )
        for name, row in part["each"].items()
    ]
    if rows:
        head = [
            part["by"],
            "pictures",
            "KID from noise",
            "KID of training pictures",
            f"KID of the nearest other {part['by']}",
        ]
        text += "\n\n" + table(head, rows)
    return text


def faithfulness_section(part: dict, default: str = "0.6") -> str:
    kinds = part["kinds"]
    subject = next(iter(next(iter(kinds.values()))["strengths"]["0"]["accuracy"]))
    strengths = list(next(iter(kinds.values()))["strengths"])
    text = (
        "## Realism and faithfulness\n\n"
        f"Strokes, bad pictures and outlines made from {part['pictures']} held-out pictures, repainted with "
        "their labels. KID to the true pictures (no result is compared with its own truth); L2 and "
        "correlation between input and result, both averaged to 8 x 8. Strength 0 is the input itself.\n\n"
        "![Realism against faithfulness](faithfulness.png)\n\n"
    )

    def cell(row: dict) -> str:
        kid = number(row["kid"] and row["kid"]["value"])
        return f"{kid}, {percent(row['accuracy'][subject])}, {row['l2']:.2f}"

    rows = [(s, *(cell(kind["strengths"][s]) for kind in kinds.values())) for s in strengths]
    text += f"Each cell: KID, {subject} accuracy, L2.\n\n" + table(["strength", *kinds], rows)
    rows = []
    for name, kind in kinds.items():
        compared = {
            f"strength {default}": kind["strengths"][default],
            "the same, labels not told": kind["no labels"],
            "the input itself": kind["strengths"]["0"],
            "median filter": kind["median filter"],
        }
        rows += [
            (
                name if not i else "",
                what,
                with_error(row["kid"]),
                percent(row["accuracy"][subject]),
                f"{row['l2']:.3f}",
                f"{row['correlation']:.3f}",
            )
            for i, (what, row) in enumerate(compared.items())
        ]
    text += "\n\nAt the default strength, against baselines:\n\n"
    return text + table(["input", "made by", "KID", subject, "L2", "correlation"], rows)


def restoration_section(part: dict) -> str:
    kinds = part["kinds"]
    columns = list(next(iter(kinds.values())))
    names = {"input": "as it is", "denoiser": "OpenCV denoiser"}
    rows = []
    for kind, row in kinds.items():
        best = max(columns, key=lambda column: row[column]["ssim"])
        cells = [f"{row[c]['psnr']:.1f}, {row[c]['ssim']:.3f}" for c in columns]
        rows.append((kind, *(f"**{cell}**" if c == best else cell for c, cell in zip(columns, cells))))
    return (
        "## Restoration\n\n"
        f"PSNR in dB and SSIM to the true picture, {part['pictures']} held-out pictures; the best SSIM is "
        "bold. The shrunk pictures are enlarged bicubically; the denoiser (non-local means) has the best "
        "of three strengths in hindsight.\n\n"
        + table(["", *(names.get(c, f"strength {c}") for c in columns)], rows)
    )


def memory_section(part: dict) -> str:
    rows = [
        (
            name,
            *(number(row[space][q]) for space in ("pixels", "features") for q in ("1%", "10%", "50%")),
            percent(row["like copies"]),
        )
        for name, row in part["nearest"].items()
    ]
    spread = [
        (name, number(row["pixels"]), number(row["features"])) for name, row in part["diversity"].items()
    ]
    return (
        "## Memory and diversity\n\n"
        f"Distance (root mean square) of each picture to the nearest of {part['training pictures']} training "
        "pictures, in pixels (framed alike, mirrored too) and in the features: 1 %, 10 % and 50 % quantiles. "
        "*Held out* is what new pictures look like, *copies* (training pictures turned and moved as in "
        "training) what copies would. *Like copies*: as near as the median copy in both.\n\n"
        + table(["", "pixels 1 %", "10 %", "50 %", "features 1 %", "10 %", "50 %", "like copies"], rows)
        + "\n\nThe 16 pictures from noise that are nearest to a training picture:\n\n"
        "![Nearest training pictures](nearest.png)\n\n"
        "Mean distance between pictures told the same labels:\n\n" + table(["", "pixels", "features"], spread)
    )


def loss_section(part: dict) -> str:
    head = ["t", *(f"{first}-{last}" for first, last in part["t"])]
    rows = [(name, *(f"{value:.4f}" for value in part[name])) for name in ("x0", "v")]
    return (
        "## Loss by noise level\n\n"
        f"Mean squared error on {part['pictures']} held-out pictures, of the predicted x0 and of v.\n\n"
        + table(head, rows)
    )


def sheet_section(part: dict) -> str:
    return (
        "## Everything it knows\n\n"
        f"{part['pictures']} label combinations seen in training, each from pure noise, none picked. "
        + (f"From left to right: {', '.join(part['columns'])}." if part["columns"] else "")
        + "\n\n![One picture for each label combination](sheet.jpg)"
    )


def write_report(result: dict, out: Path) -> None:
    """Write EVALUATION.md, and faithfulness.png beside it, from the numbers of `evaluate`."""
    settings = result["settings"]
    accuracy = [
        f"{kind} {percent(levels.get('0'))} clean, {percent(levels.get('0.4'))} at noise level 0.4"
        for kind, levels in result["judge"]["accuracy"].items()
    ]
    about = (
        f"# Evaluation of {result['checkpoint']}\n\n"
        f"{settings['steps']} DDIM steps, guidance {settings['guidance']:g}, seeds from {settings['seed']}, "
        f"{settings['precision']}; nothing picked. The real pictures are held out: neither the model nor the "
        "judge was trained on them, nor on another style or frame of the same thing.\n\n"
        f"The judge, {result['judge']['file']}, is a small classifier of the project's own"
        + (f" (accuracy on held-out pictures: {'; '.join(accuracy)})." if accuracy else ".")
        + " What is held out are whole things (a kind of apple, an animal), so real ones can be hard to "
        "name, and typical generated pictures easier. It goes by colour and texture more than people do: "
        "look at the sheets before believing the numbers."
    )
    parts = [about]
    if result["targets"]:
        parts.append(targets_section(result))
    if "labels" in result:
        parts.append(labels_section(result["labels"]))
    if "realism" in result:
        parts.append(realism_section(result["realism"], settings["features"]))
    if "faithfulness" in result:
        part = result["faithfulness"]
        subject = next(iter(next(iter(part["kinds"].values()))["strengths"]["0"]["accuracy"]))
        curves(part, subject).save(out / "faithfulness.png", optimize=True)
        parts.append(faithfulness_section(part))
    if "restoration" in result:
        parts.append(restoration_section(result["restoration"]))
    if "memory" in result:
        parts.append(memory_section(result["memory"]))
    if "loss" in result:
        parts.append(loss_section(result["loss"]))
    if "sheet" in result:
        parts.append(sheet_section(result["sheet"]))
    seconds = ", ".join(f"{name} {value} s" for name, value in result["seconds"].items())
    parts.append(f"Time taken: {seconds}.")
    (out / "EVALUATION.md").write_text("\n\n".join(parts) + "\n")
