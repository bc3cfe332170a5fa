"""Guidance by a classifier's gradient: Bayes' rule, on data whose scores are known in closed form."""

from dataclasses import dataclass, replace
from functools import partial

import pytest
import torch
from torch import Tensor

from conftest import tiny_checkpoint
from diffusion import Condition, Denoiser, NoiseSchedule, Sampling, edit, load_checkpoint, save_checkpoint
from diffusion.__main__ import main
from diffusion.classifier import ClassifierError, save_classifier
from diffusion.classifier_guidance import ByClassifier
from diffusion.denoiser import unguided
from diffusion.errors import DoodleError
from diffusion.evaluate.fit import check_impartial
from diffusion.guidance import ClassifierFree, Within
from diffusion.guide import check_steers
from diffusion.page.choices import find_checkpoints
from diffusion.prediction import PREDICTION_TYPES, training_target
from diffusion.sampler import sample
from diffusion.schedule import SCHEDULES
from diffusion.solver import DDIM, DDPM
from diffusion.timesteps import spaced_timesteps
from diffusion.train.data import load_pictures
from fruit import classifier_for, draw, study_of
from toys import noise, seeded

MEANS = torch.tensor(
    [[-0.6, 0.4], [0.5, 0.1], [0.2, -0.7]], dtype=torch.float64
)  # of three kinds of pictures
DEVIATION = 0.15
LABELS, NULL = torch.tensor([[0], [1], [2], [2]]), torch.tensor([3])


def log_densities(schedule, x, t) -> Tensor:
    """log p(x_t | y) of each kind, but for a constant: (B, 3). Pictures are (B, 1, 1, 2)."""
    alpha, sigma = schedule.alpha(t, like=x), schedule.sigma(t, like=x)
    variance = (alpha * DEVIATION) ** 2 + sigma**2
    apart = x.unsqueeze(1) - alpha.unsqueeze(1) * MEANS.reshape(1, 3, 1, 1, 2)
    return (-apart.square() / (2 * variance.unsqueeze(1))).flatten(2).sum(2)


def eps_of(schedule, x, t, log_density) -> Tensor:
    """-sigma grad log p(x_t)."""
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        (score,) = torch.autograd.grad(log_density(x).sum(), x)
    return -schedule.sigma(t, like=x) * score


@dataclass(frozen=True)
class Exact:
    """The classifier that Bayes' rule gives: p(y | x_t) of the mixture, all kinds equally often."""

    schedule: NoiseSchedule

    def log_likelihood(self, x_t, t, labels):
        return log_densities(self.schedule, x_t, t).log_softmax(1).gather(1, labels)[:, 0]


def unconditional(schedule, prediction_type):
    """The network: exact for the mixture, and deaf to labels."""

    def model(x, t, labels):
        eps = eps_of(schedule, x, t, lambda x: log_densities(schedule, x, t).logsumexp(1))
        return training_target(prediction_type, schedule, schedule.x0_from_eps(x, eps, t), eps, t)

    return model


def guided(schedule, prediction_type, guidance):
    told = Condition(LABELS, NULL)
    model = unconditional(schedule, prediction_type)
    return Denoiser(model, schedule, prediction_type, told, guidance, clip=False)


@pytest.mark.parametrize("kind", SCHEDULES)
@pytest.mark.parametrize("prediction_type", PREDICTION_TYPES)
def test_with_the_exact_classifier_it_is_the_conditional(kind, prediction_type):
    schedule, x = NoiseSchedule(kind), noise(4, 1, 1, 2, dtype=torch.float64)
    if schedule.straight and prediction_type == "epsilon":
        return  # refused
    for t in (3, 300, 700, torch.tensor([3, 300, 700, 900])):
        seen = guided(schedule, prediction_type, ByClassifier(Exact(schedule))).see(x, t)
        conditional = eps_of(schedule, x, t, lambda x, t=t: log_densities(schedule, x, t).gather(1, LABELS))
        torch.testing.assert_close(seen.eps, conditional, rtol=1e-7, atol=1e-7)
        torch.testing.assert_close(schedule.add_noise(seen.x0, seen.eps, t), x)
        assert not seen.x0.requires_grad and seen.share is None


