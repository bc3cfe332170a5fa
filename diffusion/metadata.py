"""What a picture file says besides its pixels: which way is up is read, all else must not stand in the way.

Cameras, phones and programs write tags that others cannot read: an EXIF entry of the wrong type, a colour
profile cut short, a comment of a hundred megabytes. The pixels are none the worse.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from PIL import Image

PNG = b"\x89PNG\r\n\x1a\n"
PNG_KEPT = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
JPEG = b"\xff\xd8"
ADOBE = b"\xff\xee"  # APP14 says how colours are coded
ORIENTATION = 0x0112
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip


def upright(image: Image.Image) -> Image.Image:
    """A picture turned as its EXIF tag says; any other tag may be wrong in any way."""
    try:
        turn = TURNS.get(int(image.getexif().get(ORIENTATION, 1)))
    except Exception:  # Pillow reads all tags to find one
        turn = None
    return image if turn is None else image.transpose(turn)


def without(data: bytes) -> bytes:
    """A PNG or a JPEG without all that is not needed for its pixels; anything else as it is."""
    if data.startswith(PNG):
        return PNG + b"".join(_png_chunks(data))
    if data.startswith(JPEG):
        return b"".join(_jpeg_segments(data))
    return data


def _png_chunks(data: bytes) -> Iterator[bytes]:
    """Length, kind, content, checksum of each chunk."""
    at = len(PNG)
    while at + 8 <= len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        if kind in PNG_KEPT:
            yield data[at : at + 12 + length]
        at += 12 + length


def _jpeg_segments(data: bytes) -> Iterator[bytes]:
    """A marker, a length and the content each; what follows the start of the scan is left as it is."""
    yield JPEG
    at = len(JPEG)
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:
        length = 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        segment = data[at : at + length]
        about = 0xE0 <= data[at + 1] <= 0xEF or data[at + 1] == 0xFE  # APP0 to APP15, a comment
        if not about or (segment.startswith(ADOBE) and length >= 16):
            yield segment
        at += length
    yield data[at:]
