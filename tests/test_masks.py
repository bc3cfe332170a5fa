"""What a mask means is a matter of each of its pixels; and what is no number is not drawn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from diffusion import images
from diffusion.images import to_pil


@given(st.lists(st.integers(0, 255), min_size=16, max_size=16))
def test_a_mask_means_the_same_whatever_else_is_in_it(values) -> None:
    """A pixel is free from 128 on; only in a mask of nothing but 0 and 1 from 1 on."""
    mask = np.array(values, np.uint8).reshape(4, 4)
    free = images._mask_array(Image.fromarray(mask), (4, 4))
    assert (free == (mask >= (1 if mask.max() == 1 else 128))).all()
    layer = np.dstack([mask // 2, mask // 3, mask // 4, mask])
    layer[0, 0, 3] = 0  # somewhere it is transparent
    alpha = layer[..., 3]
    free = images._mask_array(Image.fromarray(layer), (4, 4))
    assert (free == (alpha >= (1 if alpha.max() == 1 else 128))).all()


def test_a_nearly_black_mask_keeps_everything_and_nearly_opaque_is_no_layer() -> None:
    noise = np.random.default_rng(0).integers(0, 4, (16, 16)).astype(np.uint8)
    assert not images._mask_array(Image.fromarray(noise), (16, 16)).any()
    half = np.zeros((8, 8, 4), np.uint8)
    half[:, 4:], half[..., 3] = (
        255,
        254,
    )  # paper that is not quite opaque
    assert images._mask_array(Image.fromarray(half), (8, 8)).sum() == 32


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_not_drawn_black(value) -> None:
    x = torch.zeros(1, 3, 4, 4)
    x[0, 0, 0, 0] = value
    for draw in (to_pil, images.side_by_side):
        with pytest.raises(ValueError, match="no numbers"):
            draw(x)
