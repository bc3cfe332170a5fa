"""The perceptual loss: nothing between equal pictures, little between like ones, none asked for in noise."""

from __future__ import annotations

import pytest
import torch
from tiny import CPU, draw_shapes, seeded, trainer

from diffusion import NoiseSchedule
from diffusion.classifier import Classifier, ClassifierError, ClassifierNet, save_classifier
from diffusion.errors import DoodleError
from diffusion.train.config import configure
from diffusion.train.data import load_pictures
from diffusion.train.perceptual import HIGHEST, Perceptual
from diffusion.train.run import parser
from diffusion.train.trainer import Trainer
from diffusion.unet import UNetConfig

SCHEDULE = NoiseSchedule("cosine", 100)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A classifier with random weights: random convolutions tell pictures apart, too."""
    path = tmp_path_factory.mktemp("features") / "features-16.safetensors"
    shape = UNetConfig(16, 2, (32, 32), 1, (False, False), label_sizes=(2,))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = ClassifierNet(shape).eval().requires_grad_(False)
        for parameter in network.parameters():
            if not parameter.any():
                parameter.copy_(0.05 * torch.randn(parameter.shape))
    save_classifier(path, Classifier(network, SCHEDULE, {"subject": ["a", "b"]}))
    return path


@pytest.fixture
def perceptual(file):
    return Perceptual(file, 0.5, 16, CPU)


def pictures(n=4):
    return torch.rand(n, 3, 16, 16, generator=seeded()) * 2 - 1


def test_no_distance_from_itself_and_more_the_more_it_is_changed(perceptual):
    x0 = pictures()
    noise = torch.randn(x0.shape, generator=seeded(1))
    near, far = (perceptual.distance(x0 + amount * noise, x0) for amount in (0.05, 0.5))
    assert perceptual.distance(x0, x0).abs().max() < 1e-6
    assert (near > 0).all() and (far > 2 * near).all()
    torch.testing.assert_close(perceptual.distance(x0, x0 + 0.5 * noise), far)


def test_each_picture_counts_for_itself(perceptual):
    x0, truth = pictures(), pictures().flip(0)
    together = perceptual.distance(x0, truth)
    alone = torch.cat([perceptual.distance(a[None], b[None]) for a, b in zip(x0, truth)])
    torch.testing.assert_close(together, alone)


def test_following_its_gradient_brings_a_picture_nearer(perceptual):
    truth = pictures()
    x0 = (truth + 0.3 * torch.randn(truth.shape, generator=seeded(1))).requires_grad_()
    before = perceptual.distance(x0, truth).sum()
    (gradient,) = torch.autograd.grad(before, x0)
    assert all(parameter.grad is None for parameter in perceptual.network.parameters())
    after = perceptual.distance(x0 - 0.5 * gradient / gradient.norm(), truth).sum()
    assert after < before


def test_where_nearly_all_is_noise_nothing_is_asked(perceptual):
    x0, truth = pictures(), pictures().flip(0)
    t = torch.tensor([0, 69, 70, 99])
    loss = perceptual.loss(x0, truth, t, SCHEDULE)
    assert round(HIGHEST * 100) == 70
    assert (loss[2:] == 0).all()
    torch.testing.assert_close(loss[:2], 0.5 * perceptual.distance(x0, truth)[:2])


def test_it_adds_to_the_loss_of_training_and_not_to_that_of_held_out_pictures(file, tmp_path):
    shapes = draw_shapes(tmp_path / "shapes")
    plain = trainer(shapes)
    with_it = trainer(shapes, perceptual=str(file), perceptual_weight=0.5)
    assert float(with_it.train_step()) > float(plain.train_step())
    fresh = [trainer(shapes), trainer(shapes, perceptual=str(file))]
    assert fresh[0].validation_loss() == fresh[1].validation_loss()
    assert with_it.checkpoint().training["config"]["perceptual"] == file.name


def test_a_run_that_began_without_goes_on_with_it(file, tmp_path):
    shapes = draw_shapes(tmp_path / "shapes")
    began = trainer(shapes, out=str(tmp_path / "run"))
    began.train_step()
    state = began.state_dict()
    del state["config"]["perceptual"], state["config"]["perceptual_weight"]  # of before there was any
    (tmp_path / "run").mkdir()
    torch.save(state, tmp_path / "run" / "state.pt")
    for more, expected in (([], ""), (["--perceptual", str(file)], str(file))):
        given = vars(parser().parse_args(["--out", str(tmp_path / "run"), "--resume", *more]))
        given.pop("resume")
        config = configure(given, resume=True)
        assert config.perceptual == expected and config.perceptual_weight == 0.1
        going = Trainer(config, load_pictures([shapes], 32, config.hold_out), CPU)
        going.load_state_dict(state)
        assert going.step == 1 and (going.perceptual is None) == (expected == "")


def test_files_that_do_not_fit(file, tmp_path):
    with pytest.raises(DoodleError, match="looks at 16 pixels, not at 32"):
        Perceptual(file, 0.1, 32, CPU)
    with pytest.raises(ClassifierError, match="no judge at"):
        Perceptual(tmp_path / "none.safetensors", 0.1, 16, CPU)
