"""The network: shapes, what its output depends on, what it costs."""

import pytest
import torch
import torch.nn.functional as F
from diffusers.models.embeddings import get_timestep_embedding
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from diffusion.blocks import Attention, GroupNorm, time_embedding
from diffusion.errors import DoodleError
from diffusion.unet import UNet, UNetConfig

SMALL = {
    "image_size": 16,
    "patch_size": 2,
    "channels": (32, 64),
    "attention": (False, True),
    "blocks": 1,
    "label_sizes": (5, 3),
}


def network(**changes) -> UNet:
    """A small network, moved off its zero start so that everything has an effect."""
    torch.manual_seed(0)
    model = UNet(UNetConfig(**{**SMALL, **changes})).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model


@pytest.fixture
def x():
    return torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("patch_size", [1, 2, 4])
def test_output_has_the_shape_of_the_input(patch_size, x):
    out = network(patch_size=patch_size)(x, torch.tensor([3, 900]), torch.tensor([[0, 1], [4, 3]]))
    assert out.shape == x.shape and out.isfinite().all()


def test_a_new_network_says_nothing(x):
    torch.manual_seed(0)
    assert torch.equal(UNet(UNetConfig(**SMALL))(x, torch.tensor([3, 900])), torch.zeros_like(x))


def test_time_and_each_label_kind_change_the_output(x):
    model = network()
    t, labels = torch.tensor([500, 500]), torch.tensor([[1, 1], [1, 1]])
    base = model(x, t, labels)
    for other in (
        model(x, t + 1, labels),
        model(x, t, labels + torch.tensor([1, 0])),
        model(x, t, labels + torch.tensor([0, 1])),
    ):
        assert (other - base).abs().max() > 1e-4


def test_no_labels_means_all_null(x):
    model = network()
    assert model.null_labels == (5, 3)
    t = torch.tensor([1, 2])
    assert torch.equal(model(x, t), model(x, t, torch.tensor([[5, 3], [5, 3]])))


def test_attention_ties_every_place_to_every_other_and_knows_no_order():
    torch.manual_seed(0)
    attention = Attention(32, head_channels=16)
    torch.nn.init.normal_(attention.out.weight)
    x = torch.randn(1, 32, 4, 4)
    probe = x.clone().requires_grad_(True)
    added = attention(probe) - probe
    added[0, :, 0, 0].sum().backward()
    assert (probe.grad.abs().sum(dim=1) > 0).all()
    order = torch.randperm(16)
    shuffled = x.flatten(2)[..., order].reshape(x.shape)
    expected = attention(x).flatten(2)[..., order].reshape(x.shape)
    torch.testing.assert_close(attention(shuffled), expected, rtol=1e-4, atol=1e-4)


def test_attention_stands_where_configured():
    def count(model):
        return sum(isinstance(module, Attention) for module in model.modules())

    # one in the middle always; level 1 has one block down and two up
    assert count(network(attention=(False, False))) == 1
    assert count(network(attention=(False, True))) == 1 + 3


def test_every_parameter_learns(x):
    model = network()
    model(x, torch.tensor([3, 900]), torch.tensor([[0, 1], [4, 3]])).square().mean().backward()
    idle = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert idle == []


def test_pictures_of_a_batch_do_not_mix(x):
    model = network()
    t, labels = torch.tensor([3, 900]), torch.tensor([[0, 1], [4, 3]])
    torch.testing.assert_close(model(x, t, labels)[1:], model(x[1:], t[1:], labels[1:]), rtol=1e-4, atol=1e-5)


def test_time_embedding_agrees_with_diffusers():
    t = torch.tensor([0, 1, 17, 999])
    expected = get_timestep_embedding(t, 64, flip_sin_to_cos=True, downscale_freq_shift=0)
    torch.testing.assert_close(time_embedding(t, 64), expected, rtol=1e-5, atol=1e-5)


def test_the_default_network_is_cheap_enough_for_two_cores():
    config = UNetConfig(label_sizes=(110, 8))
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        UNet(config)(torch.zeros(1, 3, 64, 64), torch.zeros(1))
    assert counter.get_total_flops() < 10e9


def test_a_network_with_a_learnt_variance_answers_twice_as_much(x):
    t = torch.tensor([3, 900])
    assert torch.equal(
        UNet(UNetConfig(**SMALL, learned_variance=True))(x, t), torch.zeros(2, 6, *x.shape[2:])
    )
    learned, plain = network(learned_variance=True), network()
    weights = learned.state_dict()
    half = len(weights["output.weight"]) // 2
    for name in ("output.weight", "output.bias"):
        weights[name] = weights[name][:half]
    plain.load_state_dict(weights)
    answer = learned(x, t)
    torch.testing.assert_close(answer[:, :3], plain(x, t))
    assert not torch.allclose(answer[:, 3:], answer[:, :3])


