"""How good are the pictures? The field's measures, as plain functions of tensors.

    kid                     realism: distance between two sets of pictures    (Binkowski et al. 2018)
    frechet_distance        the same by means and covariances                 (FID, Heusel et al. 2017)
    low_pass_agreement      faithfulness: does the layout of the input stand? (after SDEdit section 4)
    nearest_distances       memory: is a picture one of the training pictures?
    mean_pairwise_distance  diversity: how far apart are pictures that were told the same?
    psnr, ssim              restoration: how near is a picture to the true one?

Sets of pictures are compared as points, float64 (N, F), in the feature space of a network. Which network is
not known here: numbers from different ones (such as published FIDs, which are Inception's) do not compare.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import DoodleError, require

JACKKNIFE_BLOCKS = 10


# ---------------------------------------------------------------------- realism


def polynomial_kernel(x: Tensor, y: Tensor) -> Tensor:
    """k(x, y) = (x.y / d + 1)^3 (Binkowski et al. 2018, section 4). (M, d), (N, d) -> (M, N)."""
    return (x @ y.T / x.shape[1] + 1) ** 3


def _mmd2(
    x: Tensor, y: Tensor, x_groups: Sequence[str] | None, y_groups: Sequence[str] | None
) -> tuple[float, Tensor]:
    """`kid`'s value, and float64 (blocks,) the values without each block in turn; none if sets are small."""
    m, n = len(x), len(y)
    names = list(x_groups or range(m)) + list(y_groups or range(m, m + n))
    number = {name: i for i, name in enumerate(dict.fromkeys(names))}
    group = torch.tensor([number[name] for name in names])
    kernel, both = polynomial_kernel(torch.cat([x, y]), torch.cat([x, y])), torch.arange(m + n)
    apart, in_x = group[:, None] != group[None, :], both < m

    def mmd2(kept: Tensor) -> float:
        def mean(rows: Tensor, columns: Tensor) -> Tensor:
            return kernel[rows][:, columns][apart[rows][:, columns]].mean()

        a, b = kept & in_x, kept & ~in_x
        return float(mean(a, a) + mean(b, b) - 2 * mean(a, b))

    value = mmd2(both >= 0)
    if not math.isfinite(value):
        raise DoodleError("KID needs at least two pictures of different things in each set.")
    blocks = min(JACKKNIFE_BLOCKS, m // 2, n // 2)
    # Every blocks-th picture, not a stretch of them: neighbours may show the same thing.
    block = torch.cat([torch.arange(m), torch.arange(n)]) % max(1, blocks)
    without = [mmd2(block != number) for number in range(blocks if blocks > 1 else 0)]
    return value, torch.tensor(without, dtype=torch.float64)


def _jackknife_error(without: Tensor) -> float:
    """The standard error from the values without each block; nan where there are none."""
    blocks = len(without)
    return float(((blocks - 1) * (without - without.mean()).square().mean()).sqrt())


def kid(
    x: Tensor, y: Tensor, x_groups: Sequence[str] | None = None, y_groups: Sequence[str] | None = None
) -> tuple[float, float]:
    """Kernel Inception Distance between two sets of features, and its standard error.

        MMD^2 = mean k(x_i, x_j) + mean k(y_i, y_j) - 2 mean k(x_i, y_j)          (Gretton et al. 2012, eq. 3)

    Unbiased: 0 on average (so at times below 0) where both sets come from one distribution, whatever their
    sizes. That is what makes it usable for a few dozen pictures, where the Frechet distance is not.

    Args:
        x, y: float64 (M, F) and (N, F); M, N >= 2.
        x_groups, y_groups: what each picture shows, if pictures are not independent: renderings of one thing,
            or a picture and another that was told its labels. Two of one group are nearer than chance, like a
            picture and itself, so such pairs are left out of all three means. Without: all different.

    Returns:
        (MMD^2, its standard error). The error is the delete-a-block jackknife's, in up to JACKKNIFE_BLOCKS
        blocks; nan below four pictures a set.

    Raises:
        DoodleError: no two pictures of different groups in a set, or between them.
    """
    value, without = _mmd2(x, y, x_groups, y_groups)
    return value, _jackknife_error(without)


def kid_difference(
    a: Tensor,
    b: Tensor,
    y: Tensor,
    groups: Sequence[str] | None = None,
    y_groups: Sequence[str] | None = None,
) -> tuple[float, float]:
    """kid(a, y) - kid(b, y), and the standard error of that difference.

    Row i of a and b are made alike but for what is compared (the same labels, the same noise), and y is the
    same, so most of what each KID may be off by is in both and falls out: the jackknife leaves its blocks out
    of all three sets together.

    Args:
        a, b: float64 (M, F) each.
        y: float64 (N, F).
        groups: of both a and b, as in `kid`; y_groups: of y.

    Raises:
        DoodleError: as `kid`.
    """
    (value_a, without_a), (value_b, without_b) = (_mmd2(x, y, groups, y_groups) for x in (a, b))
    return value_a - value_b, _jackknife_error(without_a - without_b)


def _sqrt_psd(matrix: Tensor) -> Tensor:
    """The square root of a symmetric matrix without negative eigenvalues. (F, F) -> (F, F)."""
    values, vectors = torch.linalg.eigh(matrix)
    return (vectors * values.clamp(min=0).sqrt()) @ vectors.T


def frechet_distance(x: Tensor, y: Tensor) -> float:
    """The FID formula: |mu_x - mu_y|^2 + tr(S_x + S_y - 2 (S_x S_y)^(1/2)) (Dowson & Landau 1982, eq. 4).

    Biased upwards, the more the fewer pictures: compare only numbers from sets of the same size, and only
    where there are more pictures than features.

    Args:
        x, y: float64 (M, F), (N, F).
    """
    difference = x.mean(0) - y.mean(0)
    s_x, s_y = torch.cov(x.T), torch.cov(y.T)
    # tr (S_x S_y)^(1/2) = tr (R S_y R)^(1/2), R = S_x^(1/2): this way everything stays symmetric.
    root = _sqrt_psd(s_x)
    cross = torch.linalg.eigvalsh(root @ s_y @ root).clamp(min=0).sqrt().sum()
    return float(difference @ difference + s_x.trace() + s_y.trace() - 2 * cross)


# ---------------------------------------------------------------------- faithfulness


def low_pass(x: Tensor, size: int = 8) -> Tensor:
    """What is left of a picture at `size` x `size`: the average colour of each block. (N, 3, R, R) -> ..."""
    return F.adaptive_avg_pool2d(x, size)


def low_pass_agreement(x: Tensor, y: Tensor, size: int = 8) -> tuple[Tensor, Tensor]:
    """How far the layout and colours of two sets of pictures agree, picture by picture.

    Returns:
        (L2, correlation), each (N,): the root mean square difference of the low-pass pictures, in units of
        [-1, 1]; and Pearson's correlation of their values, 0 where one of them is of one colour.
    """
    a, b = low_pass(x, size).flatten(1).double(), low_pass(y, size).flatten(1).double()
    l2 = (a - b).square().mean(1).sqrt()
    a, b = a - a.mean(1, keepdim=True), b - b.mean(1, keepdim=True)
    return l2, (a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1)).clamp(min=1e-12)


