"""The ablations: one thing changes at a time, chance is known, and nothing is measured that was not made."""

import json
import math
from dataclasses import asdict, replace

import pytest
import torch

from conftest import tiny_checkpoint
from diffusion import NoiseSchedule, load_checkpoint
from diffusion.evaluate import ablate
from diffusion.evaluate.ablate import (
    BANDS,
    VARIANTS,
    KindGuidance,
    Run,
    best_strength,
    difference,
    guided_by_kind,
    main,
    runs,
    seen,
    seen_on_the_page,
    timesteps_at,
    train,
    trained,
    variations,
    x0_errors,
)
from diffusion.evaluate.ablation_page import MARK, T95, spread, write_page
from diffusion.evaluate.study import Study
from diffusion.sampler import guided
from diffusion.train.data import load_pictures
from diffusion.train.trainer import TrainConfig, parser
from test_evaluate import fruit_folder, judge_for, model_for

TINY = TrainConfig(
    out="", image_size=16, patch_size=2, channels=(32,), attention=(0,), blocks=1,
    batch_size=8, steps=3, warmup=2, precision="fp32",
)  # fmt: skip


@pytest.fixture(scope="module")
def fruit(tmp_path_factory):
    return fruit_folder(tmp_path_factory.mktemp("fruit"))


@pytest.fixture(scope="module")
def pictures(fruit):
    return load_pictures([fruit / "data"], 32, 0.4)


@pytest.fixture
def study(pictures):
    judge = judge_for(pictures)
    return Study(model_for(pictures), judge, pictures, judge.features, count=12, steps=2, precision="fp32")


# ------------------------------------------------------------------ training


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


def test_the_base_is_the_shipped_settings_but_for_its_size():
    differs = {name for name, value in asdict(ablate.BASE).items() if value != asdict(TrainConfig())[name]}
    assert differs == {"out", "image_size", "channels", "blocks", "warmup"}


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
    monkeypatch.setattr(ablate, "train", lambda *_: pytest.fail("trained again"))
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


def test_errors_do_not_depend_on_what_the_network_speaks(study):
    """One guess at x0, said as x0, eps or v; and none at all for a network that knows the picture."""
    x0, labels = study.real, study.held_out.labels
    found = {}
    for prediction_type in ("sample", "epsilon", "v_prediction"):
        schedule = NoiseSchedule("cosine", 1000, prediction_type)

        def says(x, t, told, schedule=schedule):
            guess = torch.zeros_like(x) + 0.25
            return schedule.target(guess, schedule.eps_from_x0(x, guess, t), t)

        checkpoint = replace(study.checkpoint, model=says, schedule=schedule)
        found[prediction_type] = x0_errors(replace(study, checkpoint=checkpoint), x0, labels)
    assert len(found["sample"]) == BANDS
    truth = float((x0 - 0.25).square().mean())
    for rows in found.values():
        for row in rows[:-1]:  # at level 1 float32 has no digits left to say x0 through eps
            assert row["value"] == pytest.approx(truth, rel=1e-3) and row["error"] > 0

    x0 = x0[:1].expand(12, -1, -1, -1)
    schedule = NoiseSchedule("cosine", 1000, "sample")
    checkpoint = replace(study.checkpoint, model=lambda x, t, told: x0[: len(x)], schedule=schedule)
    assert [row["value"] for row in x0_errors(replace(study, checkpoint=checkpoint), x0, labels)] == [0] * 5


def test_pictures_are_compared_where_the_app_would_put_them(study):
    """The same things, placed anywhere: the judge sees the same."""
    x = torch.ones(12, 3, 16, 16)
    x[..., 4:10, 3:11] = -0.5
    a, b = (seen_on_the_page(study, moved) for moved in (x, x.roll((3, 2), (2, 3))))
    torch.testing.assert_close(a.features, b.features, rtol=1e-3, atol=1e-3)


# ------------------------------------------------------------------ sampling


def labelled(n=4):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(n, 3, 16, 16, generator=generator)
    return x, torch.full((n,), 500), torch.tensor([[0, 1], [1, 2], [3, 0], [4, 3]])[:n]


