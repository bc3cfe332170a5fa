"""Training: it learns, it can be stopped and resumed without a trace, and it says what is wrong."""

import csv
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw

from diffusion import NoiseSchedule, load_checkpoint
from diffusion.prediction import PREDICTION_TYPES, training_target
from diffusion.solver import DDIM
from diffusion.train.config import TrainConfig, configure, learning_rate
from diffusion.train.data import load_pictures
from diffusion.train.log import LossLog
from diffusion.train.losses import (
    MAX_X0_WEIGHT,
    MIN_SNR_GAMMA,
    drop_labels,
    loss_weight,
    noise_over,
    sketch_timesteps,
    stratified_timesteps,
    x0_weight,
)
from diffusion.train.run import main, parser
from diffusion.train.sheets import sample_sheet
from diffusion.train.trainer import Trainer

TINY = [
    "--image-size", "16", "--patch-size", "2", "--channels", "32", "--attention", "0", "--blocks", "1",
    "--batch-size", "8", "--warmup", "2", "--log-every", "2", "--precision", "fp32", "--device", "cpu",
]  # fmt: skip
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    """Circles and squares in two colours, six of each: made up, and quickly learnt."""
    folder = tmp_path_factory.mktemp("shapes")
    for shape in ("ellipse", "rectangle"):
        for style in ("red", "blue"):
            (folder / shape / style).mkdir(parents=True)
            for i in range(6):
                image = Image.new("RGB", (32, 32), "white")
                getattr(ImageDraw.Draw(image), shape)([4 + i, 4, 20 + i, 20 + i], fill=style)
                image.save(folder / shape / style / f"{i}x.png")
    return folder


def flags(shapes, out, *extra) -> list[str]:
    return ["--data", str(shapes), "--out", str(out), *TINY, *extra]


def trainer(shapes, **changes) -> Trainer:
    given = vars(parser().parse_args(flags(shapes, "unused")))
    given.pop("resume")
    config = replace(configure(given, resume=False), **changes)
    return Trainer(config, load_pictures([shapes], 32, config.hold_out), CPU)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


# ------------------------------------------------------------------ parts


def test_labels_are_dropped_each_for_itself():
    labels, null = torch.zeros(20_000, 2, dtype=torch.long), torch.tensor([5, 3])
    dropped = drop_labels(labels, null, 0.1, seeded()) != 0
    assert (dropped.float().mean(0) - 0.1).abs().max() < 0.01
    assert float(dropped.all(1).float().mean()) == pytest.approx(0.01, abs=0.004)  # independent: 0.1 squared
    got = drop_labels(labels, null, 1.0, seeded())
    assert torch.equal(got, null.expand(20_000, 2))
    assert torch.equal(drop_labels(labels, null, 0.0, seeded()), labels)


