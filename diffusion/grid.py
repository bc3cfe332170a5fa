"""Many pictures in one, with labels, for a person to look at."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont, ImageOps

from .errors import DoodleError
from .picture_files import flatten


def contact_sheet(
    rows: Sequence[Sequence[Image.Image]],
    row_labels: Sequence[str] = (),
    column_labels: Sequence[str] = (),
    cell: int = 128,
    gap: int = 8,
) -> Image.Image:
    """A labelled grid of pictures on white; each is fitted into a square of `cell` pixels.

    Raises:
        DoodleError: no pictures.
    """
    if not rows or not any(rows):
        raise DoodleError("A contact sheet needs at least one picture.")
    font = ImageFont.load_default(size=max(10, cell // 9))
    line = int(font.getbbox("Ag")[3]) + 2
    side = max((font.getlength(part) for label in row_labels for part in label.split("\n")), default=-gap)
    left, top = int(side) + 2 * gap, gap + (line + gap if column_labels else 0)
    columns = max(len(row) for row in rows)
    sheet = Image.new("RGB", (left + columns * (cell + gap), top + len(rows) * (cell + gap)), "white")
    draw = ImageDraw.Draw(sheet)
    for c, label in enumerate(column_labels):
        draw.text((left + c * (cell + gap) + cell // 2, gap), label, fill="black", font=font, anchor="ma")
    for r, row in enumerate(rows):
        y = top + r * (cell + gap)
        if r < len(row_labels):
            draw.text((gap, y + cell // 2), row_labels[r], fill="black", font=font, anchor="lm")
        for c, image in enumerate(row):
            fitted = ImageOps.contain(flatten(image), (cell, cell), Image.Resampling.LANCZOS)
            x = left + c * (cell + gap)
            sheet.paste(fitted, (x + (cell - fitted.width) // 2, y + (cell - fitted.height) // 2))
    return sheet