def test_equal_scales_are_the_usual_guidance():
    model, (x, t, labels) = tiny_checkpoint().model, labelled()
    null = torch.tensor(model.null_labels)
    composed = KindGuidance(model, [3.0, 3.0], model.null_labels)
    with torch.no_grad():
        expected = guided(model, x, t, labels, null.expand(len(x), -1), 3.0)
        torch.testing.assert_close(composed(x, t, labels), expected, rtol=1e-4, atol=1e-4)
        off = KindGuidance(model, [1.0, 1.0], model.null_labels)
        torch.testing.assert_close(off(x, t, labels), model(x, t, labels), rtol=1e-4, atol=1e-5)
    assert composed.calls == 2 and off.calls == 1


def test_each_kind_has_its_own_scale():
    """out_null + w_1 (out_1 - out_null) + w_2 (out_12 - out_1), written out."""
    model, (x, t, labels) = tiny_checkpoint().model, labelled()
    null = torch.tensor(model.null_labels).expand(len(x), -1)
    first = torch.stack([labels[:, 0], null[:, 1]], dim=1)
    with torch.no_grad():
        nothing, one, both = (model(x, t, told) for told in (null, first, labels))
        for w1, w2, calls in ((1.0, 4.0, 2), (4.0, 1.0, 3), (2.0, 5.0, 3)):
            composed = KindGuidance(model, [w1, w2], model.null_labels)
            expected = nothing + w1 * (one - nothing) + w2 * (both - one)
            torch.testing.assert_close(composed(x, t, labels), expected, rtol=1e-4, atol=1e-4)
            assert composed.calls == calls


@pytest.mark.slow
def test_variations_change_one_thing_and_count_their_calls(study):
    """The model is asked for as many pictures as is said."""
    study = replace(study, steps=20)
    asked = 0

    def count(_, arguments):
        nonlocal asked
        asked += len(arguments[0])

    study.checkpoint.model.register_forward_pre_hook(count)
    usual = study.generated
    assert asked == 40 * len(usual)
    found = {}
    for what, value, varied, calls in variations(study):
        asked = 0
        made = varied.generated
        assert asked == calls * len(made) and not torch.equal(made, usual), (what, value)
        found.setdefault(what, []).append(value)
    assert found["steps"] == ["5", "10", "50"] and found["eta"] == ["0.5", "1"]
    assert found["guidance"] == found["guidance by subject"] == found["guidance by style"]
    assert found["guidance"] == ["1", "3", "4", "5"]


def test_guidance_by_kind_with_the_usual_scales_draws_the_usual_pictures(study):
    torch.testing.assert_close(
        guided_by_kind(study, [2.0, 2.0]).generated, study.generated, rtol=1e-3, atol=1e-3
    )


def test_a_difference_to_itself_is_nothing(study):
    a = seen(study, study.real, study.held_out.labels)
    b = seen(study, study.generated, study.held_out.labels)
    real, groups = b.features.flip(0), study.held_out.groups
    same, other = (difference(x, a, real, groups) for x in (a, b))
    assert same["kid"] == {"value": 0, "error": 0}
    assert all(row == {"value": 0, "error": 0} for row in same["accuracy"].values())
    assert other["kid"]["value"] != 0 and other["kid"]["error"] > 0


def test_the_rule_picks_the_smallest_strength_that_is_not_worse():
    kids = {0.2: 0.9, 0.4: 0.5, 0.6: 0.42, 0.8: 0.4, 0.9: 0.0}

    def less(error):
        return lambda a, b: (kids[a] - kids[b], error)

    assert best_strength(kids, less(0.01)) == 0.8  # 0.9 is beyond the limit
    assert best_strength(kids, less(0.03)) == 0.6
    assert best_strength(kids, less(0.2)) == 0.4
    assert best_strength(kids, less(math.nan)) == 0.8


# ------------------------------------------------------------------ the page