@pytest.mark.parametrize("prediction_type", PREDICTION_TYPES)
def test_the_scale_multiplies_the_gradient_and_0_is_off(prediction_type):
    schedule, x = NoiseSchedule(), noise(4, 1, 1, 2, dtype=torch.float64)
    of = partial(guided, schedule, prediction_type)
    eps = [of(ByClassifier(Exact(schedule), scale))(x, 500)[1] for scale in (0, 1, 2.5)]
    torch.testing.assert_close(eps[0], of(unguided)(x, 500)[1])
    torch.testing.assert_close(eps[2] - eps[0], 2.5 * (eps[1] - eps[0]))
    assert (eps[1] - eps[0]).abs().max() > 0.01


def test_what_a_classifier_says_of_noise_alone_is_left_out():
    schedule, x = NoiseSchedule(), noise(4, 1, 1, 2, dtype=torch.float64)
    steered, free = (guided(schedule, "sample", each) for each in (ByClassifier(Exact(schedule)), unguided))
    assert torch.equal(steered(x, 999)[0], free(x, 999)[0]) and not torch.equal(
        steered(x, 900)[0], free(x, 900)[0]
    )
    t = torch.tensor([999, 999, 900, 900])
    assert (steered(x, t)[0] == free(x, t)[0]).flatten(1).all(1).tolist() == [True, True, False, False]


def test_it_steers_below_a_share_of_the_noise_levels_and_asks_nobody_above():
    schedule, x = NoiseSchedule(), noise(4, 1, 1, 2, dtype=torch.float64)
    asked = []

    class Counted(Exact):
        def log_likelihood(self, x_t, t, labels):
            asked.append(t)
            return super().log_likelihood(x_t, t, labels)

    everywhere, below, free = (
        guided(schedule, "sample", each)
        for each in (ByClassifier(Exact(schedule)), ByClassifier(Counted(schedule), below=0.6), unguided)
    )
    for t, as_if in ((599, everywhere), (600, free), (900, free)):
        assert torch.equal(below(x, t)[0], as_if(x, t)[0])
    assert len(asked) == 1
    t = torch.tensor([599, 600, 100, 900])
    steered = (below(x, t)[0] == everywhere(x, t)[0]).flatten(1).all(1).tolist()
    assert steered == [True, False, True, False]


def test_where_nothing_of_the_picture_is_left_it_stays_as_it_is():
    """The straight path ends with alpha 0, which nothing may be divided by."""
    schedule, x = NoiseSchedule("straight"), noise(4, 1, 1, 2, dtype=torch.float64)
    half = lambda x, t, labels: x / 2
    guidance = ByClassifier(Exact(schedule))
    denoiser = Denoiser(half, schedule, "sample", Condition(LABELS, NULL), guidance, clip=False)
    assert torch.equal(denoiser(x, 999)[0], x / 2) and not torch.equal(denoiser(x, 900)[0], x / 2)


