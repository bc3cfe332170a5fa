"""A drawing: as it stands on the canvas, and as the model sees it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from PIL import Image

from .. import images
from ..checkpoint import Checkpoint
from ..enlarge import prepare_photo, prepare_whole
from ..kinds import OUTLINE, kind_of, photo_box
from ..lineart import colour_in
from .canvas_io import read_canvas, read_source
from .settings import Settings

NOTHING_TO_ENLARGE = "There is nothing to enlarge yet: upload a picture first."


@dataclass(frozen=True)
class Drawing:
    """What a person drew, as it stands on the canvas and as the model sees it."""

    picture: Image.Image
    keep: Image.Image | None  # black where the picture must stay as it is
    prepared: images.Prepared

    @cached_property
    def is_outline(self) -> bool:
        """Is it lines, and neither colours nor a photo? Asked of every run that is made of it."""
        return kind_of(self.picture) == OUTLINE

    @property
    def box(self) -> list[float]:
        """Left, top and side of what the model sees, in shares of a square canvas with this in its middle."""
        (left, top, right, _), (width, height) = self.prepared.box, self.picture.size
        side = max(width, height)
        return [(left + (side - width) / 2) / side, (top + (side - height) / 2) / side, (right - left) / side]

    @property
    def shape(self) -> list[float]:
        """Width and height, in shares of that canvas's side."""
        return [side / max(self.picture.size) for side in self.picture.size]

    def resized(self, width: int) -> Drawing:
        """The same drawing with more or fewer pixels, and its frame with it."""
        prepared = self.prepared.resized(width)
        size = prepared.original_size
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
    prepared = images.prepare(picture, checkpoint.drawing_size) if picture else None
    return None if prepared is None or prepared.blank else prepared


def to_enlarge(picture: Image.Image | None, keep: Image.Image | None, checkpoint: Checkpoint) -> Drawing:
    """A picture with few pixels, as it is, which is to have more of them.

    Raises:
        images.ImageError: there is none, or it is too small.
        UpscalerError: the checkpoint has nothing to enlarge it with.
    """
    if picture is None:
        raise images.ImageError(NOTHING_TO_ENLARGE)
    return Drawing(picture, keep, prepare_whole(picture, checkpoint))


def _cut_out(keep: Image.Image | None, source: Image.Image) -> Image.Image | None:
    """The marks on a picture that lies in the middle of a square canvas, as large as it goes."""
    if keep is None:
        return None
    k = keep.width / max(source.size)
    width, height = (max(1, round(side * k)) for side in source.size)
    left, top = (keep.width - width) // 2, (keep.height - height) // 2
    return keep.crop((left, top, left + width, top + height))


def read_drawing(value: dict | str | None, checkpoint: Checkpoint, settings: Settings) -> Drawing | None:
    """What the canvas sent; None where nothing is drawn on it.

    Raises:
        images.ImageError: it did not arrive in one piece, or there is nothing to enlarge.
        UpscalerError: it is to be enlarged, and the checkpoint has nothing to do so with.
    """
    picture, keep = read_canvas(value)
    if settings.enlarge:
        source = read_source(value)
        return to_enlarge(source or picture, _cut_out(keep, source) if source else keep, checkpoint)
    if picture and (box := photo_box(picture)):  # the bars beside it are none of it
        photo = picture.crop(box)
        return Drawing(photo, keep and keep.crop(box), prepare_photo(photo, checkpoint.image_size))
    prepared = framed(picture, checkpoint, settings.labels, settings.colour)
    return Drawing(picture, keep, prepared) if picture and prepared else None
