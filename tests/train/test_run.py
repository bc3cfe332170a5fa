"""Whole runs: stopped and resumed without a trace, begun from a checkpoint, and clear about mistakes."""

import csv
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw
from tiny import draw_shapes, flags

import diffusion
from diffusion import load_checkpoint
from diffusion.train.config import SINCE
from diffusion.train.data import load_pictures
from diffusion.train.log import LossLog
from diffusion.train.run import main


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    return draw_shapes(tmp_path_factory.mktemp("shapes"))


def weights(folder):
    return load_checkpoint(folder / "checkpoint.safetensors").model.state_dict()


@pytest.mark.slow
def test_resuming_equals_an_uninterrupted_run(shapes, tmp_path):
    """Weights, average, optimizer, RNG, dropout: all as if the run had never stopped."""
    extra = ["--dropout", "0.1", "--optimizer", "muon", "--sample-every", "100", "--save-every", "3"]
    extra += ["--learned-variance", "1", "--timesteps", "importance"]
    extra += ["--num-train-timesteps", "20", "--batch-size", "40"]  # enough to be drawn by their losses
    assert main(flags(shapes, tmp_path / "whole", "--steps", "6", *extra)) == 0
    # The same run, stopped by the clock after its first step.
    assert main(flags(shapes, tmp_path / "cut", "--steps", "6", "--max-minutes", "1e-9", *extra)) == 0
    stopped_at = torch.load(tmp_path / "cut" / "state.pt", weights_only=True)["step"]
    assert 0 < stopped_at < 6
    torch.rand(7)  # whatever else happened in between
    assert main(["--resume", "--out", str(tmp_path / "cut"), "--max-minutes", "0"]) == 0
    whole, cut = (torch.load(tmp_path / n / "state.pt", weights_only=True) for n in ("whole", "cut"))
    assert whole["step"] == cut["step"] == 6
    for part in ("model", "ema", "optimizers", "history", "generator"):
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
    assert record["version"] == diffusion.__version__
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
    root = Path(__file__).parents[2]
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


def test_a_run_is_not_overwritten_and_not_changed_midway(shapes, tmp_path, capsys):
    out = tmp_path / "run"
    assert main(flags(shapes, out, "--steps", "1")) == 0
    assert main(flags(shapes, out, "--steps", "1")) == 2
    assert "--resume" in capsys.readouterr().err
    assert main(["--resume", "--out", str(out), "--lr", "1"]) == 2
    assert "cannot change" in capsys.readouterr().err
    state = torch.load(out / "state.pt", weights_only=True)
    del state["config"]["sketched"]  # as if there had been no such setting
    for version, begun_by in {"0.3.9": "version 0.3.9", None: "an earlier version"}.items():
        state["version"] = version
        if version is None:
            del state["version"]  # as it was up to 0.4
        torch.save(state, out / "state.pt")
        assert main(["--resume", "--out", str(out)]) == 2
        error = capsys.readouterr().err
        assert f"begun by {begun_by} of this program, this is {diffusion.__version__}" in error
        assert "--init-from" in error


def test_the_log_forgets_what_is_run_again(tmp_path):
    log = LossLog(tmp_path, step=0)
    for step in (2, 4, 6):
        log.add(step=step, loss=1 / step, minutes=step)
    log.plot()
    log = LossLog(tmp_path, step=4)
    assert [row["step"] for row in log.rows] == ["2", "4"] and log.minutes == 4.0
    assert Image.open(tmp_path / "loss.png").size == (900, 500)


def test_the_log_drops_what_a_killed_run_left_half_written(tmp_path):
    log = LossLog(tmp_path, step=0)
    for step in (2, 4, 6):
        log.add(step=step, loss=1 / step, minutes=step / 4)
    text = log.path.read_text()
    last = len(text.splitlines(keepends=True)[-1])
    for cut in range(1, last + 1):  # "6,0.1" may be a whole number, but not the one that was written
        log.path.write_text(text[:-cut])
        assert [row["step"] for row in LossLog(tmp_path, step=6).rows] == ["2", "4"]
    log.path.write_bytes(text.encode()[:-2] + b"\0\xff\n4,,,,,\nsix,1,1,1,1,1\n1,2,3\n")
    again = LossLog(tmp_path, step=6)
    assert [row["step"] for row in again.rows] == ["2", "4"] and again.minutes == 1.0
    again.add(step=6, loss=float("nan"), minutes=1.5)
    assert len(LossLog(tmp_path, step=6).rows) == 3


def test_a_run_without_matplotlib_goes_on_without_the_picture(shapes, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert main(flags(shapes, tmp_path, "--steps", "2")) == 0
    sentence = "no loss.png. This needs one more package: pip install matplotlib"
    assert capsys.readouterr().err.count(sentence) == 1
    assert not (tmp_path / "loss.png").exists() and (tmp_path / "loss.csv").exists()


def test_a_run_from_before_there_were_settings_goes_on_without_them(shapes, tmp_path):
    """What it had: a variance that is not learnt."""
    assert main(flags(shapes, tmp_path, "--steps", "1")) == 0
    state = torch.load(tmp_path / "state.pt", weights_only=True)
    for name in SINCE:
        del state["config"][name]
    torch.save(state, tmp_path / "state.pt")
    assert main(["--resume", "--out", str(tmp_path), "--steps", "2"]) == 0
    record = load_checkpoint(tmp_path / "checkpoint.safetensors").training
    assert record["steps"] == 2 and record["config"]["learned_variance"] == 0
    assert main(["--resume", "--out", str(tmp_path), "--learned-variance", "1"]) == 2


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
    assert "these pictures class: lay them out <subject>/<style>/<picture>" in capsys.readouterr().err


@pytest.mark.slow
def test_a_folder_of_one_s_own_is_learnt_and_nothing_forgotten(shapes, base, tmp_path):
    """Fine-tuning on a new name in a new style: the table grows, and what was there keeps its rows."""
    own = tmp_path / "own"
    for i in range(6):
        (own / "star" / "mine").mkdir(parents=True, exist_ok=True)
        image = Image.new("RGB", (32, 32), "white")
        ImageDraw.Draw(image).polygon([(16, 2 + i), (30, 28), (2, 28)], fill="green")
        image.save(own / "star" / "mine" / f"{i}x.png")
    rest = ["--batch-size", "8", "--warmup", "2", "--precision", "fp32", "--device", "cpu", "--lr", "2e-3"]
    argv = ["--data", str(own), "--out", str(tmp_path / "tuned"), "--init-from", str(base), *rest]
    assert main([*argv, "--steps", "40", "--ema-decay", "0.9"]) == 0
    before, after = load_checkpoint(base), load_checkpoint(tmp_path / "tuned" / "checkpoint.safetensors")
    assert after.label_names == {
        "subject": ["ellipse", "rectangle", "star"],
        "style": ["blue", "red", "mine"],
    }
    assert ("star", "mine") in after.pairs and set(before.pairs) < set(after.pairs)
    rows = [c.model.label_tables[0].weight[:2] for c in (before, after)]
    torch.testing.assert_close(*rows, rtol=2e-3, atol=1e-4)  # all weights decay a little
    assert after.colours.keys() == {"ellipse", "rectangle", "star"}
    both = [after.encode_labels({"subject": name}) for name in ("ellipse", "star")]
    assert [int(row[0, 0]) for row in both] == [0, 2]
