"""Numbers in, pages of Markdown out: EVALUATION.md and ABLATIONS.md, from templates that a writer can edit.

The templates (Jinja2, in templates/) hold the prose and the simple tables; tables.py and ablation_tables.py
make the other tables. A paragraph may be wrapped in a template: it becomes one line.
"""

from __future__ import annotations

import re
from pathlib import Path

from ..errors import DoodleError, require
from ..files import read_json, whole, write_text
from . import ablation_tables, drawn_tables, tables

MARK = "<!-- Written by hand above this line, below it by python -m diffusion.evaluate.ablate. -->"
COLOURS = ("#d62728", "#1f77b4", "#2ca02c", "#9467bd", "#ff7f0e", "#7f7f7f")
FILTERS = (
    tables.percent,
    tables.number,
    tables.with_error,
    tables.accuracies,
    tables.strengths,
    tables.subject,
)
TABLES = (
    tables.strengths_table,
    tables.baselines_table,
    tables.restoration_table,
    ablation_tables.yardsticks,
    ablation_tables.against_the_base,
    ablation_tables.against_the_usual_average,
    ablation_tables.variations_table,
    ablation_tables.strength_table,
    drawn_tables.drawn_table,
    drawn_tables.habits_table,
    drawn_tables.single_table,
    drawn_tables.seeds_table,
)


def check_packages() -> None:
    """Raises DoodleError where a package is missing that an evaluation needs in the end."""
    for module, package in {
        "jinja2": "jinja2",
        "matplotlib.figure": "matplotlib",
        "scipy.stats": "scipy",
        "skimage.metrics": "scikit-image",
    }.items():
        require(module, package)


def render(name: str, **values: object) -> str:
    """A template of templates/ with its values filled in.

    Blocks of the result (what stands between blank lines) are put on one line, if they are text.
    """
    jinja2 = require("jinja2", "jinja2")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {function.__name__: function for function in FILTERS}
    environment.globals |= {function.__name__: function for function in TABLES}
    blocks = re.split(r"\n\s*\n", environment.get_template(name).render(**values).strip("\n"))
    as_it_is = ("|", "    ")
    return "\n\n".join(b if b.startswith(as_it_is) else " ".join(b.split()) for b in blocks) + "\n"


def curves(faithfulness: dict, path: Path) -> None:
    """SDEdit's figure 3 (realism against faithfulness, a point per strength), and accuracy over strength."""
    figure = require("matplotlib.figure", "matplotlib").Figure(figsize=(11.2, 4.2), layout="constrained")
    kinds, subject = faithfulness["kinds"], tables.subject(faithfulness)
    measured = all(row["kid"] for kind in kinds.values() for row in kind["strengths"].values())
    realism, accuracy = figure.subplots(1, 2) if measured else (None, figure.subplots())
    for (name, kind), colour in zip(kinds.items(), COLOURS):
        rows = kind["strengths"]
        line = {"label": name, "color": colour, "marker": "o", "markersize": 4}
        accuracy.plot([float(s) for s in rows], [row["accuracy"][subject] for row in rows.values()], **line)
        if realism is not None:
            points = [(row["l2"], row["kid"]["value"]) for row in rows.values()]
            realism.plot(*zip(*points), **line)
    accuracy.set(title="Recognised", xlabel="strength", ylabel=f"{subject} accuracy")
    if realism is not None:
        axes = {"xlabel": "L2 to the input at 8 x 8 (left: faithful)", "ylabel": "KID (low: real)"}
        realism.set(title="Realism against faithfulness", **axes)
    for axis in figure.axes:
        axis.grid(color="#e4e4e4")
        axis.legend(frameon=False)
    with whole(path) as partial:
        figure.savefig(partial, format="png", dpi=100)


def write_evaluation(result: dict, out: Path) -> None:
    """Write EVALUATION.md, and faithfulness.png beside it, from the numbers of `evaluate`."""
    if "faithfulness" in result:
        curves(result["faithfulness"], out / "faithfulness.png")
    write_text(out / "EVALUATION.md", render("evaluation.md", **result))


def write_ablations(folder: Path) -> None:
    """Write ABLATIONS.md from the numbers in the folder, keeping what stands above its MARK.

    Raises:
        DoodleError: there are no numbers.
    """
    files = {name: folder / f"ablations-{name}.json" for name in ("training", "sampling")}
    parts = {name: read_json(path) for name, path in files.items() if path.exists()}
    if not parts:
        raise DoodleError(f"There are no numbers of ablations in {folder}.")
    try:
        facts = ablation_tables.training_facts(parts["training"]) if "training" in parts else {}
        measured = render("ablations.md", **{"training": None, "sampling": None} | parts | facts)
    except Exception as error:  # the files may say anything
        raise DoodleError(f"The numbers of ablations in {folder} are damaged.") from error
    page = folder / "ABLATIONS.md"
    by_hand = "# Ablations"
    if page.exists() and MARK in page.read_text():
        by_hand = page.read_text().split(MARK)[0].strip()
    write_text(page, "\n\n".join([by_hand, MARK, measured]))
