"""The judge: it learns, on training pictures alone; it travels in a file; its gradient points at labels."""

import pytest
import torch
from PIL import Image, ImageDraw
from safetensors.torch import save_file

from diffusion import NoiseSchedule, UNetConfig, save_checkpoint
from diffusion.evaluate.judge import (
    Judge,
    JudgeError,
    JudgeNet,
    held_out_accuracy,
    load_judge,
    log_likelihood,
    main,
    noise_levels,
    save_judge,
    top_k_correct,
    train_judge,
)
from diffusion.train.data import augment, load_pictures

SMALL = UNetConfig(
    image_size=16, patch_size=2, channels=(32, 32), blocks=1, attention=(False, True), label_sizes=(2, 2)
)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    """Circles and squares in two colours, six of each."""
    folder = tmp_path_factory.mktemp("shapes")
    for shape in ("ellipse", "rectangle"):
        for style in ("red", "blue"):
            (folder / shape / style).mkdir(parents=True)
            for i in range(6):
                image = Image.new("RGB", (32, 32), "white")
                getattr(ImageDraw.Draw(image), shape)([3 + i, 3, 25 + i, 25], fill=style)
                image.save(folder / shape / style / f"{i}x.png")
    return folder


@pytest.fixture(scope="module")
def pictures(shapes):
    return load_pictures([shapes], 32, 0.2)


@pytest.fixture(scope="module")
def judge(pictures):
    return train_judge(
        pictures, SMALL, NoiseSchedule(), steps=150, batch_size=16, augmentation="none", lr=3e-3
    )


@pytest.mark.slow
def test_it_learns_what_it_never_saw(judge):
    """Both heads name held-out shapes, clean and noisy; drowned in noise it cannot do much."""
    accuracy = judge.training["accuracy"]
    assert list(accuracy) == ["subject", "style"] and list(accuracy["style"])[0] == "0"
    for by_noise in accuracy.values():
        assert by_noise["0"] == 1.0
    assert accuracy["style"]["0.4"] == 1.0
    assert judge.training["held_out"] == 4 and judge.training["pictures"] == 20


def test_held_out_pictures_are_never_seen(pictures):
    """Garbage in their place changes nothing."""
    kinds = dict(steps=2, batch_size=4)
    spoilt = load_pictures_copy(pictures)
    spoilt.pixels[spoilt.held_out] = 0
    a = train_judge(pictures, SMALL, NoiseSchedule(), **kinds).model.state_dict()
    b = train_judge(spoilt, SMALL, NoiseSchedule(), **kinds).model.state_dict()
    assert all(torch.equal(a[name], b[name]) for name in a)


def load_pictures_copy(pictures):
    copy = pictures.subset(torch.ones(len(pictures), dtype=torch.bool))
    copy.pixels = copy.pixels.clone()
    return copy


def test_training_leaves_the_global_rng_alone(pictures):
    before = torch.get_rng_state()
    train_judge(pictures, SMALL, NoiseSchedule(), steps=1, batch_size=4)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.slow
def test_time_is_looked_at(judge):
    x = torch.rand(2, 3, 16, 16, generator=seeded()) * 2 - 1
    early, late = judge.logits(x, 0), judge.logits(x, 900)
    assert not torch.allclose(early[0], late[0], atol=1e-3)


@pytest.mark.slow
def test_a_file_brings_back_the_same_judge(judge, tmp_path):
    judge.credits = ["Pictures of shapes, CC0"]
    save_judge(tmp_path / "deep" / "judge.safetensors", judge)
    again = load_judge(tmp_path / "deep" / "judge.safetensors")
    assert again.label_names == judge.label_names and again.training == judge.training
    assert again.credits == ["Pictures of shapes, CC0"]
    assert again.schedule.config() == judge.schedule.config() and again.image_size == 16
    x = torch.rand(3, 3, 16, 16, generator=seeded()) * 2 - 1
    features = again.features(x)
    assert features.shape == (3, 32) and features.dtype == torch.float64
    torch.testing.assert_close(features, judge.features(x), rtol=0.02, atol=0.01)  # stored as float16
    assert not list((tmp_path / "deep").glob("*.partial"))


