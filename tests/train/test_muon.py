"""Muon: its steps are orthogonal, of AdamW's usual size, and lead somewhere."""

import pytest
import torch
from torch import nn

from diffusion.train.muon import A, B, C, Muon, inner_weights, orthogonalized
from diffusion.unet import UNet, UNetConfig


@pytest.mark.parametrize("shape", [(16, 144), (144, 16), (32, 32)])
def test_the_gram_form_equals_plain_newton_schulz(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x = matrix / matrix.norm()
    for _ in range(5):
        x = A * x + (B * x @ x.T + C * (x @ x.T) @ (x @ x.T)) @ x
    torch.testing.assert_close(orthogonalized(matrix), x, rtol=1e-4, atol=1e-6)


def test_singular_values_come_near_one():
    matrix = torch.randn(32, 288, generator=torch.Generator().manual_seed(1))
    u, s, vh = torch.linalg.svd(orthogonalized(matrix), full_matrices=False)
    assert 0.65 < float(s.min()) and float(s.max()) < 1.25
    u0, _, vh0 = torch.linalg.svd(matrix, full_matrices=False)
    torch.testing.assert_close(u @ vh, u0 @ vh0, atol=1e-3, rtol=0)


def test_a_step_has_the_size_of_adamws():
    weight = nn.Parameter(torch.zeros(64, 32, 3, 3))
    optimizer = Muon([weight], lr=0.1)
    weight.grad = torch.randn(weight.shape, generator=torch.Generator().manual_seed(0))
    optimizer.step()
    assert float(weight.detach().square().mean().sqrt()) == pytest.approx(0.1 * 0.2, rel=0.2)


def test_it_fits_a_convolution():
    g = torch.Generator().manual_seed(0)
    x, true = torch.randn(64, 4, 6, 6, generator=g), torch.randn(8, 4, 3, 3, generator=g)
    y = nn.functional.conv2d(x, true)
    weight = nn.Parameter(torch.zeros_like(true))
    optimizer = Muon([weight], lr=0.1)
    losses = []
    for step in range(200):
        optimizer.param_groups[0]["lr"] = 0.2 * (1 - step / 200)
        loss = (nn.functional.conv2d(x, weight) - y).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0] / 1000


def test_inner_weights_are_the_blocks_convolutions():
    model = UNet(UNetConfig(image_size=16, patch_size=2, channels=(32, 64), label_sizes=(3,), drawing=True))
    inner = {id(weight) for weight in inner_weights(model)}
    names = {name for name, weight in model.named_parameters() if id(weight) in inner}
    assert "down.0.0.block.conv1.weight" in names and "middle.0.attention.qkv.weight" in names
    assert not names & {"input.weight", "output.weight", "drawing_input.weight", "label_tables.0.weight"}
    assert all(name.endswith("weight") and "norm" not in name and "mlp" not in name for name in names)
    assert sum(w.numel() for w in inner_weights(model)) > 0.6 * sum(p.numel() for p in model.parameters())


def test_a_closure_is_called_for_the_gradient_and_its_loss_returned():
    weight = torch.nn.Parameter(torch.ones(3, 2))
    optimizer = Muon([weight], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = (weight**2).sum()
        loss.backward()
        return float(loss.detach())

    assert optimizer.step(closure) == 6.0 and weight.max() < 1
