"""Measures of pictures: their closed forms, their biases, and what they must say about equal pictures."""

import math
import sys

import pytest
import torch

from diffusion.evaluate.metrics import (
    frechet_distance,
    kid,
    kid_difference,
    low_pass,
    low_pass_agreement,
    mean_pairwise_distance,
    nearest_distances,
    polynomial_kernel,
    psnr,
    ssim,
)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def normal(*shape, seed=0):
    return torch.randn(shape, generator=seeded(seed), dtype=torch.float64)


def pictures(n=3, seed=0, size=16):
    return torch.rand(n, 3, size, size, generator=seeded(seed)) * 2 - 1


# ------------------------------------------------------------------ realism


def test_kid_by_hand():
    """One feature, x = {0, 1}, y = {1, 2}: k(a, b) = (ab + 1)^3.

    Within x: k(0, 1) = 1. Within y: k(1, 2) = 27. Across: k(0, 1) = k(0, 2) = 1, k(1, 1) = 8, k(1, 2) = 27.
    """
    x, y = torch.tensor([[0.0], [1.0]]).double(), torch.tensor([[1.0], [2.0]]).double()
    value, error = kid(x, y)
    assert value == pytest.approx(1 + 27 - 2 * (1 + 1 + 8 + 27) / 4)
    assert math.isnan(error)  # nothing to leave out of two pictures
    assert float(polynomial_kernel(torch.ones(1, 4), torch.ones(1, 4))[0, 0]) == 8  # x.y / d, whatever d


def test_kid_is_unbiased():
    """Two sets of one distribution: 0 on average, above and below; a biased one would never be below."""
    splits = [kid(normal(12, 4, seed=i), normal(30, 4, seed=1000 + i))[0] for i in range(400)]
    mean, error = torch.tensor(splits).mean(), torch.tensor(splits).std() / 20
    assert abs(mean) < 3 * error
    assert 0.2 < sum(value < 0 for value in splits) / len(splits) < 0.8


def test_kid_says_how_sure_it_is():
    """The jackknife's error is that of repeating the whole measurement, give or take."""
    pairs = [kid(normal(60, 4, seed=i), normal(60, 4, seed=1000 + i) + 0.5) for i in range(100)]
    values, errors = (torch.tensor(column, dtype=torch.float64) for column in zip(*pairs))
    assert 0.7 < float(errors.mean() / values.std()) < 1.5
    assert values.min() > 0  # half a deviation apart: plainly different


def test_kid_is_unbiased_where_pictures_share_their_labels():
    """Both sets told the same labels: left in, such pairs would make any two sets look alike."""
    fair, unfair = [], []
    for i in range(200):
        labels = 2 * normal(12, 4, seed=i)
        x, y = labels + normal(12, 4, seed=1000 + i), labels + normal(12, 4, seed=2000 + i)
        fair.append(kid(x, y, "abcdefghijkl", "abcdefghijkl")[0])
        unfair.append(kid(x, y)[0])
    fair, unfair = torch.tensor(fair), torch.tensor(unfair)
    assert abs(fair.mean()) < 3 * fair.std() / 200**0.5
    assert unfair.mean() < -3 * unfair.std() / 200**0.5


def test_kid_is_unbiased_with_many_frames_of_few_films():
    """x: three films of four frames each, y: twelve of one frame; films of one distribution."""
    films, values = "aaaabbbbcccc", []
    for i in range(400):
        x = normal(3, 4, seed=i).repeat_interleave(4, dim=0) + 0.1 * normal(12, 4, seed=1000 + i)
        y = normal(12, 4, seed=2000 + i) + 0.1 * normal(12, 4, seed=3000 + i)
        values.append(kid(x, y, films)[0])
    values = torch.tensor(values)
    assert abs(values.mean()) < 3 * values.std() / 20


def test_the_difference_of_two_kids_is_surer_than_either():
    """Two sets made from the same noise: what they share falls out, of the difference and of its error."""
    found = []
    for i in range(100):
        x, y = normal(60, 4, seed=i), normal(60, 4, seed=1000 + i)
        a, b = x + 0.5, x + 0.4 + 0.1 * normal(60, 4, seed=2000 + i)
        value, error = kid_difference(a, b, y)
        assert value == pytest.approx(kid(a, y)[0] - kid(b, y)[0])
        found.append((value, error, kid(a, y)[1]))
    values, errors, single = torch.tensor(found, dtype=torch.float64).unbind(1)
    assert 0.7 < float(errors.mean() / values.std()) < 1.5
    assert errors.mean() < single.mean() / 2


def test_kid_needs_two_pictures():
    with pytest.raises(ValueError, match="two pictures"):
        kid(normal(1, 4), normal(5, 4))
    with pytest.raises(ValueError, match="different things"):
        kid(normal(3, 4), normal(3, 4), "aaa", "abc")


