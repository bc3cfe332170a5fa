"""Outpainting: a larger canvas around a drawing, of which only what is new may change.

The rest is an edit with a mask. A network that is told the drawing is not told this one (`Sampling.told`): to
it the white around would be paper that somebody left white.
"""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from .errors import DoodleError
from .images import flatten

LONGEST = 8192  # pixels on a side of the larger canvas


def widened(
    image: Image.Image, margins: Sequence[float], mask: Image.Image | None = None
) -> tuple[Image.Image, Image.Image]:
    """A drawing in the frame that was dragged around it, and the mask of what may change there.

    Args:
        image: the drawing, any mode.
        margins: left, top, right, bottom, each at least 0, in shares of its longer side.
        mask: of the drawing, whose white may change as well; without one all of it is kept.

    Returns:
        (RGB with white around the drawing, L with white where it may change), of one size.

    Raises:
        DoodleError: no margin, or a canvas of more than LONGEST pixels.
    """
    side = max(image.size)
    left, top, right, bottom = (round(share * side) for share in margins)
    size = image.width + left + right, image.height + top + bottom
    if size == image.size:
        raise DoodleError("There is nothing to paint around the drawing: no margin is larger than 0.")
    if max(size) > LONGEST:
        raise DoodleError(f"A canvas of {size[0]} x {size[1]} pixels is too large: {LONGEST} at most.")
    page, free = Image.new("RGB", size, "white"), Image.new("L", size, 255)
    page.paste(flatten(image), (left, top))
    if mask is None:
        free.paste(0, (left, top, left + image.width, top + image.height))
    else:
        free.paste(mask.convert("L").resize(image.size, Image.Resampling.NEAREST), (left, top))
    return page, free