# ---------------------------------------------------------------------- memory and diversity


def nearest_distances(x: Tensor, bank: Tensor, chunk: int = 2048) -> tuple[Tensor, Tensor]:
    """The root mean square distance from each x to its nearest point of `bank`, and which that is.

    Args:
        x: (N, ...), any shape of point.
        bank: (M, ...), the same shape; uint8 pictures are read as [-1, 1], a chunk at a time.

    Returns:
        float32 (N,) and long (N,).
    """
    x = x.flatten(1).float()
    best = torch.full((len(x),), torch.inf)
    index = torch.zeros(len(x), dtype=torch.long)
    for start in range(0, len(bank), chunk):
        part = bank[start : start + chunk].flatten(1)
        part = part.float() / 127.5 - 1 if part.dtype == torch.uint8 else part.float()
        found, where = torch.cdist(x, part).min(dim=1)
        index = torch.where(found < best, where + start, index)
        best = torch.minimum(found, best)
    # cdist loses digits where points are close (it subtracts squares); look at the nearest once more.
    nearest = bank[index].flatten(1)
    nearest = nearest.float() / 127.5 - 1 if nearest.dtype == torch.uint8 else nearest.float()
    return (x - nearest).square().mean(1).sqrt(), index


def mean_pairwise_distance(x: Tensor) -> float:
    """The mean root mean square distance between two different points of a set (N, ...); N >= 2."""
    x = x.flatten(1).float()
    return float(torch.pdist(x).mean()) / x.shape[1] ** 0.5


# ---------------------------------------------------------------------- restoration


def psnr(x: Tensor, truth: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in decibels, (N, 3, R, R) in [-1, 1] -> (N,); inf for equal pictures."""
    return 10 * torch.log10(4 / (x - truth).double().square().mean(dim=(1, 2, 3)))


def ssim(x: Tensor, truth: Tensor) -> Tensor:
    """Structural similarity (Wang et al. 2004, with their Gaussian window), (N, 3, R, R) in [-1, 1] -> (N,).

    Raises:
        DoodleError: scikit-image is not installed.
    """
    structural_similarity = require("skimage.metrics", "scikit-image").structural_similarity
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    # Its brightness term compares means as a ratio, so black must be 0, not -1.
    x, truth = (x.double() + 1) / 2, (truth.double() + 1) / 2
    values = [
        structural_similarity(a.numpy(), b.numpy(), data_range=1.0, channel_axis=0, **settings)
        for a, b in zip(x, truth)
    ]
    return torch.tensor(values, dtype=torch.float64)
