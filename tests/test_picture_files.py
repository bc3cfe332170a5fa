"""Picture files: whatever is in them is read as a picture or refused in one sentence."""

from __future__ import annotations

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from diffusion.picture_files import LAST_FRAME_MS, ImageError, flatten, load, save_gif
from pictures import BLUE, RED, apple, pixels, saved


def png_header(width: int, height: int) -> io.BytesIO:
    """A PNG that claims a size and holds almost nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    ihdr = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = chunk(b"IHDR", ihdr) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    return io.BytesIO(b"\x89PNG\r\n\x1a\n" + data)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("size", [(12_000, 12_000), (100_000, 100_000), (10_001, 2), (8_000, 5_001)])
def test_too_large_is_refused_before_decoding(size: tuple[int, int], monkeypatch) -> None:
    from PIL import PngImagePlugin

    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", lambda *_: pytest.fail("decoded"))
    with pytest.raises(ImageError, match="The file is too large"):
        load(png_header(*size))


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_formats_and_truncation(format: str) -> None:
    image = apple(100, 20, 20, 60)
    file = saved(image, format)
    assert np.abs(pixels(load(file)) - pixels(image)).mean() < 6
    data = file.getvalue()
    with pytest.raises(ImageError, match="^The file is damaged or cut short.$"):
        load(io.BytesIO(data[: len(data) // 2]))


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's remarks on damaged metadata
def test_flipped_bytes_raise_nothing_but_image_error() -> None:
    rng = np.random.default_rng(0)
    files = [saved(apple(40, 5, 5, 30), f).getvalue() for f in ("PNG", "JPEG", "WEBP", "GIF", "TIFF")]
    for i in range(200):
        data = bytearray(files[i % len(files)])
        for at in rng.integers(0, len(data), 6):
            data[at] = rng.integers(0, 256)
        try:
            assert load(io.BytesIO(bytes(data))).mode in ("RGB", "RGBA")
        except ImageError as error:
            assert "\n" not in str(error)


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"<svg xmlns='http://w3.org/2000/svg'/>", b"%!PS-Adobe-3.0", b"P6 1 1 255\n000"]
)
def test_not_a_picture(data: bytes) -> None:
    with pytest.raises(ImageError, match="^The file is not a picture"):
        load(io.BytesIO(data))


def test_missing_file_and_folder(tmp_path) -> None:
    with pytest.raises(ImageError, match=r"^Cannot read .*gone\.png: No such file or directory\.$"):
        load(tmp_path / "gone.png")
    with pytest.raises(ImageError, match="Is a directory"):
        load(tmp_path)


def test_16_bit_is_scaled_not_clipped(tmp_path) -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16)[None].repeat(4, 0)
    loaded = pixels(load(saved(Image.fromarray(ramp))))
    assert np.abs(loaded[0, :, 0] - np.arange(256)).max() <= 1
    cv2.imwrite(str(tmp_path / "rgb16.png"), np.stack([ramp] * 3, axis=-1))
    assert np.abs(pixels(load(tmp_path / "rgb16.png"))[0, :, 1] - np.arange(256)).max() <= 1
    floats = Image.fromarray((ramp / 65535).astype(np.float32))
    assert np.abs(pixels(load(saved(floats, "TIFF")))[0, :, 2] - np.arange(256)).max() <= 1


def test_palette_with_transparency() -> None:
    image = Image.new("P", (20, 20), 0)
    image.putpalette([0, 0, 0, *RED])
    image.paste(1, (5, 5, 15, 15))
    loaded = load(saved(image, transparency=0))
    assert loaded.mode == "RGBA"
    assert flatten(loaded).getpixel((0, 0)) == (255, 255, 255) and flatten(loaded).getpixel((10, 10)) == RED


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "CMYK", "YCbCr", "HSV", "I", "F"]
)
def test_every_mode_flattens_to_white(mode: str) -> None:
    image = {"F": Image.new("F", (4, 4), 1.0), "I": Image.new("I", (4, 4), 65535)}.get(mode)
    if image is None:
        image = Image.new("RGB", (4, 4), "white")
        for step in {"PA": "P PA", "La": "LA La", "RGBa": "RGBA RGBa"}.get(mode, mode).split():
            image = image.convert(step)
    assert image.mode == mode
    flat = flatten(image)
    assert flat.mode == "RGB" and flat.getpixel((2, 2)) == (255, 255, 255)


def test_cmyk_jpeg() -> None:
    loaded = load(saved(Image.new("RGB", (16, 16), RED).convert("CMYK"), "JPEG", quality=95))
    assert loaded.mode == "RGB" and np.abs(pixels(loaded)[8, 8] - RED).max() < 6


def test_first_frame_of_an_animation() -> None:
    first, second = Image.new("RGB", (16, 16), RED), Image.new("RGB", (16, 16), BLUE)
    for format in ("GIF", "WEBP", "PNG"):
        options = {"lossless": True} if format == "WEBP" else {}
        loaded = load(saved(first, format, save_all=True, append_images=[second], **options))
        assert loaded.convert("RGB").getpixel((8, 8)) == RED, format


def test_exif_rotation_is_applied() -> None:
    image = Image.new("RGB", (32, 16), "white")
    image.paste(RED, (0, 0, 16, 16))  # red on the left; turned clockwise it is on top
    exif = Image.Exif()
    exif[0x0112] = 6
    loaded = load(saved(image, "JPEG", exif=exif, quality=95))
    assert loaded.size == (16, 32)
    assert pixels(loaded)[4, 8, 1] < 60 and pixels(loaded)[28, 8, 1] > 200


def test_gif_keeps_order_timing_and_white() -> None:
    frames = [apple(64, x, 10, 30) for x in (0, 10, 20)]
    file = io.BytesIO()
    save_gif(frames, file, ms=80)
    gif = Image.open(file)
    assert gif.n_frames == 3 and gif.info["loop"] == 0
    for i, frame in enumerate(frames):
        gif.seek(i)
        assert gif.info["duration"] == (80 if i < 2 else LAST_FRAME_MS)
        shown = pixels(gif.convert("RGB"))
        assert np.abs(shown - pixels(frame)).mean() < 2
        assert (shown[60] == 255).all()
    with pytest.raises(ValueError, match="at least one frame"):
        save_gif([], io.BytesIO())
