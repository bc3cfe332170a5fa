"""A guide, the classifier that steers a checkpoint: beside it, in a run, on the command line."""

from dataclasses import replace
from functools import partial

import pytest
import torch

from conftest import tiny_checkpoint
from diffusion import Condition, Denoiser, NoiseSchedule, Sampling, edit, load_checkpoint, save_checkpoint
from diffusion.__main__ import main
from diffusion.classifier import ClassifierError, save_classifier
from diffusion.classifier_guidance import ByClassifier
from diffusion.errors import DoodleError
from diffusion.evaluate.fit import check_impartial
from diffusion.guidance import ClassifierFree, Within
from diffusion.guide import check_steers
from diffusion.page.choices import find_checkpoints
from diffusion.train.data import load_pictures
from fruit import classifier_for, draw, study_of
from toys import noise, seeded


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
