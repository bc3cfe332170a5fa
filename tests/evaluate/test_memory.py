"""Copies are found wherever they stand on the page."""

import pytest
import torch

from diffusion.evaluate.memory import memory, on_the_page, training_bank
from diffusion.evaluate.targets import targets
from diffusion.train.choose import evenly
from diffusion.train.data import load_pictures
from fruit import fruit_folder, study_of


@pytest.fixture(scope="module")
def fruit(tmp_path_factory):
    return fruit_folder(tmp_path_factory.mktemp("fruit"))


@pytest.fixture
def study(fruit):
    return study_of(load_pictures([fruit / "data"], 32, 0.4))


def test_memory_finds_copies(study):
    """A model that gives training pictures back is found out by every measure."""
    study.checkpoint.training["config"]["augment"] = "none"
    train = study.pictures.train()
    study.__dict__["generated"] = study.as_trained(train.subset(evenly(len(train), len(study.held_out))))
    nearest = memory(study)["nearest"]
    assert nearest["from noise"]["pixels"]["50%"] < 0.004  # training pictures are kept in 8 bits
    assert nearest["from noise"]["features"]["50%"] < 1e-6
    # Half of all copies are nearer than the median copy, or as near; held-out pictures are not.
    assert nearest["from noise"]["like copies"] >= 0.5 > nearest["held out"]["like copies"]
    verdicts = {
        target["name"].split(":")[0]: target["met"] for target in targets({"memory": {"nearest": nearest}})
    }
    assert verdicts["from noise"] is False


def test_a_copy_in_another_place_is_put_back(study):
    """Training moves pictures about; before pixels are compared, they are framed alike."""
    x = torch.ones(1, 3, 16, 16)
    x[..., 4:10, 3:11] = -0.5
    moved = x.roll((3, 2), (2, 3))
    torch.testing.assert_close(on_the_page(study, moved), on_the_page(study, x), rtol=0, atol=0.01)
    bank = training_bank(study, study.pictures.train()).float() / 127.5 - 1
    assert bank.shape[1:] == (3, 16, 16) and (bank[..., 0] == 1).all()  # white around
    assert on_the_page(study, bank[:1]).sub(bank[:1]).abs().mean() < 0.2
