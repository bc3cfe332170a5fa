"""The running average of the weights."""

import copy

import pytest
import torch
from torch import nn

from diffusion import EMA


def test_average_is_the_written_out_sum():
    model = nn.Linear(1, 1, bias=False)
    ema = EMA(model, decay=0.5)
    expected = model.weight.detach().clone()
    for step, value in enumerate([1.0, -2.0, 5.0]):
        nn.init.constant_(model.weight, value)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * value
        ema.update(model)
        torch.testing.assert_close(ema.model.weight, expected)


def test_constant_weights_stay_and_the_model_is_not_touched():
    model = nn.Linear(3, 3)
    before = copy.deepcopy(model.state_dict())
    ema = EMA(model, 0.9)
    for _ in range(5):
        ema.update(model)
    for name, value in before.items():
        torch.testing.assert_close(ema.model.state_dict()[name], value)
        assert torch.equal(model.state_dict()[name], value)
    assert not ema.model.weight.requires_grad and not ema.model.training


def test_going_on_from_a_saved_state_is_exact():
    model = nn.Linear(2, 2)
    a, b = EMA(model, 0.9), EMA(model, 0.9)
    nn.init.ones_(model.weight)
    a.update(model)
    b.load_state_dict(copy.deepcopy(a.state_dict()))
    nn.init.zeros_(model.weight)
    a.update(model), b.update(model)
    assert torch.equal(a.model.weight, b.model.weight)


@pytest.mark.parametrize("decay", [-0.1, 1.0, 2.0])
def test_a_decay_outside_its_range_is_refused(decay):
    with pytest.raises(ValueError):
        EMA(nn.Linear(1, 1), decay)
