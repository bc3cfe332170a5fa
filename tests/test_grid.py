"""The contact sheet: every picture where its labels say."""

import pytest
from PIL import Image

from diffusion.grid import contact_sheet
from pictures import BLUE, RED, pixels


def test_contact_sheet_places_every_picture() -> None:
    colours = [[RED, BLUE], [BLUE, RED], [RED, RED]]
    rows = [[Image.new("RGB", (64, 32), c) for c in row] for row in colours]
    sheet = contact_sheet(rows, ["one", "two", "a long name"], ["0.3", "0.5"], cell=100, gap=10)
    left, top = sheet.width - 2 * 110, sheet.height - 3 * 110
    for r in range(3):
        for c in range(2):
            assert sheet.getpixel((left + c * 110 + 50, top + r * 110 + 50)) == colours[r][c]
            above = sheet.getpixel((left + c * 110 + 50, top + r * 110 + 5))
            assert above == (255, 255, 255)  # not stretched
    assert (pixels(sheet)[:, :left].min(axis=2) < 100).any() and (pixels(sheet)[:top].min(axis=2) < 100).any()
    with pytest.raises(ValueError, match="at least one picture"):
        contact_sheet([])
