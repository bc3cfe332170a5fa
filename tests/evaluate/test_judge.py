"""The judge learns, on training pictures alone, at every noise level."""

from dataclasses import replace

import pytest
import torch

from diffusion.classifier import ClassifierError, load_classifier, log_likelihood, save_classifier
from diffusion.evaluate.judge import JudgeSettings, main, noise_levels, train_classifier
from diffusion.train.data import load_pictures
from fruit import draw_shapes

SMALL = JudgeSettings(
    data=(),
    out="",
    image_size=16,
    patch_size=2,
    channels=(32, 32),
    augment="none",
    sketched=0.0,
    dropout=0.0,
    steps=150,
    batch_size=16,
    lr=3e-3,
)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    return draw_shapes(tmp_path_factory.mktemp("shapes"))


@pytest.fixture(scope="module")
def pictures(shapes):
    return load_pictures([shapes], 32, 1 / 6)


@pytest.fixture(scope="module")
def classifier(pictures):
    return train_classifier(pictures, SMALL)


@pytest.mark.slow
def test_it_learns_what_it_never_saw(classifier):
    """Both heads name held-out shapes, clean and noisy; drowned in noise it cannot do much."""
    accuracy = classifier.training["accuracy"]
    assert list(accuracy) == ["subject", "style"] and list(accuracy["style"])[0] == "0"
    for by_noise in accuracy.values():
        assert by_noise["0"] == 1.0
    assert accuracy["style"]["0.4"] == 1.0
    assert classifier.training["held_out"] == 4 and classifier.training["pictures"] == 20


def test_held_out_pictures_are_never_seen(pictures):
    """Garbage in their place changes nothing."""
    few = replace(SMALL, augment="drawing", steps=2, batch_size=4)
    spoilt = load_pictures_copy(pictures)
    spoilt.pixels[spoilt.held_out] = 0
    a = train_classifier(pictures, few).model.state_dict()
    b = train_classifier(spoilt, few).model.state_dict()
    assert all(torch.equal(a[name], b[name]) for name in a)


def load_pictures_copy(pictures):
    copy = pictures.subset(torch.ones(len(pictures), dtype=torch.bool))
    copy.pixels = copy.pixels.clone()
    return copy


def test_training_leaves_the_global_rng_alone(pictures):
    before = torch.get_rng_state()
    train_classifier(pictures, replace(SMALL, steps=1, batch_size=4))
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.slow
def test_time_is_looked_at(classifier):
    x = torch.rand(2, 3, 16, 16, generator=seeded()) * 2 - 1
    early, late = classifier.logits(x, 0), classifier.logits(x, 900)
    assert not torch.allclose(early[0], late[0], atol=1e-3)


@pytest.mark.slow
def test_its_gradient_leads_towards_a_label(classifier, pictures):
    """One small step along grad log p(label | x_t, t) makes the label likelier: what guidance needs."""
    x0 = pictures.train().x0(16)[:4]
    x_t = classifier.schedule.add_noise(x0, torch.randn(x0.shape, generator=seeded()), 300).requires_grad_()
    t, wanted = torch.full((4,), 300), torch.tensor([[1, 0]] * 4)
    before = log_likelihood(classifier.model(x_t, t), wanted)
    (gradient,) = torch.autograd.grad(before.sum(), x_t)
    size = gradient.flatten(1).norm(dim=1)[:, None, None, None]
    after = log_likelihood(classifier.model(x_t + 0.1 * gradient / size, t), wanted)
    assert (after > before).all()


def test_noise_levels_favour_clean_pictures():
    t = noise_levels(40_000, 1000, seeded())
    assert t.min() >= 0 and t.max() <= 999
    assert float((t < 125).double().mean()) == pytest.approx(0.5, abs=0.01)


def test_it_goes_on_from_another(shapes, pictures, tmp_path):
    first, other = tmp_path / "first.safetensors", tmp_path / "other.safetensors"
    started = train_classifier(pictures, replace(SMALL, steps=3))
    save_classifier(first, started)
    still = train_classifier(pictures, replace(SMALL, steps=1, lr=0.0, init_from=str(first)))
    assert still.same_as(load_classifier(first)) and still.training["steps_before"] == 3
    save_classifier(other, train_classifier(pictures, replace(SMALL, steps=1, channels=(32,))))
    with pytest.raises(ClassifierError, match="same shape"):
        train_classifier(pictures, replace(SMALL, steps=1, init_from=str(other)))


def test_command_line(shapes, tmp_path, capsys):
    out = tmp_path / "judge.safetensors"
    argv = ["--data", str(shapes), "--out", str(out), "--image-size", "16", "--channels", "32"]
    assert main([*argv, "--steps", "2", "--batch-size", "4", "--hold-out", "0.2"]) == 0
    assert "style:" in capsys.readouterr().out
    assert load_classifier(out).label_names == {"subject": ["ellipse", "rectangle"], "style": ["blue", "red"]}
