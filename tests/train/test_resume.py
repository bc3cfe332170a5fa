"""A run that is resumed does not trust that the world stood still: files, labels, device."""

import shutil

import pytest
import torch
from tiny import draw_shapes, flags

from diffusion.train.run import main


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    return draw_shapes(tmp_path_factory.mktemp("shapes"))


@pytest.fixture(scope="module")
def stopped(shapes, tmp_path_factory):
    """A run of two steps."""
    out = tmp_path_factory.mktemp("stopped")
    assert main(flags(shapes, out, "--steps", "2")) == 0
    return out


def go_on(stopped, tmp_path, change, *extra) -> int:
    """Resume a copy of that run after a change of its state's file."""
    out = tmp_path / "out"
    shutil.copytree(stopped, out)
    change(out / "state.pt")
    return main(["--resume", "--out", str(out), "--steps", "3", *extra])


def with_state(change):
    def save(path):
        state = torch.load(path, weights_only=True)
        change(state)
        torch.save(state, path)

    return save


class Code:
    def __reduce__(self):
        return print, ("a pickle was run",)


DAMAGE = {
    "cut": lambda path: path.write_bytes(path.read_bytes()[:40_000]),
    "empty": lambda path: path.write_bytes(b""),
    "noise": lambda path: path.write_bytes(bytes(range(256)) * 100),
    "code": lambda path: torch.save({"config": Code()}, path),
    "a list": lambda path: torch.save([1], path),
    "no settings": with_state(lambda state: state.pop("config")),
    "odd settings": with_state(lambda state: state["config"].update(batch_size="8")),
    "settings out of bounds": with_state(lambda state: state["config"].update(label_dropout=7.0)),
    "no weights": with_state(lambda state: state.pop("model")),
    "a weight less": with_state(lambda state: state["model"].popitem()),
    "another shape": with_state(lambda state: state["model"].update({"input.bias": torch.zeros(1)})),
    "no optimizer": with_state(lambda state: state["optimizers"].clear()),
    "a step in words": with_state(lambda state: state.update(step="two")),
    "no labels": with_state(lambda state: state.update(label_names=None)),
}


@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_state_is_one_sentence(stopped, tmp_path, capsys, how):
    assert go_on(stopped, tmp_path, DAMAGE[how]) == 2
    out, error = capsys.readouterr()
    assert error.startswith("train: ") and error.count("\n") == 1 and "a pickle was run" not in out + error


def test_a_run_goes_on_on_another_kind_of_device(stopped, tmp_path, capsys):
    """A GPU's generator has a state of 16 bytes."""
    odd = with_state(lambda state: state.update(generator=torch.zeros(16, dtype=torch.uint8)))
    assert go_on(stopped, tmp_path, odd) == 0
    assert "another kind of device" in capsys.readouterr().out


def test_a_run_that_is_over_still_leaves_its_checkpoint(stopped, tmp_path, capsys):
    assert go_on(stopped, tmp_path, lambda path: (path.parent / "checkpoint.safetensors").unlink()) == 0
    again = tmp_path / "out"
    (again / "checkpoint.safetensors").unlink()
    assert main(["--resume", "--out", str(again)]) == 0
    assert "Done: " in capsys.readouterr().out and (again / "checkpoint.safetensors").exists()


@pytest.mark.parametrize("every", ["--save-every", "--sample-every"])
def test_what_is_no_number_any_more_is_not_saved(shapes, tmp_path, capsys, every):
    """... though the loss is looked at much later."""
    wild = ["--lr", "1e20", "--warmup", "0", "--grad-clip", "1e30", "--steps", "60", "--log-every", "50"]
    assert main(flags(shapes, tmp_path, *wild, every, "3")) == 2
    error = [line for line in capsys.readouterr().err.splitlines() if line.startswith("train: ")]
    assert len(error) == 1 and ("smaller --lr" in error[0] or "is not written" in error[0])
    assert not list(tmp_path.glob("*.safetensors")) and not list(tmp_path.glob(".*partial"))


def test_a_resumed_run_wants_the_labels_it_had(shapes, tmp_path, capsys):
    data = tmp_path / "data"
    shutil.copytree(shapes, data)
    assert main(flags(data, tmp_path / "out", "--steps", "1")) == 0
    shutil.copytree(data / "ellipse", data / "circle")
    assert main(["--resume", "--out", str(tmp_path / "out"), "--steps", "2"]) == 2
    assert "other labels" in capsys.readouterr().err
