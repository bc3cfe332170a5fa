"""Pictures as the browser sends and takes them: data URLs, and what the canvas sends of a drawing."""

from __future__ import annotations

import base64
import binascii
import io
import json
import re
from dataclasses import asdict

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from .. import images
from .settings import PNG_KEY, Settings

MAX_DATA_URL = 8_000_000  # characters; a full canvas takes about 500,000
BAD_PICTURE = "The drawing did not arrive in one piece; please try again."
BIG_PICTURE = "That picture is too large; please use a smaller one."


def read_data_url(url: str | None) -> Image.Image | None:
    """A picture sent by the browser as text; None for an empty one.

    Raises:
        images.ImageError: no text, too long, not a picture, or damaged.
    """
    if url is None or url == "":
        return None
    if not isinstance(url, str):
        raise images.ImageError(BAD_PICTURE)
    if len(url) > MAX_DATA_URL:
        raise images.ImageError(BIG_PICTURE)
    match = re.match(r"data:image/[\w.+-]+;base64,", url)
    try:
        data = base64.b64decode(url[match.end() :], validate=True) if match else b""
    except binascii.Error:
        data = b""
    if not data:
        raise images.ImageError(BAD_PICTURE)
    return images.load(io.BytesIO(data))


def read_canvas(value: dict | str | None) -> tuple[Image.Image | None, Image.Image | None]:
    """The canvas's value, {"picture": data URL, "keep": data URL} or "" -> (drawing, mask of what to keep).

    The mask is black where the drawing must be kept and white elsewhere. Each is None where there is none.

    Raises:
        images.ImageError: anything that canvas.js does not send: a person's browser, or a program's mistake.
    """
    if value is None or value == "":
        return None, None
    if not isinstance(value, dict):
        raise images.ImageError(BAD_PICTURE)
    picture, keep = read_data_url(value.get("picture")), read_data_url(value.get("keep"))
    if keep is not None and (picture is None or keep.size != picture.size):
        raise images.ImageError(BAD_PICTURE)
    return picture, keep


def read_source(value: dict | str | None) -> Image.Image | None:
    """The picture that lies on the canvas, in its own pixels; None where there is none, or it was drawn on.

    Raises:
        images.ImageError: as `read_canvas`.
    """
    return read_data_url(value.get("source")) if isinstance(value, dict) else None


def data_url(image: Image.Image, settings: Settings | None = None) -> str:
    """A picture as text; settings travel in the PNG's text chunk."""
    buffer = io.BytesIO()
    info = PngInfo()
    if settings:
        info.add_text(PNG_KEY, json.dumps(asdict(settings)))
    image.save(buffer, format="PNG", compress_level=1, pnginfo=info)  # small pictures: speed counts
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
