"""Tables of what became of drawings; the text around them is templates/drawn.md."""

from __future__ import annotations

from .tables import bold, percent, table

SHARES_OF_LINES = ("lines kept", "invented edges")
DISTANCES = ("pixels", "features", "apart")


def columns(row: dict) -> list[str]:
    """The figures of a row that are shown, in order."""
    return [name for name in row if name not in ("speck", "drawings") and row[name] is not None]


def share(found: dict | None, name: str) -> str:
    """{"value", "error"} as "61 ± 5 %", a distance as "0.412 ± 0.010"."""
    if found is None:
        return "-"
    if name in DISTANCES:
        error = "" if found["error"] is None else f" ± {found['error']:.3f}"
        return f"{found['value']:.3f}{error}"
    error = "" if found["error"] is None else f" ± {100 * found['error']:.0f}"
    return f"{100 * found['value']:.0f}{error} %"


def drawn_table(rows: dict) -> str:
    """One kind of drawing: what learnt nothing, then the results by strength."""
    names = {"drawing": "the drawing itself", "nearest seen": "nearest training picture"}
    shown = [(names.get(name, name), rows[name]) for name in ("drawing", "nearest seen", "true picture")]
    shown += [(f"strength {strength}", row) for strength, row in rows["strengths"].items()]
    heads = columns(shown[-1][1])
    return table(
        ["", *heads], [(name, *(share(row.get(head), head) for head in heads)) for name, row in shown]
    )


def habits_table(hands: dict) -> str:
    """The project's own drawings by habit; at the end all of them, and the drawings themselves."""
    heads = columns(hands["all"])
    rows = [(habit, row["drawings"], row) for habit, row in hands["habits"].items()]
    rows += [("**all**", hands["drawings"], hands["all"]), ("the drawings themselves", "", hands["drawing"])]
    cells = [(name, count, *(share(row.get(head), head) for head in heads)) for name, count, row in rows]
    return table(["", "drawings", *heads], cells)


def single_table(row: dict) -> str:
    """One row of figures."""
    heads = columns(row)
    return table(heads, [[share(row[head], head) for head in heads]])


def seeds_table(seeds: dict) -> str:
    """Specks by seed, the suggested one bold."""
    numbers = list(seeds["seeds"])
    rows = [
        [
            name,
            *(bold(percent(seeds["seeds"][n][key]["value"]), n == str(seeds["suggested"])) for n in numbers),
        ]
        for name, key in (("speck", "speck"), ("as asked", "as asked"))
    ]
    return table(["seed", *numbers], rows)


def comparison_table(found: dict[str, dict]) -> str:
    """What was painted by figure: A's and B's mean, and the difference."""
    heads = list(dict.fromkeys(name for row in found.values() for name in row["figures"]))

    def cell(figure: dict | None, name: str) -> str:
        if not figure:
            return "-"
        value, error = figure["difference"]["value"], figure["difference"]["error"]
        a, b = figure["a"]["value"], figure["b"]["value"]
        if name in DISTANCES:
            text, digits, unit = f"{a:.3f}, {b:.3f}", 3, 1
        else:
            text, digits, unit = f"{100 * a:.0f}, {100 * b:.0f} %", 0, 100
        text += f": {unit * value:+.{digits}f}"
        text += "" if error is None else f" ± {unit * error:.{digits}f}"
        return bold(text, error is not None and abs(value) > 2 * error)

    rows = [
        (what, row["pictures"], *(cell(row["figures"].get(h), h) for h in heads))
        for what, row in found.items()
    ]
    return table(["A, B: B - A", "pictures", *heads], rows)


def sweep_table(rows: list[dict], kinds: list[str]) -> str:
    """Strength, guidance and steps by input: as asked, lines kept; the best as asked and its ties bold."""
    best = {kind: max(row["inputs"][kind]["as asked"]["value"] for row in rows) for kind in kinds}

    def cell(row: dict, kind: str) -> str:
        found = row["inputs"][kind]
        error = found["as asked"]["error"]
        near = found["as asked"]["value"] >= best[kind] - (error or 0)
        asked = bold(share(found["as asked"], "as asked"), near)
        more = [percent(found[name] and found[name]["value"]) for name in SHARES_OF_LINES]
        away = f", {found['pixels']['value']:.3f}" if found.get("pixels") else ""
        return f"{asked}, {', '.join(more)}{away}"

    cells = [
        (f"{row['strength']:g}", f"{row['guidance']:g}", row["steps"], *(cell(row, k) for k in kinds))
        for row in rows
    ]
    return table(["strength", "guidance", "steps", *kinds], cells)