def test_details_are_added_to_what_the_rest_makes(x):
    t, labels = torch.tensor([3, 900]), torch.tensor([[0, 1], [4, 3]])
    detailed, plain = network(detail_channels=32), network()
    weights = detailed.state_dict()
    plain.load_state_dict({name: w for name, w in weights.items() if not name.startswith("details.")})
    assert (detailed(x, t, labels) - plain(x, t, labels)).abs().max() > 1e-3
    for name in ("details.output.weight", "details.output.bias"):
        weights[name].zero_()
    torch.testing.assert_close(detailed(x, t, labels), plain(x, t, labels))


@pytest.mark.parametrize("change", [{"detail_channels": 33}, {"detail_channels": 32, "patch_size": 1}])
def test_details_that_fit_no_patch_are_refused(change):
    with pytest.raises(DoodleError, match="multiple of 32|no half"):
        UNetConfig(**SMALL | {"head_channels": 32} | change)


@torch.no_grad()
def test_details_of_a_network_told_no_drawing_are_those_of_an_empty_one(x):
    model = network(detail_channels=32, drawing=True)
    model.drawing_input.weight.zero_()  # all that depends on the drawing now are the details
    t, empty, drawn = torch.tensor([3, 900]), torch.zeros(2, 4, 16, 16), torch.ones(2, 4, 16, 16)
    torch.testing.assert_close(model(x, t), model(x, t, drawing=empty))
    assert not torch.allclose(model(x, t), model(x, t, drawing=drawn), atol=1e-3)


def test_config_survives_json():
    import json

    config = UNetConfig(**SMALL)
    assert UNetConfig(**json.loads(json.dumps(config.to_dict()))) == config


@pytest.mark.parametrize(
    "bad",
    [{"image_size": 18}, {"patch_size": 3}, {"channels": (32,)}, {"channels": (40, 64)}],
)
def test_sizes_that_do_not_fit_are_refused(bad):
    with pytest.raises(ValueError):
        UNetConfig(**{**SMALL, **bad})


def test_labels_of_the_wrong_shape_are_refused(x):
    with pytest.raises(ValueError, match=r"\(B, 2\)"):
        network()(x, torch.tensor([1, 2]), torch.tensor([[1], [2]]))


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("rows", [0, 3])
def test_group_norm_agrees_with_pytorchs_and_so_do_its_gradients(rows, memory_format):
    """`rows` scales and shifts of their own, or those of the layer for all."""
    generator = torch.Generator().manual_seed(0)

    def randn(*shape):
        return torch.randn(shape, generator=generator, requires_grad=True)

    norm, x = GroupNorm(8, 32), (2 * randn(3, 32, 5, 7) + 3).to(memory_format=memory_format)
    x = x.detach().requires_grad_()
    norm.weight, norm.bias = nn.Parameter(randn(32).detach()), nn.Parameter(randn(32).detach())
    scale, shift = (randn(rows, 32), randn(rows, 32)) if rows else (None, None)
    expected = F.group_norm(x, 8, norm.weight, norm.bias, norm.eps)
    if scale is not None:
        expected = expected * (1 + scale[..., None, None]) + shift[..., None, None]
    found = norm(x, scale, shift)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    inputs = [each for each in (x, norm.weight, norm.bias, scale, shift) if each is not None]
    weights = torch.randn(found.shape, generator=generator)
    for own, theirs in zip(*(torch.autograd.grad(y, inputs, weights) for y in (found, expected))):
        torch.testing.assert_close(own, theirs, rtol=1e-4, atol=1e-4)


def test_group_norm_in_half_precision_keeps_what_lies_far_from_zero():
    x = 40 + torch.randn(2, 32, 16, 16, generator=torch.Generator().manual_seed(0))
    found = GroupNorm(8, 32)(x.bfloat16()).float()
    torch.testing.assert_close(found, F.group_norm(x.bfloat16().float(), 8), rtol=0, atol=0.3)
    assert 0.9 < found.std() < 1.1


def test_attention_agrees_with_pytorchs(x):
    attention = Attention(32, head_channels=16)
    torch.nn.init.normal_(attention.out.weight)
    h = torch.randn(2, 32, 4, 4)
    q, k, v = attention.qkv(attention.norm(h)).reshape(2, 3, 2, 16, 16).transpose(-1, -2).unbind(1)
    mixed = F.scaled_dot_product_attention(q, k, v).transpose(-1, -2).reshape(2, 32, 4, 4)
    torch.testing.assert_close(attention(h), h + attention.out(mixed), rtol=1e-4, atol=1e-5)
