"""Laws of diffusion/images.py: what a picture may not lose on its way to the model and back."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageDraw

from conftest import NoTorch
from diffusion import images
from diffusion.images import ImageError, load, paste_back, prepare, prepare_mask, to_pil
from pictures import BLUE, RED, apple, pixels, saved


def ink_of(image: Image.Image) -> np.ndarray:
    return pixels(image).min(axis=2) < 200


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return (a & b).sum() / (a | b).sum()


# ---------------------------------------------------------------------- values


@settings(max_examples=50, deadline=None)
@given(arrays(np.uint8, (16, 16, 3)))
def test_round_trip_is_exact(array: np.ndarray) -> None:
    prepared = prepare(Image.fromarray(array), 16, frame=False)
    assert prepared.x0.dtype == torch.float32 and prepared.x0.shape == (1, 3, 16, 16)
    assert np.array_equal(pixels(to_pil(prepared.x0)), array)


@pytest.mark.parametrize("size", [16, 50, 64, 512])
@pytest.mark.parametrize("canvas", [(512, 512), (77, 31), (1, 1), (3, 900)])
def test_white_stays_exactly_one(canvas: tuple[int, int], size: int) -> None:
    x0 = prepare(Image.new("RGB", canvas, "white"), size).x0
    assert (x0 == 1.0).all()


def test_paper_round_a_drawing_is_exactly_one() -> None:
    x0 = prepare(apple(512, 100, 220, 90), 64).x0
    assert (x0[..., :3, :] == 1.0).all() and (x0[..., :2] == 1.0).all() and (x0 < 0).any()


@settings(max_examples=50, deadline=None)
@given(
    st.integers(1, 60),
    st.integers(1, 60),
    st.integers(4, 40),
    st.booleans(),
    st.tuples(*[st.integers(0, 255)] * 3),
)
def test_one_colour_stays_that_colour_up_to_the_edge(
    width: int, height: int, size: int, frame: bool, colour: tuple[int, int, int]
) -> None:
    """Shrunk or enlarged, letterboxed: nothing but that colour, white, and a seam between them."""
    prepared = prepare(Image.new("RGB", (width, height), colour), size, frame)
    seen = pixels(to_pil(prepared.x0)).reshape(-1, 3)
    share = min(width, height) / max(width, height)
    if share == 1 or prepared.blank:
        assert prepared.blank or (seen == colour).all()
        return
    assert (seen >= np.array(colour)).all()
    ink = (255.0 - seen).sum() / (255.0 * 3 - sum(colour)) / len(seen)
    assert abs(ink - share) <= 1 / size, "there is as much of it as before"


def test_shrinking_averages() -> None:
    """A fine checkerboard becomes grey, not stripes."""
    board = (np.indices((256, 256)).sum(axis=0) % 2 * 255).astype(np.uint8)
    x0 = prepare(Image.fromarray(board), 32, frame=False).x0
    assert x0.abs().max() < 0.02


def test_to_pil_cuts_off_and_enlarges() -> None:
    x = torch.full((3, 8, 8), 3.0)
    x[1] = -3.0
    assert to_pil(x).getpixel((0, 0)) == (255, 0, 255)
    assert to_pil(x[None], 100).size == (100, 100)
    assert to_pil(x[None], 100).getpixel((50, 50)) == (255, 0, 255)
    with pytest.raises(ValueError, match=r"not \(2, 3, 8, 8\)"):
        to_pil(torch.zeros(2, 3, 8, 8))


def test_pictures_are_what_torch_would_make_of_the_numbers() -> None:
    generator = torch.Generator().manual_seed(0)
    halves = (torch.arange(510) / 255 - 1).expand(3, 2, 510)  # in the middle between two values of a pixel
    for x in (halves, torch.randn(3, 64, 64, generator=generator), halves.double(), halves.half()):
        expected = ((x.float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).permute(1, 2, 0)
        assert np.array_equal(np.asarray(to_pil(x)), expected.numpy())
    greys = torch.arange(256, dtype=torch.uint8).reshape(1, 16, 16).repeat(3, 1, 1)
    x0 = prepare(Image.fromarray(greys.permute(1, 2, 0).numpy()), 16, frame=False).x0
    assert torch.equal(x0[0], 1 - (255 - greys).float() / 127.5)


def test_pictures_side_by_side_are_those_pictures() -> None:
    x = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    row = images.side_by_side(x)
    assert row.size == (32, 8)
    assert all(row.crop((8 * i, 0, 8 * i + 8, 8)).tobytes() == to_pil(x[i]).tobytes() for i in range(4))


def test_torch_computes_nothing() -> None:
    """Pictures are made and read in many threads, see MODEL_THREAD in worker.py."""
    with NoTorch():
        x0 = prepare(apple(512, 100, 220, 90), 64).x0
        to_pil(x0, 512)
        images.side_by_side(x0.expand(4, -1, -1, -1))
        with pytest.raises(AssertionError):
            x0 + 1


# ---------------------------------------------------------------------- framing


@settings(max_examples=40, deadline=None)
@given(st.integers(60, 250), st.floats(0, 1), st.floats(0, 1))
def test_where_and_how_large_it_is_drawn_does_not_matter(size: int, x: float, y: float) -> None:
    canvas = 512
    left, top = 4 + round(x * (canvas - 8 - size)), 4 + round(y * (canvas - 8 - size))
    small = prepare(apple(canvas, left, top, size), 64)
    large = prepare(apple(canvas, 56, 96, 400), 64)
    assert (small.x0 - large.x0).abs().mean() < 0.02
    assert not small.blank


def test_framed_drawing_fills_85_percent_and_is_centred() -> None:
    seen = (prepare(apple(512, 30, 300, 120), 200).x0[0].amin(0) < 0.5).numpy()
    columns, rows = np.flatnonzero(seen.any(0)), np.flatnonzero(seen.any(1))
    assert abs(np.ptp(columns) + 1 - 170) <= 2 and abs(np.ptp(rows) + 1 - 136) <= 2
    assert abs(columns.mean() - 99.5) <= 1.5 and abs(rows.mean() - 99.5) <= 1.5


def test_frame_false_shows_everything() -> None:
    prepared = prepare(apple((300, 200), 10, 10, 50), 30, frame=False)
    assert prepared.box == (0, -50, 300, 250) and prepared.original_size == (300, 200)
    assert (prepared.x0[..., :5, :] == 1).all() and (prepared.x0[..., 6:9, 2:5] < 1).any()


def test_picture_without_paper_is_not_cropped() -> None:
    image = Image.new("RGB", (200, 100), BLUE)
    image.paste((255, 255, 255), (20, 20, 180, 80))
    assert prepare(image, 32).box == (0, -50, 200, 150)


def test_drawing_may_run_over_the_edge() -> None:
    """Then the box reaches outside the canvas, and outside is paper."""
    prepared = prepare(apple(512, 0, 200, 150), 64)
    assert prepared.box[0] < 0 and prepared.box[2] < 200
    assert (prepared.x0[..., :4] == 1).all()


def test_dust_does_not_count() -> None:
    image = apple(512, 300, 300, 100)
    clean = prepare(image, 64)
    image.putpixel((5, 5), (0, 0, 0))
    assert prepare(image, 64).box == clean.box
    ImageDraw.Draw(image).rectangle((5, 5, 8, 8), fill="black")
    assert prepare(image, 64).box != clean.box


def test_a_hair_thin_diagonal_is_not_dust() -> None:
    image = Image.new("RGB", (512, 512), "white")
    for i in range(40):
        image.putpixel((100 + i, 100 + i), (0, 0, 0))
    assert not prepare(image, 64).blank


def test_transparent_paper_is_paper() -> None:
    clear, white = apple(512, 300, 300, 100, mode="RGBA"), apple(512, 300, 300, 100)
    a, b = prepare(clear, 64), prepare(white, 64)
    assert a.box == b.box and (a.x0 - b.x0).abs().max() < 0.03


def test_colour_under_transparent_pixels_does_not_bleed() -> None:
    """Straight-alpha resizing would mix the hidden green into the edge of the red square."""
    array = np.zeros((120, 120, 4), np.uint8)
    array[..., 1] = 255
    array[33:90, 33:90] = (*RED, 255)
    x0 = prepare(Image.fromarray(array), 20, frame=False).x0
    red, green, blue = x0[0]
    assert (green <= blue + 1e-5).all() and (green[0] == 1).all()


# ---------------------------------------------------------------------- blank


def noisy_paper() -> Image.Image:
    noise = np.random.default_rng(0).integers(246, 256, (200, 200, 3)).astype(np.uint8)
    return load(saved(Image.fromarray(noise), "JPEG", quality=60))


@pytest.mark.parametrize(
    "image",
    [Image.new("RGB", (64, 64), "white"), Image.new("RGBA", (64, 64), (255, 0, 0, 0)), noisy_paper()],
    ids=["white", "transparent", "noisy"],
)
def test_blank(image: Image.Image) -> None:
    assert prepare(image, 32).blank and prepare(image, 32, frame=False).blank


def test_one_pale_line_is_not_blank() -> None:
    image = Image.new("RGB", (512, 512), "white")
    ImageDraw.Draw(image).line((100, 100, 110, 100), fill=(255, 255, 200))
    assert not prepare(image, 64).blank


# ---------------------------------------------------------------------- and back


@settings(max_examples=30, deadline=None)
@given(st.integers(80, 400), st.integers(0, 250), st.integers(0, 100), st.booleans())
def test_paste_back_puts_it_where_it_stood(size: int, left: int, top: int, frame: bool) -> None:
    original = apple((500, 400), left, top, size)
    prepared = prepare(original, 64, frame)
    back = paste_back(to_pil(prepared.x0), prepared, original)
    assert back.size == original.size and back.mode == "RGB"
    # One pixel of the model is up to 500 / 64 = 8 of the original's: the outline cannot be closer.
    assert iou(ink_of(back), ink_of(original)) > (0.9 if frame else 0.75)


def test_paste_back_takes_a_result_of_any_size() -> None:
    original = apple(400, 50, 60, 200)
    prepared = prepare(original, 64)
    for size in (64, 128, 512):
        back = paste_back(to_pil(prepared.x0, size), prepared, original)
        assert iou(ink_of(back), ink_of(original)) > 0.93


def test_paste_back_is_white_outside_the_box() -> None:
    original = apple(400, 50, 60, 100)
    prepared = prepare(original, 64)
    back = pixels(paste_back(Image.new("RGB", (64, 64), BLUE), prepared, original))
    left, top, right, bottom = prepared.box
    assert (back[top + 1 : bottom - 1, left + 1 : right - 1] == BLUE).all()
    assert (back[:, right + 1 :] == 255).all() and (back[: top - 1] == 255).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 300), st.integers(0, 200), st.booleans(), st.randoms(use_true_random=False))
def test_kept_pixels_are_the_original_s(x: int, y: int, frame: bool, random) -> None:
    original = apple((400, 300), 30, 40, 200)
    original.putpixel((399, 299), (250, 250, 250))
    mask = Image.new("L", original.size)
    ImageDraw.Draw(mask).ellipse((x, y, x + 90, y + 90), fill=255)
    prepared = prepare(original, 64, frame)
    noise = np.random.default_rng(random.randrange(99)).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    back = paste_back(Image.fromarray(noise), prepared, original, mask)
    keep = np.asarray(mask) == 0
    assert np.array_equal(pixels(back)[keep], pixels(original)[keep])
    left, top, right, bottom = prepared.box
    changed = np.zeros_like(keep)
    changed[max(top, 0) : bottom, max(left, 0) : right] = ~keep[max(top, 0) : bottom, max(left, 0) : right]
    if changed.sum() > 500:
        assert (pixels(back)[changed] != pixels(original)[changed]).any(axis=1).mean() > 0.9


def test_with_a_mask_pixels_the_model_never_saw_stay() -> None:
    original = apple(400, 50, 60, 100)
    original.putpixel((390, 390), (250, 251, 252))
    prepared = prepare(original, 64)
    back = paste_back(to_pil(prepared.x0), prepared, original, Image.new("L", original.size, 255))
    assert back.getpixel((390, 390)) == (250, 251, 252)


def test_mask_is_cut_out_like_the_picture() -> None:
    """Mask the drawing itself: in the model's pixels it must cover the drawing."""
    original = apple(512, 300, 50, 150)
    mask = Image.fromarray((ink_of(original) * 255).astype(np.uint8))
    prepared = prepare(original, 64)
    seen = prepare_mask(mask, prepared, 64)
    assert seen.shape == (1, 1, 64, 64) and seen.dtype == torch.float32
    assert set(seen.unique().tolist()) == {0.0, 1.0}
    assert iou(seen[0, 0].numpy() > 0, (prepared.x0[0].amin(0) < 0.5).numpy()) > 0.93


def test_mask_kinds() -> None:
    """White on black, 0/1, and a painted transparent layer say the same; all black frees nothing."""
    prepared = prepare(Image.new("RGB", (64, 64), BLUE), 32, frame=False)
    half = np.zeros((64, 64), np.uint8)
    half[:, 32:] = 1
    layer = np.zeros((64, 64, 4), np.uint8)
    layer[:, 32:, 3] = 200
    expected = torch.cat([torch.zeros(32, 16), torch.ones(32, 16)], 1)
    for mask in (half * 255, half, layer):
        assert torch.equal(prepare_mask(Image.fromarray(mask), prepared, 32)[0, 0], expected)
    assert prepare_mask(Image.new("L", (64, 64)), prepared, 32).sum() == 0
    # A mask of another size but the same shape will do; another shape will not.
    doubled = Image.fromarray(half).resize((128, 128), Image.Resampling.NEAREST)
    assert torch.equal(prepare_mask(doubled, prepared, 32)[0, 0], expected)
    with pytest.raises(ImageError, match="The mask is 64 x 32 pixels, the picture 64 x 64"):
        prepare_mask(Image.new("L", (64, 32)), prepared, 32)
