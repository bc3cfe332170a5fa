"""The classifier travels in a file, and counts what it names right."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from conftest import tiny_checkpoint
from diffusion import save_checkpoint
from diffusion.classifier import (
    ClassifierError,
    load_classifier,
    log_likelihood,
    log_prior,
    save_classifier,
    top_k_correct,
)
from diffusion.evaluate.judge import held_out_accuracy
from diffusion.train.data import load_pictures
from fruit import classifier_for, draw_shapes


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return load_pictures([draw_shapes(tmp_path_factory.mktemp("shapes"))], 32, 1 / 6)


@pytest.fixture
def classifier(pictures):
    return classifier_for(pictures)


def test_a_file_brings_back_the_same_classifier(classifier, tmp_path):
    classifier.credits = ["Pictures of shapes, CC0"]
    save_classifier(tmp_path / "deep" / "judge.safetensors", classifier)
    again = load_classifier(tmp_path / "deep" / "judge.safetensors")
    assert again.label_names == classifier.label_names and again.training == classifier.training
    assert again.credits == ["Pictures of shapes, CC0"]
    assert again.schedule.config() == classifier.schedule.config() and again.image_size == 16
    x = torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    features = again.features(x)
    assert features.shape == (3, 32) and features.dtype == torch.float64
    torch.testing.assert_close(features, classifier.features(x), rtol=0.02, atol=0.01)  # stored as float16
    assert not list((tmp_path / "deep").glob("*.partial"))


def test_log_likelihood_adds_the_kinds_and_skips_null():
    logits = [torch.tensor([[0.0, 0.0]]), torch.tensor([[1.0, 2.0, 3.0]])]
    subject, style = torch.tensor(0.5).log(), torch.tensor([1.0, 2.0, 3.0]).log_softmax(0)[2]
    both, one, none = ([[0, 2]], [[0, 3]], [[2, 3]])
    for labels, expected in ((both, subject + style), (one, subject), (none, torch.tensor(0.0))):
        torch.testing.assert_close(log_likelihood(logits, torch.tensor(labels)), expected[None])


def test_the_likeliest_names_are_those_of_the_highest_logits_among_the_known(classifier):
    x0 = torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    (kind, names), *_ = classifier.label_names.items()
    ordered = [[names[i] for i in row] for row in classifier.logits(x0)[0].argsort(dim=1, descending=True)]
    assert classifier.likeliest(x0, kind, names, 99) == ordered
    assert classifier.likeliest(x0, kind, names, 1) == [row[:1] for row in ordered]
    known = [*names[1:], "never heard of"]
    assert classifier.likeliest(x0, kind, known, 2) == [[n for n in row if n in known][:2] for row in ordered]
    style = list(classifier.label_names)[1]
    assert set(classifier.likeliest(x0, style, classifier.label_names[style], 1)[0]) <= {
        *classifier.label_names[style]
    }


def test_what_people_often_draw_is_likelier_by_bayes_rule(classifier, tmp_path):
    x0 = torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    (kind, names), *_ = classifier.label_names.items()
    save_classifier(tmp_path / "judge.safetensors", classifier)
    for often in (set(), {names[-1], "never heard of"}, set(names)):
        (tmp_path / "often.txt").write_text("\n".join(often))
        prior = log_prior(names, often)
        if 0 < len(often & set(names)) < len(names):
            torch.testing.assert_close(prior.exp().sum(), torch.tensor(1.0))
            assert prior.argmax() == len(names) - 1
        else:
            assert not prior.any(), "no name is likelier than others"
        told = load_classifier(tmp_path / "judge.safetensors")
        posterior = told.logits(x0)[0].softmax(1) * prior.exp()
        ordered = [[names[i] for i in row] for row in posterior.argsort(dim=1, descending=True)]
        assert told.likeliest(x0, kind, names, 99) == ordered


def test_of_names_or_kinds_that_it_does_not_know_the_classifier_says_nothing(classifier):
    x0 = torch.zeros(2, 3, 16, 16)
    kind = next(iter(classifier.label_names))
    assert classifier.likeliest(x0, kind, ["never heard of"], 3) == [[], []]
    assert classifier.likeliest(x0, "class", classifier.label_names[kind], 3) == [[], []]


def test_top_k():
    logits, labels = torch.tensor([[0.0, 2.0, 1.0]] * 3), torch.tensor([1, 2, 0])
    assert top_k_correct(logits, labels).tolist() == [True, False, False]
    assert top_k_correct(logits, labels, 2).tolist() == [True, True, False]
    assert top_k_correct(logits, labels, 5).all()  # no more than there are


def test_nothing_held_out_is_no_accuracy(classifier, pictures):
    assert held_out_accuracy(classifier, pictures.train()) == {}


def test_the_shipped_judge_sees_what_it_always_saw():
    judge = load_classifier(Path(__file__).parents[1] / "checkpoints" / "judge" / "judge-64.safetensors")
    red = torch.tensor([0.6, -0.6, -0.6])[None, :, None, None].expand(1, 3, 64, 64)
    features = judge.features(red)
    assert features.shape == (1, 192) and judge.image_size == 64
    assert float(features.norm()) == pytest.approx(14.76485, rel=1e-3)


def test_files_that_are_no_judge(tmp_path):
    with pytest.raises(ClassifierError, match="no judge at"):
        load_classifier(tmp_path / "none.safetensors")
    (tmp_path / "text.safetensors").write_text("hello")
    with pytest.raises(ClassifierError, match="damaged"):
        load_classifier(tmp_path / "text.safetensors")
    save_checkpoint(tmp_path / "model.safetensors", tiny_checkpoint())
    with pytest.raises(ClassifierError, match="not made by diffusion.evaluate.judge"):
        load_classifier(tmp_path / "model.safetensors")
    save_file({}, tmp_path / "empty.safetensors", metadata={"format": "doodle-judge 1", "judge": "{}"})
    with pytest.raises(ClassifierError, match="do not fit"):
        load_classifier(tmp_path / "empty.safetensors")
