"""What an edit tells the network: labels for each picture, and the drawing where it has learnt to look."""

from dataclasses import replace

import pytest
import torch

from conftest import tiny_checkpoint
from diffusion import Condition, Sampling, UNet, edit
from diffusion.sampler import randn
from diffusion.sdedit import calmed
from toys import result, seeded


@pytest.fixture
def checkpoint():
    return tiny_checkpoint()


@pytest.fixture
def drawing():
    return torch.rand(1, 3, 16, 16, generator=seeded(9)) * 2 - 1


def test_each_picture_may_be_told_something_else(checkpoint, drawing):
    labels = [{"subject": "cat"}, {"subject": "apple", "style": "noto"}]
    condition = Condition.cat([Condition.of(checkpoint, told) for told in labels])
    together = result(
        checkpoint, drawing.expand(2, -1, -1, -1), condition, generator=[seeded(), seeded()], strength=0.8
    )
    for told, picture in zip(labels, together):
        alone = result(checkpoint, drawing, told, generator=seeded(), strength=0.8)
        torch.testing.assert_close(picture, alone[0], rtol=1e-4, atol=1e-4)
    from_nothing = result(checkpoint, None, condition, generator=seeded(), strength=1.0)
    assert from_nothing.shape == (2, 3, 16, 16)


@pytest.fixture
def looking(checkpoint):
    """A checkpoint that has learnt to look at a drawing, and what its network is told: (labels, drawing)."""
    model = UNet(replace(checkpoint.model.config, drawing=True)).eval()
    model.load_state_dict(checkpoint.model.state_dict(), strict=False)
    torch.nn.init.constant_(model.drawing_input.weight, 0.05)
    told = []
    model.register_forward_pre_hook(
        lambda _, args, kwargs: told.append((args[2], kwargs.get("drawing"))), with_kwargs=True
    )
    return replace(checkpoint, model=model), told


def test_a_network_that_looks_is_told_the_uncovered_drawing(looking, drawing):
    looking, told = looking
    dials = {"generator": seeded(), "strength": 1.0, "steps": 3}
    picture = result(looking, drawing, {"subject": "cat"}, **dials)
    labels, drawings = told[0]
    assert labels.tolist() == [[4, 3], [1, 3]], "the twin is told no label"
    for part in drawings:  # and the same drawing, also where nothing of it is in the noise
        assert torch.equal(part[:3], drawing[0]) and (part[3] == 1).all()
    assert not torch.equal(picture, result(looking, -drawing, {"subject": "cat"}, **dials))


def test_nothing_is_told_of_a_drawing_where_there_is_none_or_someone_says_so(looking, drawing):
    looking, told = looking
    dials = {"strength": 1.0, "steps": 3}
    from_nothing = result(looking, None, {"subject": "cat"}, generator=seeded(), **dials)
    untold = Condition.of(looking, {"subject": "cat"}).with_drawing(drawing).without_drawing()
    of_a_drawing = result(looking, drawing, untold, generator=seeded(), **dials)
    assert told[0][1] is None and not told[-1][1].any()
    torch.testing.assert_close(of_a_drawing, from_nothing)


def test_only_the_noise_over_a_drawing_that_is_told_is_calmed(looking, drawing):
    looking, _ = looking
    seen = []
    looking.model.register_forward_pre_hook(lambda _, args: seen.append(args[0][:1]))
    eps, forgotten = randn(drawing.shape, seeded()), Condition.of(looking).with_drawing(drawing)
    for temperature in (0.0, 0.25, 1.0):
        for told, noise in ((None, calmed(eps, temperature)), (forgotten.without_drawing(), eps)):
            step = next(edit(looking, drawing, told, Sampling(0.6, temperature=temperature), seeded()))
            torch.testing.assert_close(seen[-1], looking.schedule.add_noise(drawing, noise, step.t))


def test_a_network_that_does_not_look_is_not_told(checkpoint, drawing):
    result(checkpoint, drawing, generator=seeded())  # it would refuse
    with pytest.raises(ValueError, match="no input for a drawing"):
        result(checkpoint, drawing, Condition.of(checkpoint).with_drawing(drawing), generator=seeded())
