"""Draw the test drawings in assets/drawings/hands, as many different people would in a paint box.

    python assets/draw_hands.py

They are kept aside: nothing is ever trained on them. A file is called `<concept>-<habit>-<n>.png`, spaces of
the concept written as underscores: `cow_face-pen-1.png` is the first cow face drawn as a black outline.
People and habits are described in hand.py; the points are in the tables in hands/, written by hand, no
picture traced. The trembling is seeded by the file's name: the same script always draws the same pictures.
assets/hands.png shows them all.
"""

from __future__ import annotations

import sys
from pathlib import Path

from hand import DRAWINGS, SIZE
from hands import (  # noqa: F401  they enter DRAWINGS
    animals,
    blobs,
    crude,
    figures,
    food,
    nature,
    things,
    vehicles,
    wild,
)
from PIL import Image, ImageDraw

HERE = Path(__file__).parent
CELL, COLUMNS = 80, 14


def reduced(image: Image.Image, colours: int = 64) -> Image.Image:
    """With a palette, for smaller files: only mixed colours along edges change, and not in plain outlines."""
    return image.quantize(colours, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)


def sheet(folder: Path) -> Image.Image:
    """All drawings, small, with what they show and their habit below."""
    rows = -(-len(DRAWINGS) // COLUMNS)
    page = Image.new("RGB", (COLUMNS * (CELL + 8), rows * (CELL + 28)), (236, 236, 240))
    write = ImageDraw.Draw(page)
    for i, drawing in enumerate(sorted(DRAWINGS, key=lambda drawing: drawing.name)):
        x, y = i % COLUMNS * (CELL + 8) + 4, i // COLUMNS * (CELL + 28) + 4
        drawn = Image.open(folder / f"{drawing.name}.png").convert("RGB")
        page.paste(drawn.resize((CELL, CELL), Image.Resampling.BOX), (x, y))
        concept = drawing.name.rsplit("-", 2)[0].replace("_", " ")
        write.text((x, y + CELL), concept, (20, 20, 24), font_size=10)
        write.text((x, y + CELL + 11), drawing.habit, (110, 110, 120), font_size=9)
    return page


def main(folder: Path = HERE / "drawings" / "hands", shown: Path = HERE / "hands.png") -> int:
    folder.mkdir(parents=True, exist_ok=True)
    for drawing in DRAWINGS:
        image = Image.fromarray(drawing.hand().canvas).resize((SIZE, SIZE), Image.Resampling.BOX)
        reduced(image).save(folder / f"{drawing.name}.png", optimize=True)
    reduced(sheet(folder), 256).save(shown, optimize=True)
    print(f"{len(DRAWINGS)} drawings in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