def test_one_more_value_lies_within_reach_95_times_in_100():
    values = torch.randn(20_000, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    inside = 0
    for row in values[:4000].tolist():
        middle, s, reach = spread(row[:4])
        inside += abs(row[4] - middle) <= reach
    assert 0.94 < inside / 4000 < 0.96
    assert spread([1.0, 3.0])[:2] == (2.0, pytest.approx(2**0.5))
    assert list(T95.values()) == sorted(T95.values(), reverse=True)


def command(fruit, out, what, *extra):
    words = ["--data", str(fruit / "data"), "--judge", str(fruit / "judge.safetensors"), "--hold-out", "0.8"]
    words += ["--out", str(out), "--count", "8", *extra]
    return [what, *([str(fruit / "checkpoint.safetensors")] if what == "sampling" else []), *words]


@pytest.mark.slow
def test_a_whole_ablation(fruit, tmp_path, monkeypatch):
    monkeypatch.setattr(ablate, "BASE", replace(TINY, steps=1))
    for name, fewer in {"STEPS": (5, 20), "SCALES": (1.0, 2.0, 5.0), "DECAYS": (0.0,)}.items():
        monkeypatch.setattr(ablate, name, fewer)
    out = tmp_path / "out"
    training = command(fruit, out, "training", "--samples", "16", "--seeds", "2")
    assert main(training) == 0
    page, numbers = (out / "ABLATIONS.md").read_text(), (out / "ablations-training.json").read_text()
    result = json.loads(numbers)
    assert [run["name"] for run in result["runs"]] == ["base", "base", *VARIANTS]
    assert len(result["averages"]) == 2
    assert {run["samples"] for run in result["runs"]} == {16}
    for name in VARIANTS:
        assert page.count(f"| {name} |") == 3  # both guidances and the errors
    assert "diffusion.evaluate.ablate training --data data --judge judge.safetensors --out out" in page

    # What is written by hand above the mark stays, and what was trained is not trained again.
    (out / "ABLATIONS.md").write_text(page.replace("# Ablations\n", "# Ablations\n\nAll is a tie.\n"))
    monkeypatch.setattr(ablate, "train", lambda *_: pytest.fail("trained again"))
    assert main(training) == 0
    assert json.loads((out / "ablations-training.json").read_text())["runs"] == result["runs"]

    assert main(command(fruit, out, "sampling", "--drawings", "8")) == 0
    page = (out / "ABLATIONS.md").read_text()
    assert page.startswith("# Ablations\n\nAll is a tie.\n") and page.count(MARK) == 1
    assert "## Training" in page and "| guidance by style 5 |" in page and "| steps 5 |" in page
    sampled = (out / "ablations-sampling.json").read_text()
    for curve in json.loads(sampled)["inputs"].values():
        assert 0.1 <= curve["best"] <= curve["lowest"] <= 0.8
        assert curve["strengths"]["0"]["l2"]["value"] == 0 and curve["strengths"]["1"]["calls"] == 40
    for text in (page, numbers, sampled):  # reports travel
        assert str(tmp_path) not in text and str(fruit.parent) not in text
        assert "NaN" not in text and "Infinity" not in text

    assert main(["page", "--out", str(out)]) == 0
    assert (out / "ABLATIONS.md").read_text() == page


@pytest.mark.slow
def test_a_run_that_was_stopped_early_leaves_a_page(fruit, tmp_path, monkeypatch):
    monkeypatch.setattr(ablate, "BASE", replace(TINY, steps=1))
    monkeypatch.setattr(ablate, "VARIANTS", {})
    assert main(command(fruit, tmp_path, "training", "--samples", "8", "--seeds", "2")) == 0
    result = json.loads((tmp_path / "ablations-training.json").read_text())
    for runs_done in (1, 2):
        part = result | {"runs": result["runs"][:runs_done], "averages": result["averages"][: 3 * runs_done]}
        (tmp_path / "ablations-training.json").write_text(json.dumps(part))
        write_page(tmp_path)
        assert ("Not far enough" in (tmp_path / "ABLATIONS.md").read_text()) == (runs_done == 1)


@pytest.mark.parametrize(
    "what, extra, message",
    [
        ("training", ["--data", "nowhere"], "no training pictures at nowhere"),
        ("training", ["--samples", "7"], "--samples"),
        ("training", ["--seeds", "1"], "--seeds"),
        ("training", ["--hold-out", "0"], "No picture is held out"),
        ("sampling", ["--judge", "nowhere"], "no judge at nowhere"),
        ("sampling", ["--count", "0"], "--count"),
        ("page", [], "no numbers"),
    ],
)
def test_mistakes_are_one_line_and_status_2(fruit, tmp_path, capsys, what, extra, message):
    argv = ["page", "--out", str(tmp_path / "out")]
    if what != "page":
        argv = command(fruit, tmp_path / "out", what, *extra)
    assert main(argv) == 2
    error = capsys.readouterr().err
    assert error.startswith("ablate: ") and message in error and error.count("\n") == 1
    assert not (tmp_path / "out").exists()
