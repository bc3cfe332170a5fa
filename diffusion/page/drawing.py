"""A drawing: as it stands on the canvas, and as the model sees it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PIL import Image

from .. import images
from ..checkpoint import Checkpoint
from ..lineart import colour_in
from .canvas_io import read_canvas
from .settings import Settings


@dataclass(frozen=True)
class Drawing:
    """What a person drew, as it stands on the canvas and as the model sees it."""

    picture: Image.Image
    keep: Image.Image | None  # black where the picture must stay as it is
    prepared: images.Prepared

    @property
    def box(self) -> list[float]:
        """Left, top and side of what the model sees, in shares of the canvas's side."""
        left, top, right, _ = self.prepared.box
        side = self.picture.width
        return [left / side, top / side, (right - left) / side]

    def resized(self, width: int) -> Drawing:
        """The same drawing with fewer pixels, and its frame with it."""
        k = width / self.picture.width
        size = (width, max(1, round(self.picture.height * k)))
        left, top, right, bottom = (round(edge * k) for edge in self.prepared.box)
        prepared = replace(self.prepared, box=(left, top, right, bottom), original_size=size)
        picture = images.flatten(self.picture).resize(size, Image.Resampling.LANCZOS)
        return Drawing(picture, self.keep, prepared)


def framed(
    picture: Image.Image | None, checkpoint: Checkpoint, labels: dict[str, str], colour: bool
) -> images.Prepared | None:
    """The drawing as the model sees it; None where nothing is drawn.

    With `colour`, a drawing that is only outlines is filled with colours typical of what it shows, for a
    model that does not take lines for what they are.
    """
    if picture is not None and colour and not checkpoint.takes_lines:
        picture = colour_in(picture, checkpoint.colours_of({**labels}))
    prepared = images.prepare(picture, checkpoint.image_size) if picture else None
    return None if prepared is None or prepared.blank else prepared


def read_drawing(value: dict | str | None, checkpoint: Checkpoint, settings: Settings) -> Drawing | None:
    """What the canvas sent; None where nothing is drawn on it.

    Raises:
        images.ImageError: it did not arrive in one piece.
    """
    picture, keep = read_canvas(value)
    prepared = framed(picture, checkpoint, settings.labels, settings.colour)
    return Drawing(picture, keep, prepared) if picture and prepared else None