def test_log_likelihood_adds_the_kinds_and_skips_null():
    logits = [torch.tensor([[0.0, 0.0]]), torch.tensor([[1.0, 2.0, 3.0]])]
    subject, style = torch.tensor(0.5).log(), torch.tensor([1.0, 2.0, 3.0]).log_softmax(0)[2]
    both, one, none = ([[0, 2]], [[0, 3]], [[2, 3]])
    for labels, expected in ((both, subject + style), (one, subject), (none, torch.tensor(0.0))):
        torch.testing.assert_close(log_likelihood(logits, torch.tensor(labels)), expected[None])


@pytest.mark.slow
def test_its_gradient_leads_towards_a_label(judge, pictures):
    """One small step along grad log p(label | x_t, t) makes the label likelier: what guidance needs."""
    x0 = augment(pictures.train().pixels[:4], 16, "none", seeded())
    x_t = judge.schedule.add_noise(x0, torch.randn(x0.shape, generator=seeded()), 300).requires_grad_()
    t, wanted = torch.full((4,), 300), torch.tensor([[1, 0]] * 4)
    before = log_likelihood(judge.model(x_t, t), wanted)
    (gradient,) = torch.autograd.grad(before.sum(), x_t)
    size = gradient.flatten(1).norm(dim=1)[:, None, None, None]
    after = log_likelihood(judge.model(x_t + 0.1 * gradient / size, t), wanted)
    assert (after > before).all()


def test_noise_levels_favour_clean_pictures():
    t = noise_levels(40_000, 1000, seeded())
    assert t.min() >= 0 and t.max() <= 999
    assert float((t < 125).double().mean()) == pytest.approx(0.5, abs=0.01)


def test_top_k():
    logits, labels = torch.tensor([[0.0, 2.0, 1.0]] * 3), torch.tensor([1, 2, 0])
    assert top_k_correct(logits, labels).tolist() == [True, False, False]
    assert top_k_correct(logits, labels, 2).tolist() == [True, True, False]
    assert top_k_correct(logits, labels, 5).all()  # no more than there are


def test_nothing_held_out_is_no_accuracy(pictures):
    judge = Judge(JudgeNet(SMALL).eval(), NoiseSchedule(), pictures.label_names)
    assert held_out_accuracy(judge, pictures.train()) == {}


def test_command_line(shapes, tmp_path, capsys):
    out = tmp_path / "judge.safetensors"
    argv = ["--data", str(shapes), "--out", str(out), "--image-size", "16", "--channels", "32"]
    assert main([*argv, "--steps", "2", "--batch-size", "4", "--hold-out", "0.2"]) == 0
    assert "style:" in capsys.readouterr().out
    assert load_judge(out).label_names == {"subject": ["ellipse", "rectangle"], "style": ["blue", "red"]}


@pytest.mark.parametrize(
    "extra, message",
    [
        (["--data", "nowhere"], "no training pictures at nowhere"),
        (["--channels", "33"], "multiple"),
        (["--schedule", "square"], "Unknown schedule"),
    ],
)
def test_mistakes_are_one_line_and_status_2(shapes, tmp_path, capsys, extra, message):
    argv = ["--data", str(shapes), "--out", str(tmp_path / "j.safetensors"), "--image-size", "16", *extra]
    assert main(argv) == 2
    error = capsys.readouterr().err
    assert error.startswith("judge: ") and message in error and error.count("\n") == 1


def test_files_that_are_no_judge(tmp_path):
    from conftest import tiny_checkpoint

    with pytest.raises(JudgeError, match="no judge at"):
        load_judge(tmp_path / "none.safetensors")
    (tmp_path / "text.safetensors").write_text("hello")
    with pytest.raises(JudgeError, match="damaged"):
        load_judge(tmp_path / "text.safetensors")
    save_checkpoint(tmp_path / "model.safetensors", tiny_checkpoint())
    with pytest.raises(JudgeError, match="not made by diffusion.evaluate.judge"):
        load_judge(tmp_path / "model.safetensors")
    save_file({}, tmp_path / "empty.safetensors", metadata={"format": "doodle-judge 1", "judge": "{}"})
    with pytest.raises(JudgeError, match="do not fit"):
        load_judge(tmp_path / "empty.safetensors")
