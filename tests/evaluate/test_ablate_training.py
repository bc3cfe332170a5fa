"""One setting changes at a time, each run is trained once, and all networks are measured alike."""

import math
from dataclasses import asdict, replace

import pytest
import torch

from diffusion import NoiseSchedule, load_checkpoint
from diffusion.evaluate import ablate_training
from diffusion.evaluate.ablate_training import (
    BANDS,
    VARIANTS,
    Run,
    classified_on_the_page,
    runs,
    timesteps_at,
    train,
    trained,
    x0_errors,
)
from diffusion.prediction import training_target
from diffusion.train.data import load_pictures
from diffusion.train.run import parser
from fruit import TINY, draw, study_of


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return load_pictures([draw(tmp_path_factory.mktemp("fruit"))], 32, 0.4)


@pytest.fixture
def study(pictures):
    return study_of(pictures)


def test_variants_are_settings_of_train_and_differ_from_the_base(tmp_path):
    choices = {action.dest: action.choices for action in parser()._actions}
    base = asdict(TINY)
    for changes in VARIANTS.values():
        for name, value in changes.items():
            assert base[name] != value and (choices[name] is None or value in choices[name])
    planned = runs(TINY, 3)
    assert [run.config.seed for run in planned[:3]] == [0, 1, 2]
    assert {run.name for run in planned[:3]} == {"base"} and len(planned) == 3 + len(VARIANTS)
    assert len({run.path(tmp_path, 0.999) for run in planned}) == len(planned)


def test_an_average_that_watches_is_that_of_a_run_of_its_own(pictures, tmp_path):
    config = replace(TINY, dropout=0.1)
    train(Run("base", config, (0.0, 0.2)), pictures, tmp_path)
    train(Run("own", replace(config, ema_decay=0.2)), pictures, tmp_path)
    watched = load_checkpoint(tmp_path / "base-seed-0-ema-0.2.safetensors")
    own = load_checkpoint(tmp_path / "own-seed-0.safetensors")
    usual = load_checkpoint(tmp_path / "base-seed-0.safetensors")
    for a, b in zip(watched.model.parameters(), own.model.parameters()):
        torch.testing.assert_close(a, b, rtol=0, atol=0)
    assert not torch.equal(usual.model.output.weight, watched.model.output.weight)
    assert watched.training["config"] == own.training["config"] != usual.training["config"]


def test_a_run_is_trained_once_and_not_taken_for_another(pictures, tmp_path, monkeypatch):
    run = Run("base", TINY, (0.5,))
    first = trained(run, pictures, tmp_path)
    assert list(first) == [TINY.ema_decay, 0.5]
    monkeypatch.setattr(ablate_training, "train", lambda *_: pytest.fail("trained again"))
    again = trained(run, pictures, tmp_path)
    assert again[0.5].training == first[0.5].training
    with pytest.raises(ValueError, match="other settings"):
        trained(Run("base", replace(TINY, steps=4)), pictures, tmp_path)


def test_training_leaves_the_global_rng_alone(pictures, tmp_path):
    before = torch.get_rng_state()
    train(Run("base", replace(TINY, dropout=0.1)), pictures, tmp_path)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("kind", ["cosine", "linear"])
def test_the_same_level_is_the_same_noise_whatever_the_schedule(kind):
    schedule, level = NoiseSchedule(kind), torch.linspace(0.05, 0.95, 50)
    t = timesteps_at(schedule, level)
    wanted = torch.cos(level.double() * math.pi / 2) ** 2
    assert (schedule.abar(t) - wanted).abs().max() < 0.01
    assert (t.diff() > 0).all()


def test_errors_do_not_depend_on_what_the_network_predicts(study):
    """One guess at x0, predicted as x0, eps or v; and none at all for a network that knows the picture."""
    x0, labels = study.real, study.held_out.labels
    found = {}
    for prediction_type in ("sample", "epsilon", "v_prediction"):
        schedule = NoiseSchedule("cosine", 1000)

        def predicts(x, t, told, schedule=schedule, prediction_type=prediction_type):
            guess = torch.zeros_like(x) + 0.25
            return training_target(prediction_type, schedule, guess, schedule.eps_from_x0(x, guess, t), t)

        checkpoint = replace(
            study.checkpoint, model=predicts, schedule=schedule, prediction_type=prediction_type
        )
        found[prediction_type] = x0_errors(replace(study, checkpoint=checkpoint), x0, labels)
    assert len(found["sample"]) == BANDS
    truth = float((x0 - 0.25).square().mean())
    for rows in found.values():
        for row in rows[:-1]:  # at level 1 float32 has no digits left to recover x0 from eps
            assert row["value"] == pytest.approx(truth, rel=1e-3) and row["error"] > 0

    x0 = x0[:1].expand(12, -1, -1, -1)
    schedule, knows = NoiseSchedule("cosine", 1000), lambda x, t, told: x0[: len(x)]
    checkpoint = replace(study.checkpoint, model=knows, schedule=schedule, prediction_type="sample")
    assert [row["value"] for row in x0_errors(replace(study, checkpoint=checkpoint), x0, labels)] == [0] * 5


def test_pictures_are_compared_where_the_app_would_put_them(study):
    """The same things, placed anywhere: the classifier sees the same."""
    x = torch.ones(12, 3, 16, 16)
    x[..., 4:10, 3:11] = -0.5
    a, b = (classified_on_the_page(study, moved) for moved in (x, x.roll((3, 2), (2, 3))))
    torch.testing.assert_close(a.features, b.features, rtol=1e-3, atol=1e-3)
