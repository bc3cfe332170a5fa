"""Few calls: as many as are asked for, from the same noise, beside what many make."""

from dataclasses import replace

import pytest
import torch
from PIL import Image

from conftest import tiny_checkpoint
from diffusion import NoiseSchedule, save_checkpoint
from diffusion.evaluate import few_calls
from diffusion.evaluate.few_calls import FewSettings, labels_of, made, main, steps_for


@pytest.mark.parametrize("solver", ["ddim", "heun", "dpm++"])
@pytest.mark.parametrize("calls", [1, 2, 5])
def test_no_solver_takes_more_calls_than_its_column_says(solver, calls):
    checkpoint = replace(tiny_checkpoint(), schedule=NoiseSchedule("straight"))
    asked = []
    counting = checkpoint.model.register_forward_pre_hook(lambda *_: asked.append(1))
    settings = FewSettings(checkpoints=("a",), out="b", count=2, guidance=1.0)
    x0 = made(checkpoint, settings, solver, steps_for(solver, calls))
    counting.remove()
    assert x0.shape == (2, 3, 16, 16) and calls - (solver == "heun") <= len(asked) <= calls


def test_labels_are_spread_over_all_pairs():
    checkpoint = tiny_checkpoint()
    labels = labels_of(checkpoint, 2 * len(checkpoint.pairs))
    assert len(labels.unique(dim=0)) == len(checkpoint.pairs)


def test_checkpoints_of_both_paths_stand_side_by_side(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(few_calls, "FINE", 4)
    curved = tiny_checkpoint()
    for name, schedule in (("curved", NoiseSchedule()), ("straight", NoiseSchedule("straight"))):
        save_checkpoint(tmp_path / f"{name}.safetensors", replace(curved, schedule=schedule))
    files = [str(tmp_path / f"{name}.safetensors") for name in ("curved", "straight")]
    words = ["--calls", "1", "4", "--count", "4", "--guidance", "1", "--precision", "fp32"]
    assert main([*files, "--out", str(tmp_path / "out"), *words]) == 0
    table = (tmp_path / "out" / "FEW_CALLS.md").read_text()
    rows = [line.split(" | ") for line in table.splitlines() if line.startswith(("| curved", "| straight"))]
    assert [row[0] for row in rows] == ["| curved, cosine, ddim", "| straight, straight, ddim"]
    assert all(float(row[1]) > 0 and float(row[2]) == 0 for row in rows), "as many calls, the same picture"
    assert Image.open(tmp_path / "out" / "few-calls.png").width > 3 * 160
    assert main([*files, "--out", str(tmp_path / "out"), "--judge", "x"]) == 2
    assert "--data" in capsys.readouterr().err


def test_the_same_seed_is_the_same_noise_for_every_checkpoint():
    """Networks that say the same of it end with the same picture; but for the schedule, of course."""
    settings = FewSettings(checkpoints=("a",), out="b", count=2, guidance=1.0)
    one, other = (made(tiny_checkpoint(), settings, "ddim", 2) for _ in range(2))
    assert torch.equal(one, other)
