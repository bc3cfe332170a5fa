"""Good pixels are read whatever else a file says."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from diffusion.metadata import without
from diffusion.picture_files import ImageError, load
from pictures import apple, pixels, saved

PICTURE = apple((40, 30), 5, 5, 20)
PNG, JPEG = (saved(PICTURE, form).getvalue() for form in ("PNG", "JPEG"))


def in_png(kind: bytes, data: bytes, bad: bool = False) -> bytes:
    """The picture with one more chunk behind its header."""
    chunk = struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data) ^ bad)
    return PNG[:33] + chunk + PNG[33:]


def in_jpeg(marker: int, data: bytes) -> bytes:
    return JPEG[:2] + bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data + JPEG[2:]


ODD = {
    "a long comment": in_png(b"zTXt", b"k\0\0" + zlib.compress(b"a" * 10**7)),
    "another": in_png(b"tEXt", b"k\0" + b"a" * 70_000_000),
    "a bad checksum": in_png(b"gAMA", b"\0\0\0\1", bad=True),
    "a short resolution": in_png(b"pHYs", b"\0"),
    "a cut profile": in_png(b"iCCP", b"xxxxx"),
    "odd tags": in_png(b"eXIf", b"junkjunkjunk"),
    "a short animation": in_png(b"acTL", b"\0"),
    "an unknown chunk": in_png(b"quXx", b"\0" * 8, bad=True),
    "odd tags in a JPEG": in_jpeg(0xE1, b"Exif\0\0junkjunk"),
    "a cut profile in a JPEG": in_jpeg(0xE2, b"ICC_PROFILE\0\2\1xx"),
    "short Adobe": in_jpeg(0xEE, b"Adobe\0"),
    "short JFIF": in_jpeg(0xE0, b"JFIF"),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ODD)
def test_odd_metadata_does_not_cost_the_picture(name):
    good = PNG if ODD[name].startswith(PNG[:8]) else JPEG
    assert np.array_equal(pixels(load(io.BytesIO(ODD[name]))), pixels(load(io.BytesIO(good))))


def turned_by(tags: dict, form: str = "JPEG") -> tuple[int, int]:
    exif = Image.Exif()
    for tag, value in tags.items():
        exif[tag] = value
    return load(saved(PICTURE, form, exif=exif)).size


@pytest.mark.parametrize("orientation", range(10))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_every_orientation_turns_as_pillow_does(orientation, form):
    from PIL import ImageOps

    exif = Image.Exif()
    exif[0x0112] = orientation
    file = saved(PICTURE, form, exif=exif)
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(file.getvalue()))).convert("RGB")
    assert np.array_equal(pixels(load(file)), pixels(expected))


def test_a_tag_of_the_wrong_kind_does_not_stand_in_the_way_of_turning():
    """Pillow's own way writes all tags anew, and fails on one that it cannot write."""

    def entry(tag: int, kind: int, count: int, value: bytes) -> bytes:
        return struct.pack(">HHI", tag, kind, count) + value.ljust(4, b"\0")

    for odd in (entry(0x0111, 2, 4, b"abc"), entry(0x0128, 2, 2, b"2"), entry(0x011A, 2, 3, b"72")):
        entries = sorted([entry(0x0112, 3, 1, b"\0\6"), odd])
        exif = b"Exif\0\0MM\0*\0\0\0\x08" + struct.pack(">H", 2) + b"".join(entries) + bytes(4)
        assert load(io.BytesIO(in_jpeg(0xE1, exif))).size == (30, 40)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60), st.integers(0xE0, 0xFE), st.sampled_from([b"iTXt", b"iCCP", b"eXIf", b"sRGB"]))
@pytest.mark.filterwarnings("ignore")
def test_whatever_stands_there_the_picture_is_read(data, marker, kind):
    assert np.array_equal(pixels(load(io.BytesIO(in_png(kind, data)))), pixels(PICTURE))
    size = load(io.BytesIO(in_jpeg(marker if marker < 0xF0 else 0xFE, data))).size
    assert sorted(size) == [30, 40]


def test_pixels_that_are_damaged_are_still_refused():
    for data in (PNG, JPEG):
        for odd in (data[: len(data) // 2], in_png(b"pHYs", b"\0")[:-40]):
            with pytest.raises(ImageError, match="damaged or cut short"):
                load(io.BytesIO(odd))
    assert without(b"GIF89a...") == b"GIF89a..."