def test_it_samples_the_kind_asked_for():
    """A network that knows the mixture alone, DDIM in 100 steps: all pictures are of their kind."""
    schedule, n = NoiseSchedule("linear"), 600
    labels = torch.arange(3).repeat(n // 3)[:, None]
    denoiser = Denoiser(
        unconditional(schedule, "epsilon"), schedule, "epsilon", Condition(labels, NULL),
        ByClassifier(Exact(schedule)), clip=False,
    )  # fmt: skip
    *_, last = sample(denoiser, noise(n, 1, 1, 2, dtype=torch.float64), spaced_timesteps(100, 999), DDIM())
    for kind in range(3):
        made = last.x[labels[:, 0] == kind].reshape(-1, 2)
        torch.testing.assert_close(made.mean(0), MEANS[kind], rtol=0, atol=0.05)
        torch.testing.assert_close(made.std(0), torch.full((2,), DEVIATION).double(), rtol=0.15, atol=0)


def test_in_ancestral_sampling_it_is_algorithm_1():
    """The mean moves by s Sigma grad, Sigma = beta, but for the factor 1 / sqrt(1 - beta)."""
    schedule, x, s = NoiseSchedule(), noise(4, 1, 1, 2, dtype=torch.float64), 1.7
    by = ByClassifier(Exact(schedule), s)
    steered, free = (guided(schedule, "epsilon", each) for each in (by, unguided))
    for t in (5, 200, 800):
        to, instead_of = (
            DDPM("large").step(denoiser, x, denoiser.see(x, t), t, t - 1, torch.zeros_like(x))
            for denoiser in (steered, free)
        )
        beta = schedule.betas[t]
        expected = s * beta * by.gradient(steered, x, t) / (1 - beta).sqrt()
        torch.testing.assert_close(to - instead_of, expected, rtol=1e-6, atol=1e-9)


# ------------------------------------------------------------------ with networks


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return load_pictures([draw(tmp_path_factory.mktemp("fruit"))], 32, 0.4)


@pytest.fixture(scope="module")
def judge(pictures):
    return classifier_for(pictures)


def test_the_classifier_finds_what_it_steered_towards(pictures, judge):
    """A trained one would, and so does this random one; on top of classifier-free guidance."""
    checkpoint = tiny_checkpoint(pictures.label_names, [])
    labels = {"subject": "pear", "style": "flat"}
    drawing = torch.zeros(6, 3, 16, 16)
    found = []
    for scale in (0.0, 20.0):
        guidance = ByClassifier(judge, scale, ClassifierFree(2.0))
        *_, last = edit(checkpoint, drawing, labels, Sampling(0.8, 10, guidance), seeded())
        told = checkpoint.encode_labels(labels, 6)
        found.append(judge.log_likelihood(last.x, torch.zeros(6), told))
    *_, free = edit(checkpoint, drawing, labels, Sampling(0.8, 10, 2.0), seeded())
    assert float((found[1] - found[0]).min()) > 0.01
    torch.testing.assert_close(found[0], judge.log_likelihood(free.x, torch.zeros(6), told))


def test_a_label_that_is_not_told_does_not_count_and_a_learnt_variance_stays(pictures, judge):
    checkpoint = tiny_checkpoint(pictures.label_names, [], learned_variance=True)
    x = noise(2, 3, 16, 16)
    none, one = (Condition.of(checkpoint, labels, 2) for labels in ({}, {"subject": "pear"}))
    by = ByClassifier(judge, 5.0)
    plain, untold = (Denoiser.of(checkpoint, none, g).see(x, 400) for g in (ByClassifier(judge, 0), by))
    torch.testing.assert_close(untold.x0, plain.x0)
    told, unsteered = (Denoiser.of(checkpoint, one, g).see(x, 400) for g in (by, ByClassifier(judge, 0)))
    assert not torch.allclose(told.x0, unsteered.x0) and torch.equal(told.share, unsteered.share)


def test_what_does_not_fit_is_refused(pictures, judge):
    fits = tiny_checkpoint(pictures.label_names, [])
    check_steers(judge, fits)
    for other, message in (
        (tiny_checkpoint(), "different labels"),
        (tiny_checkpoint(pictures.label_names, [], image_size=32), "looks at 16 pixels"),
    ):
        with pytest.raises(ClassifierError, match=message):
            check_steers(judge, other)
    fits.schedule = NoiseSchedule("linear")
    with pytest.raises(ClassifierError, match="noise schedule"):
        check_steers(judge, fits)


def test_the_guide_lies_beside_the_checkpoint_and_others_guides_do_too(pictures, judge, tmp_path):
    fits, other = tiny_checkpoint(pictures.label_names, []), tiny_checkpoint()
    save_checkpoint(tmp_path / "fits.safetensors", fits)
    save_checkpoint(tmp_path / "other.safetensors", other)
    assert load_checkpoint(tmp_path / "fits.safetensors").guide is None
    (tmp_path / "guide").mkdir()
    save_classifier(tmp_path / "guide" / "b.safetensors", judge)
    save_classifier(tmp_path / "guide" / "a.safetensors", replace(judge, schedule=NoiseSchedule("linear")))
    found = load_checkpoint(tmp_path / "fits.safetensors")
    assert found.guide.schedule == judge.schedule and found.computing("bf16").guide is found.guide
    assert load_checkpoint(tmp_path / "other.safetensors").guide is None
    (tmp_path / "guide" / "a.safetensors").write_bytes(b"no classifier")
    with pytest.raises(ClassifierError, match="a.safetensors"):
        load_checkpoint(tmp_path / "fits.safetensors")
    assert load_checkpoint(tmp_path / "fits.safetensors", guide=False).guide is None
    loaded, (problem,) = find_checkpoints(tmp_path)  # the page says it once, and takes the models without it
    assert sorted(loaded) == ["fits", "other"] and "guide" in problem


def test_a_checkpoint_with_a_guide_is_steered_by_it_as_strongly_as_the_sampling_says(pictures, judge):
    plain = tiny_checkpoint(pictures.label_names, [])
    guided_by = replace(plain, guide=judge)
    drawing, labels = torch.zeros(2, 3, 16, 16), {"subject": "pear"}

    def made(checkpoint, labels=labels, **how):
        *_, last = edit(checkpoint, drawing, labels, Sampling(0.8, 6, **how), seeded())
        return last.x

    explicit = made(plain, guidance=ByClassifier(judge, 7.0, ClassifierFree(2.0)))
    assert torch.equal(made(guided_by, steering=7.0), explicit)
    assert torch.equal(made(guided_by, steering=0.0), made(plain)) and not torch.equal(explicit, made(plain))
    assert torch.equal(made(guided_by, labels={}), made(plain, labels={})), "towards nothing"
    for wrong in (-1.0, float("nan"), float("inf")):
        with pytest.raises(DoodleError, match="Steering"):
            Sampling(steering=wrong)
        with pytest.raises(DoodleError, match="Steered_below must be between 0 and 1"):
            Sampling(steered_below=wrong)


def test_a_sampling_steers_where_it_says(pictures, judge):
    checkpoint = replace(tiny_checkpoint(pictures.label_names, []), guide=judge)

    def made(**how):
        *_, last = edit(
            checkpoint, torch.zeros(1, 3, 16, 16), {"subject": "pear"}, Sampling(1.0, 5, **how), seeded()
        )
        return last.x  # timesteps 999, 799, 599, 399, 199

    by, free = partial(ByClassifier, judge, 10.0), ClassifierFree(2.0)
    assert torch.equal(made(), made(guidance=by(free, 0.9), steering=0.0))
    assert torch.equal(made(steered_below=0.6), made(guidance=by(free, 0.6), steering=0.0))
    assert torch.equal(made(steered_below=0.0), made(steering=0.0))
    assert torch.equal(made(steered_below=0.8), made()), "no timestep lies between"
    assert not torch.equal(made(steered_below=0.6), made())


def test_pictures_steered_together_have_a_scale_each(pictures, judge):
    checkpoint = tiny_checkpoint(pictures.label_names, [])
    condition = Condition.of(checkpoint, {"subject": "pear"}, 3)
    x, scales = noise(3, 3, 16, 16), (0.0, 3.0, 20.0)
    together = Denoiser.of(checkpoint, condition, ByClassifier(judge, scales)).see(x, 400).x0
    for i, scale in enumerate(scales):
        one = slice(i, i + 1)
        alone = Denoiser.of(checkpoint, condition[one], ByClassifier(judge, scale)).see(x[one], 400).x0
        torch.testing.assert_close(together[one], alone)


def test_an_evaluation_does_not_let_the_guide_judge(pictures, judge):
    other = classifier_for(pictures)
    with torch.no_grad():
        next(other.model.parameters()).add_(1)
    for guidance in (2.0, ClassifierFree(2.0), ByClassifier(other), Within(ByClassifier(other), 0, 500)):
        check_impartial(guidance, judge)
    own = ByClassifier(judge)
    for guidance in (own, Within(own, 0, 500), ByClassifier(other, 1.0, own)):
        with pytest.raises(ClassifierError, match="another one"):
            check_impartial(guidance, judge)
    study = study_of(pictures)
    for biased in (
        replace(study, guidance=ByClassifier(judge)),
        replace(study, checkpoint=replace(study.checkpoint, guide=study.classifier)),
    ):
        with pytest.raises(ClassifierError, match="another one"):
            biased.generated


def test_the_command_line(pictures, judge, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    save_checkpoint("tiny.safetensors", tiny_checkpoint(pictures.label_names, []))
    save_classifier("judge.safetensors", judge)
    usual = ["-", "out.png", "--checkpoint", "tiny.safetensors", "--steps", "4"]
    steered = [*usual, "--subject", "pear", "--classifier", "judge.safetensors"]

    def made(*argv):
        assert main([*argv]) == 0
        return (tmp_path / "out.png").read_bytes()

    plain = made(*usual, "--subject", "pear")
    assert made(*steered, "--steering", "0") == plain
    assert made(*steered, "--steering", "30") != plain
    assert made(*steered, "--steered-below", "0") == plain
    (tmp_path / "guide").mkdir()
    save_classifier("guide/mine.safetensors", judge)
    assert made(*usual, "--subject", "pear") == made(*steered) != plain, "the one beside it, and as strong"
    capsys.readouterr()
    for argv, message in (
        ([*usual, "--classifier", "judge.safetensors"], "say what it should be"),
        ([*usual, "--subject", "pear", "--classifier", "none.safetensors"], "none.safetensors"),
    ):
        assert main(argv) == 2
        error = capsys.readouterr().err
        assert message in error and error.count("\n") == 1