def test_frechet_distance_of_gaussians():
    """Of diagonal Gaussians: |mu|^2 + sum (s_x - s_y)^2, and turning both changes nothing."""
    x = normal(500, 3)
    x = (x - x.mean(0)) @ torch.linalg.inv(torch.linalg.cholesky(torch.cov(x.T)).T)  # covariance 1 exactly
    scale, shift = torch.tensor([1.0, 2.0, 0.5]).double(), torch.tensor([3.0, 0.0, -4.0]).double()
    y = x * scale + shift
    assert frechet_distance(x, y) == pytest.approx(25 + 0 + 1 + 0.25, rel=1e-9)
    turn, _ = torch.linalg.qr(normal(3, 3, seed=1))
    assert frechet_distance(x @ turn, y @ turn) == pytest.approx(26.25, rel=1e-9)
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(y, x) == pytest.approx(frechet_distance(x, y), rel=1e-9)


@pytest.mark.slow  # torchmetrics takes seconds to import
def test_on_independent_pictures_torchmetrics_says_the_same():
    """It knows no groups and no error; its value is ours where all pictures are of different things."""
    peer = pytest.importorskip("torchmetrics.image.kid")
    for m, n, features in ((12, 30, 4), (40, 40, 16)):
        x, y = normal(m, features), normal(n, features, seed=1) + 0.5
        if m == n:  # it takes both sets to be of one size
            assert kid(x, y)[0] == pytest.approx(float(peer.poly_mmd(x, y)), rel=1e-9)
        fid = pytest.importorskip("torchmetrics.image.fid")._compute_fid
        theirs = fid(x.mean(0), torch.cov(x.T), y.mean(0), torch.cov(y.T))
        assert frechet_distance(x, y) == pytest.approx(float(theirs), rel=1e-6)


# ------------------------------------------------------------------ faithfulness


def test_a_picture_agrees_with_itself():
    x = pictures()
    l2, correlation = low_pass_agreement(x, x)
    assert l2.tolist() == [0, 0, 0]
    torch.testing.assert_close(correlation, torch.ones(3).double())
    _, opposite = low_pass_agreement(x, -x)
    torch.testing.assert_close(opposite, -torch.ones(3).double())


def test_detail_does_not_count_but_layout_does():
    """What averages out within blocks is not seen; a shift of the whole brightness is, by L2 alone."""
    x = pictures() / 2
    detail = torch.tensor([[0.1, -0.1], [-0.1, 0.1]]).tile(8, 8)
    assert low_pass(x).shape == (3, 3, 8, 8)
    l2, correlation = low_pass_agreement(x, x + detail)
    assert l2.max() < 1e-6 and correlation.min() > 0.999
    l2, correlation = low_pass_agreement(x, x + 0.3)
    torch.testing.assert_close(l2, torch.full((3,), 0.3).double(), rtol=1e-5, atol=1e-5)
    assert correlation.min() > 0.999
    _, flat = low_pass_agreement(x, torch.zeros_like(x))
    assert flat.tolist() == [0, 0, 0]  # not nan


# ------------------------------------------------------------------ memory


def test_a_training_picture_is_its_own_nearest():
    bank = (torch.rand(20, 3, 8, 8, generator=seeded()) * 255).to(torch.uint8)
    x = bank[[7, 3]].float() / 127.5 - 1
    distances, index = nearest_distances(x, bank, chunk=6)
    assert index.tolist() == [7, 3] and distances.max() < 1e-6
    distances, index = nearest_distances(x + 0.1, bank, chunk=6)
    assert index.tolist() == [7, 3]
    torch.testing.assert_close(distances, torch.tensor([0.1, 0.1]), rtol=1e-4, atol=1e-4)


def test_nearest_is_the_smallest_of_all_distances():
    x, bank = normal(5, 4), normal(50, 4, seed=1)
    distances, index = nearest_distances(x, bank, chunk=7)
    every = (x[:, None] - bank[None]).square().mean(2).sqrt()
    assert torch.equal(index, every.argmin(1))
    torch.testing.assert_close(distances.double(), every.min(1).values, rtol=1e-5, atol=1e-6)


def test_pairwise_distance():
    assert mean_pairwise_distance(torch.ones(4, 3, 2, 2)) == 0
    x = torch.tensor([[0.0, 0.0], [2.0, 2.0], [2.0, 2.0]])
    assert mean_pairwise_distance(x) == pytest.approx((2 + 2 + 0) / 3)


# ------------------------------------------------------------------ restoration


def test_psnr_and_ssim_of_equal_pictures():
    x = pictures()
    assert torch.isinf(psnr(x, x)).all()
    torch.testing.assert_close(ssim(x, x), torch.ones(3).double())


def test_psnr_is_that_of_8_bit_pictures():
    """One grey level off everywhere: 20 log10(255) dB."""
    x = pictures() / 2
    expected = torch.full((3,), 20 * math.log10(255)).double()
    torch.testing.assert_close(psnr(x + 2 / 255, x), expected, rtol=1e-4, atol=1e-4)


def test_ssim_falls_with_noise_and_forgives_brightness():
    x = pictures(size=32)
    noise = torch.randn(x.shape, generator=seeded(1))
    little, much = ssim(x + 0.1 * noise, x), ssim(x + 0.5 * noise, x)
    assert (little < 1).all() and (much < little).all()
    assert (ssim(x + 0.1, x) > little).all()  # as far off in PSNR, but nothing changed its shape


def test_ssim_names_the_package_it_needs(monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage.metrics", None)
    with pytest.raises(ValueError, match="pip install scikit-image"):
        ssim(pictures(), pictures())
