"""Lines kept, invented edges and specks, on made pictures where the answer is known."""

import pytest
import torch

from diffusion.evaluate.lines import (
    has_speck,
    ink,
    invented_edges,
    lines,
    lines_kept,
    marks_kept,
    step_heights,
)


def paper(n=1, size=64):
    return torch.ones(n, 3, size, size)


def stroke(at, size=64, value=-1.0, width=1):
    """A vertical line from top to bottom."""
    x = paper(1, size)
    x[..., at : at + width] = value
    return x


def square(value=-1.0, size=64):
    x = paper(1, size)
    x[..., size // 4 : 3 * size // 4, size // 4 : 3 * size // 4] = value
    return x


def test_a_step_is_as_high_as_its_two_sides_are_apart():
    heights = step_heights(square(0.0))
    assert heights[0, 32, 15] == heights[0, 32, 16] == pytest.approx(0.5)
    assert heights[0, 32, 32] == heights[0, 2, 2] == 0
    red = paper()
    red[:, 1:, :, 32:] = -1  # two of three channels change
    assert step_heights(red)[0, 9, 32] == pytest.approx((2 / 3) ** 0.5)


@pytest.mark.parametrize("drawing", [stroke(30), stroke(30, width=4), square(), square(0.2)])
def test_a_picture_keeps_its_own_lines_and_invents_none(drawing):
    assert lines_kept(drawing, drawing).tolist() == [1.0]
    assert invented_edges(drawing, drawing).tolist() == [0.0]


def test_lines_are_kept_up_to_2_of_64_pixels_and_edges_invented_beyond_4():
    # The edges of a thin line are the pixels beside it: moved by 3, the nearer of them is 2 away.
    kept = [lines_kept(stroke(20), stroke(20 + moved)).item() for moved in (1, 3, 4, 9)]
    assert kept == [1.0, 1.0, 0.0, 0.0]
    invented = [invented_edges(stroke(20), stroke(20 + moved)).item() for moved in (1, 3, 4, 9)]
    assert invented == [0.0, 0.0, 0.5, 1.0]


def test_lengths_are_in_64ths_of_the_side():
    assert lines_kept(stroke(40, 128), stroke(45, 128)).item() == 1.0
    assert lines_kept(stroke(40, 128), stroke(46, 128)).item() == 0.0


def test_blank_paper():
    """Nothing kept and nothing invented on it; of it, there is nothing to keep."""
    assert lines_kept(square(), paper()).tolist() == [0.0]
    assert invented_edges(square(), paper()).tolist() == [0.0]
    assert lines_kept(paper(), square()).isnan().all()
    assert invented_edges(paper(), square()).tolist() == [1.0]


def test_faint_edges_count_as_kept_but_not_as_invented():
    faint = stroke(10, value=0.6)  # a fifth of the way to black
    assert lines_kept(stroke(10), faint).item() == 1.0
    assert invented_edges(stroke(40), faint).item() == 0.0


def test_lines_are_all_of_an_outline_but_only_the_border_of_an_area():
    assert torch.equal(lines(stroke(30, width=4)), ink(stroke(30, width=4)))
    assert lines(square())[0, 32, 16:19].all() and not lines(square())[0, 32, 20:44].any()


def test_half_of_the_lines():
    drawing, result = torch.minimum(stroke(10), stroke(50)), stroke(10)
    assert lines_kept(drawing, result).item() == 0.5
    assert invented_edges(result, drawing).item() == 0.5


def test_specks():
    drawing = paper()
    drawing[..., 18:46, 18] = drawing[..., 18:46, 45] = -1
    drawing[..., 18, 18:46] = drawing[..., 45, 18:46] = -1  # an empty box
    result = square()

    def with_spot(rows, columns, value=-1.0):
        spotted = result.clone()
        spotted[..., rows, columns] = value
        return spotted

    far, near, within = slice(2, 4), slice(13, 15), slice(30, 32)
    assert has_speck(drawing, with_spot(far, far)).tolist() == [True]
    assert has_speck(drawing, with_spot(near, slice(30, 32))).tolist() == [False]
    assert has_speck(drawing, with_spot(far, far, 0.7)).tolist() == [False]  # hardly darker than paper
    assert has_speck(drawing, with_spot(slice(0, 10), slice(0, 10))).tolist() == [False]  # a thing, no speck
    assert has_speck(drawing, result).tolist() == [False]
    hollow = paper()
    hollow[..., within, within] = -1
    assert has_speck(drawing, hollow).tolist() == [False]  # inside what the lines enclose
    assert has_speck(paper(), hollow).tolist() == [True]


def face(*eyes: tuple[int, int], paint: float = 1.0, eye: float = -1.0) -> torch.Tensor:
    """A round outline with eyes of 3 x 3 pixels at (row, column); `paint` fills it."""
    rows, columns = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")
    away = ((rows - 32.0) ** 2 + (columns - 32.0) ** 2).sqrt()
    x = torch.where(away < 24, paint, 1.0).where((away - 24).abs() > 1, torch.tensor(-1.0))
    for row, column in eyes:
        x[row - 1 : row + 2, column - 1 : column + 2] = eye
    return x.expand(1, 3, 64, 64).contiguous()


def test_marks_are_kept_where_they_stay_dark_spots():
    drawing = face((28, 22), (28, 42))
    assert marks_kept(drawing, drawing).tolist() == [1.0]
    painted = face((28, 22), (29, 43), paint=0.2)
    assert marks_kept(drawing, painted).tolist() == [1.0]  # a pixel aside, in colour
    assert marks_kept(drawing, face((28, 22), paint=0.2)).tolist() == [0.5]
    assert marks_kept(drawing, face((36, 22), (36, 42), paint=0.2)).tolist() == [0.0]
    assert marks_kept(drawing, face((28, 22), (28, 42), paint=0.2, eye=0.1)).tolist() == [0.0]  # too pale
    assert marks_kept(drawing, face(paint=-0.9)).tolist() == [0.0]  # dark all over is no spot


def test_without_marks_there_is_nothing_to_keep():
    assert marks_kept(torch.cat([paper(), face()]), torch.cat([face(), face()])).isnan().all()
