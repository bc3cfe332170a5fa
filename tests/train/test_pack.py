"""Packing: the same pictures, labels and held-out groups in fewer bytes."""

from __future__ import annotations

import tarfile

import numpy as np
import pytest
import torch
from PIL import Image

from diffusion.train.data import load_pictures
from diffusion.train.pack import main, pack
from diffusion.train.sources import DataError


@pytest.fixture
def pictures(tmp_path):
    """Two subjects in two styles, noisy PNGs of 200 pixels, one of them transparent."""
    rng = np.random.default_rng(0)
    for subject in ("apple", "cat"):
        for style in ("photo", "noto"):
            folder = tmp_path / "pictures" / subject / style
            folder.mkdir(parents=True)
            for i in range(6):
                low = rng.integers(0, 256, (5, 5, 4)).astype(np.uint8)
                low[..., 3] = 255 if i else low[..., 3]
                Image.fromarray(low).resize((200, 200)).save(folder / f"thing{i}-1.png")
    return tmp_path / "pictures"


def size_of(folder) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*.png"))


@pytest.mark.parametrize("name", ["small.tar", "small.tar.gz"])
def test_training_takes_the_tar_in_place_of_the_folder(pictures, tmp_path, name):
    assert pack([pictures], tmp_path / name, size=64) == 24
    before, after = load_pictures([pictures], 32), load_pictures([tmp_path / name], 32)
    assert after.label_names == before.label_names and after.groups == before.groups
    assert torch.equal(after.labels, before.labels) and torch.equal(after.held_out, before.held_out)
    assert before.held_out.any()
    assert (after.pixels.float() - before.pixels.float()).abs().mean() < 6
    assert (tmp_path / name).stat().st_size < size_of(pictures) / 2


def test_small_pictures_are_not_enlarged(pictures, tmp_path):
    pack([pictures], tmp_path / "small.tar", size=1000)
    with tarfile.open(tmp_path / "small.tar") as tar:
        assert Image.open(tar.extractfile(tar.getnames()[0])).size == (200, 200)


def test_what_cannot_be_packed_leaves_nothing(pictures, tmp_path):
    with pytest.raises(DataError, match="is there twice"):
        pack([pictures, pictures], tmp_path / "out.tar")
    assert [path.name for path in tmp_path.iterdir()] == ["pictures"]


def test_the_command(pictures, tmp_path, capsys):
    assert main(["--data", str(pictures), "--out", str(tmp_path / "a.tar"), "--quality", "50"]) == 0
    assert capsys.readouterr().out.startswith("24 pictures, ")
