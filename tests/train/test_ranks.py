"""Several processes take the steps that one would."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tiny import draw_shapes, flags, seeded, trainer

import diffusion
from diffusion.train.batches import Batches
from diffusion.train.choose import sampling_weights
from diffusion.train.data import load_pictures
from diffusion.train.losses import drop_labels
from diffusion.train.ranks import ALONE, Ranks
from diffusion.train.run import main


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    return draw_shapes(tmp_path_factory.mktemp("shapes"))


@pytest.mark.parametrize("world", [1, 2, 4])
def test_the_rows_of_all_are_the_batch(shapes, world):
    """Pictures, drawings, labels that are dropped, timesteps and noise: nobody draws another's."""
    pictures = load_pictures([shapes], 32)
    how = dict(batch_size=8, sketched=0.8, seed=3)
    weights = sampling_weights(pictures, 0.7)
    whole = Batches(pictures, weights, 16, **how).at(5)
    t = trainer(shapes, sketched=0.8, noise_over=0.4)
    expected = (drop_labels(whole.labels, t.null, 0.5, seeded()), *t.noised(whole, seeded()))
    ranks = [Ranks(rank, world) for rank in range(world)]
    parts = [Batches(pictures, weights, 16, **how, ranks=each).at(5) for each in ranks]
    for name in ("x0", "drawing", "sketched", "labels"):
        assert torch.equal(torch.cat([getattr(part, name) for part in parts]), getattr(whole, name))
    found = [
        (drop_labels(part.labels, t.null, 0.5, seeded(), each), *t.noised(part, seeded(), ranks=each))
        for part, each in zip(parts, ranks)
    ]
    for columns, one in zip(zip(*found), expected):
        assert torch.equal(torch.cat(columns), one)


def test_alone_nothing_is_sent():
    loss, flags = torch.ones(()), [2, 0]
    assert ALONE.average([], loss) is loss and ALONE.gathered(loss) is loss and ALONE.main
    assert ALONE.agreed(*flags) == flags


def test_a_batch_that_cannot_be_shared_is_one_sentence(shapes, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "3")
    assert main(flags(shapes, tmp_path / "out")) == 2
    assert "batch of 8 cannot be shared evenly by 3 processes" in capsys.readouterr().err


def together(*words: str) -> str:
    """Two processes on the CPU, as torchrun starts them; they speak over gloo."""
    start = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    result = subprocess.run([*start, *words], capture_output=True, text=True, timeout=500)
    assert result.returncode == 0, result.stderr
    return result.stdout


def curve(folder) -> list[float]:
    return [float(row["loss"]) for row in csv.DictReader((folder / "loss.csv").open()) if row["loss"]]


@pytest.mark.slow
def test_two_processes_have_the_loss_curve_of_one(shapes, tmp_path):
    """The same global batch, cut up, noise levels drawn by their losses; and both go on from there."""
    extra = ["--optimizer", "muon", "--learned-variance", "1", "--timesteps", "importance"]
    extra += ["--num-train-timesteps", "20", "--batch-size", "40", "--log-every", "1", "--steps", "8"]
    extra += ["--hold-out", "0.2", "--sample-every", "6", "--accumulate", "2"]
    assert main(flags(shapes, tmp_path / "one", *extra)) == 0
    said = together("-m", "diffusion.train", *flags(shapes, tmp_path / "two", *extra))
    assert "in 2 processes" in said and said.count("Done:") == 1, "only one of them speaks"
    assert curve(tmp_path / "two") == pytest.approx(curve(tmp_path / "one"), rel=1e-3)
    one, two = (torch.load(tmp_path / n / "state.pt", weights_only=True) for n in ("one", "two"))
    for part in ("model", "ema", "history"):
        torch.testing.assert_close(one[part], two[part], rtol=1e-2, atol=1e-3)
    more = ["--resume", "--steps", "12"]
    assert main([*more, "--out", str(tmp_path / "one")]) == 0
    together("-m", "diffusion.train", *more, "--out", str(tmp_path / "two"))
    assert len(curve(tmp_path / "two")) == 12
    assert curve(tmp_path / "two") == pytest.approx(curve(tmp_path / "one"), rel=1e-3)


@pytest.mark.slow
def test_nothing_of_the_group_is_left_when_all_are_done(tmp_path, monkeypatch):
    """A thread of it that is still there as the interpreter goes makes an abort of a run that was well."""
    monkeypatch.setenv("PYTHONPATH", str(Path(diffusion.__file__).parents[1]))
    script = tmp_path / "script.py"
    script.write_text(
        "from pathlib import Path\n"
        "import torch\n"
        "from diffusion.train.ranks import joined\n"
        "def threads():\n"
        "    return [each.read_text() for each in Path('/proc/self/task').glob('*/comm')]\n"
        "with joined(2) as ranks:\n"
        "    weights = torch.nn.Parameter(torch.ones(2))\n"
        "    torch.optim.AdamW([weights])  # imports much of torch\n"
        "    weights.sum().backward()\n"
        "    assert ranks.average([weights], torch.tensor(1.0 + ranks.rank)) == 1.5\n"
        "    assert any('gloo' in name for name in threads())\n"
        "assert not any('gloo' in name for name in threads())\n"
        "print('left')\n"
    )
    assert together(str(script)).count("left") == 2