def test_timesteps_are_uniform_and_spread_over_the_batch():
    g = seeded()
    draws = torch.stack([stratified_timesteps(10, 1000, g) for _ in range(2000)])
    assert draws.min() >= 0 and draws.max() <= 999
    assert (draws.sort(1).values // 100 == torch.arange(10)).float().mean() > 0.999  # one in each tenth
    counts = torch.bincount(draws.flatten() // 50, minlength=20) / draws.numel()
    assert (counts - 0.05).abs().max() < 0.005


def test_noise_over_a_sketch_is_what_an_edit_meets():
    """A picture under eps' is the noised sketch at t0, and where DDIM comes by below t0."""
    schedule = NoiseSchedule("cosine", 1000)
    x0, crude, noise = torch.randn(3, 2, 3, 4, 4, generator=seeded(), dtype=torch.float64).unbind(0)
    for t0, t in ((600, 600), (600, 240), (950, 17)):
        x = schedule.add_noise(crude, noise, t0)
        if t < t0:
            x = DDIM().step(schedule, x, x0, schedule.eps_from_x0(x, x0, t0), t0, t)
        seeming = noise_over(x0, crude, noise, torch.tensor([t0, t0]), schedule)
        assert torch.allclose(schedule.add_noise(x0, seeming, t), x, atol=1e-12)
    assert torch.equal(noise_over(x0, x0, noise, torch.tensor([600, 3]), schedule), noise)


def test_sketches_start_at_or_above_each_timestep_at_usual_strengths():
    t = torch.arange(1000)
    t0 = torch.stack([sketch_timesteps(t, 1000, g) for g in [seeded()] for _ in range(300)])
    assert (t0 >= t).all() and (t0 >= 300).all() and t0.max() <= 999
    assert t0[:, :300].min() == 300 and t0[:, :300].max() == 950
    assert abs(float(t0[:, :300].double().mean()) - 625) < 5
    assert torch.equal(t0[0, 951:], t[951:])


def test_noise_lies_over_drawings_in_its_share_of_the_batch(shapes):
    t = trainer(shapes, sketched=0.8, noise_over=0.4, batch_size=200)
    batch = t.batches.at(0)
    assert 0.7 < float(batch.sketched.float().mean()) < 0.9
    steps, noise = t.noised(batch, seeded())
    plain = trainer(shapes, sketched=0.8, noise_over=0.0).noised(batch, seeded())[1]
    differs = (noise != plain).flatten(1).any(1)
    assert not differs[~batch.sketched].any() and 0.3 < float(differs.float().mean()) < 0.5
    assert (steps.sort().values // 10 == torch.arange(200) // 2).float().mean() > 0.9  # spread over all t


def test_the_network_is_told_the_drawings_there_are(shapes):
    t = trainer(shapes, sketched=0.5, noise_over=0.2, batch_size=32)
    batch = t.batches.at(0)
    told = t.condition(batch, batch.labels).drawing
    assert told.shape == (32, 4, 16, 16)
    assert torch.equal(told[:, 3].flatten(1).all(1), batch.sketched)
    assert torch.equal(told[batch.sketched, :3], batch.drawing[batch.sketched])
    assert not told[~batch.sketched].any()
    assert trainer(shapes, drawing=0).condition(batch, batch.labels).drawing is None
    untold = trainer(shapes, drawing=0, sketched=0.0, noise_over=0.0)
    assert torch.isfinite(untold.train_step()) and untold.model.drawing_input is None


def test_weighted_x0_loss_is_the_loss_of_v():
    """... wherever the weight is below its limit, which holds it down near t = 0."""
    schedule = NoiseSchedule("cosine", 1000)
    x0, wrong, noise = torch.randn(3, 2, 3, 4, 4, generator=seeded(), dtype=torch.float64).unbind(0)
    for t in (200, 500, 999):
        x_t = schedule.add_noise(x0, noise, t)
        v = schedule.velocity(x0, noise, t)
        wrong_v = schedule.velocity(wrong, schedule.eps_from_x0(x_t, wrong, t), t)
        weight = float(x0_weight(schedule.abar(t)))
        assert weight * float(F.mse_loss(wrong, x0)) == pytest.approx(float(F.mse_loss(wrong_v, v)), rel=1e-6)
    weights = x0_weight(schedule.alphas_cumprod)
    assert weights[0] == MAX_X0_WEIGHT and weights[-1] == pytest.approx(1)
    assert (weights.diff() <= 0).all()


def test_min_snr_is_one_loss_whatever_the_network_says():
    """min(SNR, 5) times the error of x0, read from eps, v or x0 alike."""
    x0, wrong, noise = torch.randn(3, 2, 3, 4, 4, generator=seeded(), dtype=torch.float64).unbind(0)
    for t in (5, 200, 500, 950):
        losses = []
        for prediction_type in PREDICTION_TYPES:
            schedule = NoiseSchedule("cosine", 1000)
            eps = schedule.eps_from_x0(schedule.add_noise(x0, noise, t), wrong, t)
            says = training_target(prediction_type, schedule, wrong, eps, t)
            wanted = training_target(prediction_type, schedule, x0, noise, t)
            weight = float(loss_weight("min-snr", prediction_type, schedule.abar(t)))
            losses.append(weight * float(F.mse_loss(says, wanted)))
        abar = float(schedule.abar(t))
        expected = min(abar / (1 - abar), MIN_SNR_GAMMA) * float(F.mse_loss(wrong, x0))
        assert losses == pytest.approx([expected] * 3, rel=1e-6)
    abar = schedule.alphas_cumprod
    assert torch.equal(loss_weight("plain", "sample", abar), x0_weight(abar))
    for prediction_type in ("epsilon", "v_prediction"):
        assert (loss_weight("plain", prediction_type, abar) == 1).all()


def test_the_weighting_is_that_of_the_settings(shapes):
    found = {}
    for weighting in ("plain", "min-snr"):
        t = trainer(shapes, weighting=weighting)
        batch, steps = t.batches.at(0), torch.full((8,), 900)
        noise = torch.zeros_like(batch.x0)
        condition = t.condition(batch, batch.labels)
        found[weighting] = float(t.loss(t.model, batch.x0, condition, steps, noise).detach())
    ratio = found["min-snr"] / found["plain"]
    assert ratio == pytest.approx(float(t.schedule.abar(900)), rel=1e-4)  # SNR to SNR + 1


def test_learning_rate_rises_stays_and_falls():
    config = TrainConfig(steps=1000, warmup=100, decay=0.2, lr=1.0)
    rates = [learning_rate(config, step) for step in range(1001)]
    assert rates[0] == pytest.approx(0.01) and rates[99] == 1.0
    assert set(rates[99:800]) == {1.0}
    assert rates[900] == pytest.approx(0.5) and rates[1000] == 0
    assert all(a >= b for a, b in zip(rates[800:], rates[801:]))


def test_held_out_pictures_are_never_drawn(shapes):
    t = trainer(shapes, hold_out=0.2)
    pictures = load_pictures([shapes], 32, 0.2)
    assert int(pictures.held_out.sum()) == 4 and len(t.batches.pixels) == 20
    for picture in pictures.test().pixels.permute(0, 2, 3, 1).numpy():
        assert not (t.batches.pixels == picture).all((1, 2, 3)).any()
    assert len(t.held_out.x0) == 4


@pytest.mark.slow
@pytest.mark.parametrize("prediction_type", ["v_prediction", "epsilon", "sample"])
@pytest.mark.parametrize("loss", ["l2", "l1"])
def test_one_batch_is_overfitted(shapes, prediction_type, loss):
    """One batch of shapes with its noise, again and again: the loss must fall to a tenth."""
    t = trainer(shapes, prediction_type=prediction_type, loss=loss)
    batch = t.batches.at(0)
    steps, noise = t.noised(batch, t.generator)
    told = t.condition(batch, batch.labels)
    optimizer = torch.optim.Adam(t.model.parameters(), lr=3e-3)
    losses = []
    for _ in range(600):
        value = t.loss(t.model, batch.x0, told, steps, noise)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        losses.append(float(value.detach()))
        if losses[-1] < losses[0] / 10:
            break
    assert losses[-1] < losses[0] / 10, (losses[0], losses[-1])


def test_cutting_a_batch_up_changes_nothing(shapes):
    whole, cut = trainer(shapes), trainer(shapes, accumulate=4)
    for _ in range(3):
        torch.testing.assert_close(whole.train_step(), cut.train_step(), rtol=1e-5, atol=1e-6)
    for a, b in zip(whole.model.parameters(), cut.model.parameters()):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4)


def test_training_leaves_the_global_rng_alone(shapes):
    before = torch.get_rng_state()
    t = trainer(shapes)
    t.train_step(), t.validation_loss(), sample_sheet(t, 2, 1)
    assert torch.equal(before, torch.get_rng_state())


def test_sample_sheets_are_of_the_same_seeds_and_labels(shapes):
    t = trainer(shapes)
    t.train_step()
    first = sample_sheet(t, 4, 2)
    assert first.size == (64, 32)
    assert first.tobytes() == sample_sheet(t, 4, 2).tobytes()


# ------------------------------------------------------------------ whole runs


def weights(folder):
    return load_checkpoint(folder / "checkpoint.safetensors").model.state_dict()


@pytest.mark.slow
def test_resuming_equals_an_uninterrupted_run(shapes, tmp_path):
    """Weights, average, optimizer, RNG, dropout: all as if the run had never stopped."""
    extra = ["--dropout", "0.1", "--optimizer", "muon", "--sample-every", "100", "--save-every", "3"]
    assert main(flags(shapes, tmp_path / "whole", "--steps", "6", *extra)) == 0
    # The same run, stopped by the clock after its first step.
    assert main(flags(shapes, tmp_path / "cut", "--steps", "6", "--max-minutes", "1e-9", *extra)) == 0
    stopped_at = torch.load(tmp_path / "cut" / "state.pt", weights_only=True)["step"]
    assert 0 < stopped_at < 6
    torch.rand(7)  # whatever else happened in between
    assert main(["--resume", "--out", str(tmp_path / "cut"), "--max-minutes", "0"]) == 0
    whole, cut = (torch.load(tmp_path / n / "state.pt", weights_only=True) for n in ("whole", "cut"))
    assert whole["step"] == cut["step"] == 6
    for part in ("model", "ema", "optimizers", "generator"):
        torch.testing.assert_close(whole[part], cut[part], rtol=0, atol=0)


def test_a_run_leaves_what_it_promises(shapes, tmp_path):
    out = tmp_path / "run"
    argv = flags(
        shapes, out, "--steps", "6", "--sample-every", "4", "--hold-out", "0.2", "--credits", "me", "you"
    )
    assert main(argv) == 0
    checkpoint = load_checkpoint(out / "checkpoint.safetensors")
    assert checkpoint.label_names == {"subject": ["ellipse", "rectangle"], "style": ["blue", "red"]}
    assert ("ellipse", "red") in checkpoint.pairs and checkpoint.credits == ["me", "you"]
    assert checkpoint.colours["ellipse"][0] in ("#ff0000", "#0000ff")
    record = checkpoint.training
    assert (record["steps"], record["samples"], record["config"]["batch_size"]) == (6, 48, 8)
    assert record["loss"] > 0 and record["validation_loss"] > 0
    assert str(shapes.parent) not in str(record) and record["config"]["data"] == [shapes.name]
    rows = list(csv.DictReader((out / "loss.csv").open()))
    assert [row["step"] for row in rows if row["loss"]] == ["2", "4", "6"]
    assert [row["step"] for row in rows if row["validation_loss"]] == ["4", "6"]
    assert {path.name for path in out.glob("*.png")} == {
        "loss.png",
        "samples-000004.png",
        "samples-000006.png",
    }


@pytest.mark.slow
def test_ctrl_c_saves_before_it_leaves(shapes, tmp_path):
    out = tmp_path / "run"
    command = [sys.executable, "-m", "diffusion.train", *flags(shapes, out, "--steps", "1000000")]
    root = Path(__file__).parent.parent
    process = subprocess.Popen(
        command,
        cwd=root,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while not (out / "loss.csv").exists() or len((out / "loss.csv").read_text().splitlines()) < 3:
        assert time.monotonic() < deadline and process.poll() is None, process.communicate()
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130 and "Go on with --resume" in output and "Traceback" not in errors
    step = torch.load(out / "state.pt", weights_only=True)["step"]
    assert step >= 4 and load_checkpoint(out / "checkpoint.safetensors").training["steps"] == step


@pytest.mark.slow
def test_training_can_start_from_a_checkpoint(shapes, tmp_path):
    assert main(flags(shapes, tmp_path / "a", "--steps", "3")) == 0
    start = str(tmp_path / "a" / "checkpoint.safetensors")
    assert main(flags(shapes, tmp_path / "b", "--steps", "1", "--lr", "0", "--init-from", start)) == 0
    a, b = weights(tmp_path / "a"), weights(tmp_path / "b")
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert main(flags(shapes, tmp_path / "c", "--steps", "1", "--blocks", "2", "--init-from", start)) == 2


@pytest.mark.parametrize(
    "argv, message",
    [
        ([], "--data"),
        (["--data", "nowhere"], "no training pictures at nowhere"),
        (["--resume"], "nothing to resume"),
        (["--data", "x", "--channels", "32", "33", "--attention", "0", "0"], "no training pictures"),
    ],
)
def test_mistakes_are_one_line_and_status_2(argv, message, tmp_path, capsys):
    assert main([*argv, "--out", str(tmp_path / "run")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("train: ") and message in error and error.count("\n") == 1


def test_a_run_is_not_overwritten_and_not_changed_midway(shapes, tmp_path, capsys):
    out = tmp_path / "run"
    assert main(flags(shapes, out, "--steps", "1")) == 0
    assert main(flags(shapes, out, "--steps", "1")) == 2
    assert "--resume" in capsys.readouterr().err
    assert main(["--resume", "--out", str(out), "--lr", "1"]) == 2
    assert "cannot change" in capsys.readouterr().err
    state = torch.load(out / "state.pt", weights_only=True)
    del state["config"]["sketched"]  # as if there had been no such setting
    torch.save(state, out / "state.pt")
    assert main(["--resume", "--out", str(out)]) == 2
    assert "--init-from" in capsys.readouterr().err


def test_the_log_forgets_what_is_run_again(tmp_path):
    log = LossLog(tmp_path, step=0)
    for step in (2, 4, 6):
        log.add(step=step, loss=1 / step, minutes=step)
    log.plot()
    log = LossLog(tmp_path, step=4)
    assert [row["step"] for row in log.rows] == ["2", "4"] and log.minutes == 4.0
    assert Image.open(tmp_path / "loss.png").size == (900, 500)


# ---- starting from a checkpoint


@pytest.fixture(scope="module")
def base(shapes, tmp_path_factory):
    """A checkpoint of 30 steps on all the shapes, with credits."""
    out = tmp_path_factory.mktemp("base")
    assert main(flags(shapes, out, "--steps", "30", "--credits", "Shapes, CC0", "--schedule", "linear")) == 0
    return out / "checkpoint.safetensors"


@pytest.mark.slow
def test_a_class_is_fine_tuned_with_the_label_table_kept(shapes, base, tmp_path):
    """From a folder that holds that class alone; network and schedule come from the checkpoint."""
    alone = tmp_path / "alone"
    shutil.copytree(shapes / "rectangle", alone / "rectangle")
    rest = ["--batch-size", "8", "--warmup", "2", "--precision", "fp32", "--device", "cpu", "--lr", "2e-3"]
    tuned, before = tmp_path / "tuned", load_checkpoint(base)
    for data in (alone, shapes):
        argv = ["--data", str(data), "--out", str(tuned / data.name), "--init-from", str(base), *rest]
        assert main([*argv, "--only-class", "rectangle", "--steps", "40", "--ema-decay", "0.9"]) == 0
        after = load_checkpoint(tuned / data.name / "checkpoint.safetensors")
        assert after.label_names == before.label_names and after.pairs == before.pairs
        assert after.colours.keys() == before.colours.keys() and after.credits == ["Shapes, CC0"]
        assert after.model.config == before.model.config
        assert after.schedule.config() == before.schedule.config()
        assert after.training["config"]["only_class"] == "rectangle"
        assert loss_on(after, shapes, "rectangle") < 0.8 * loss_on(before, shapes, "rectangle")


def loss_on(checkpoint, shapes, name: str) -> float:
    pictures = load_pictures([shapes], 32)
    index = pictures.label_names["subject"].index(name)
    x0 = torch.nn.functional.avg_pool2d(pictures.pixels[pictures.labels[:, 0] == index] / 127.5 - 1, 2)
    noise = torch.randn(x0.shape, generator=torch.Generator().manual_seed(0))
    labels = pictures.labels[pictures.labels[:, 0] == index]
    t = torch.full((len(x0),), 400)
    with torch.no_grad():
        out = checkpoint.model(checkpoint.schedule.add_noise(x0, noise, t), t, labels)
    return float(F.mse_loss(out, x0))


def test_only_class_trains_on_nothing_else(shapes):
    picky = trainer(shapes, only_class="ellipse")
    everything = trainer(shapes)
    assert picky.label_names == everything.label_names
    assert picky.batches.labels[:, 0].unique().tolist() == [0]
    assert 0 < len(picky.batches.pixels) < len(everything.batches.pixels)


@pytest.mark.parametrize(
    "extra, sentence",
    [
        (["--only-class", "elipse"], "Did you mean ellipse?"),
        (["--init-from", "BASE", "--channels", "64", "--attention", "0"], "another network or schedule"),
        (["--init-from", "BASE", "--schedule", "cosine"], "another network or schedule"),
        (["--init-from", "gone.safetensors"], "There is no checkpoint at"),
    ],
)
def test_a_start_that_does_not_fit_is_one_sentence(shapes, base, tmp_path, capsys, extra, sentence):
    extra = [str(base) if word == "BASE" else word for word in extra]
    argv = ["--data", str(shapes), "--out", str(tmp_path / "out"), "--device", "cpu", "--image-size", "16"]
    small = ["--patch-size", "2", "--channels", "32", "--attention", "0", "--blocks", "1"]
    assert main([*argv, *small, *extra]) == 2
    error = capsys.readouterr().err
    assert sentence in error and error.count("\n") == 1


def test_pictures_with_other_label_kinds_cannot_go_on_from_a_checkpoint(base, tmp_path, capsys):
    (tmp_path / "data" / "ellipse").mkdir(parents=True)
    Image.new("RGB", (32, 32), "red").save(tmp_path / "data" / "ellipse" / "a.png")
    argv = ["--data", str(tmp_path / "data"), "--out", str(tmp_path / "out"), "--init-from", str(base)]
    assert main(argv) == 2
    assert "these pictures class" in capsys.readouterr().err


def test_a_resumed_run_wants_the_labels_it_had(shapes, tmp_path, capsys):
    data = tmp_path / "data"
    shutil.copytree(shapes, data)
    assert main(flags(data, tmp_path / "out", "--steps", "1")) == 0
    shutil.copytree(data / "ellipse", data / "circle")
    assert main(["--resume", "--out", str(tmp_path / "out"), "--steps", "2"]) == 2
    assert "other labels" in capsys.readouterr().err
