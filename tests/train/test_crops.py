"""Crops of true pictures and of the denoiser's results: where they lie, and what they depend on."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from tiny import draw_shapes

from conftest import tiny_checkpoint
from diffusion.errors import DoodleError
from diffusion.train.crops import CropBatches, Source, box, degraded
from diffusion.train.data import load_pictures
from diffusion.train.own_results import BATCH, OwnResults
from diffusion.unet import UNet

SHAPE = {"factor": 4, "size": 8, "batch_size": 16}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """24 pictures of 64 pixels; a model of 16 draws a quarter of that."""
    return load_pictures([draw_shapes(tmp_path_factory.mktemp("shapes"))], 64)


def sources(pictures, share=1.0):
    return Source(pictures.pixels, np.full(len(pictures), 1 / len(pictures)), share)


def own(pictures, folder, count=BATCH, **changes):
    chances = np.full(len(pictures), 1 / len(pictures))
    made = OwnResults(tiny_checkpoint(**changes), pictures, chances, count, folder)
    made.make(torch.device("cpu"))
    return made


def test_what_goes_in_is_the_mean_of_each_block_of_the_truth(pictures):
    batch = CropBatches([sources(pictures)], None, 0.5, **SHAPE).at(3)
    assert batch.small.shape == (16, 3, 8, 8) and batch.truth.shape == (16, 3, 32, 32)
    torch.testing.assert_close(batch.small, F.avg_pool2d(batch.truth, 4), atol=1e-5, rtol=0)
    assert batch.truth.std() > 0.1


def test_a_batch_depends_on_its_seed_and_step_alone(pictures):
    batches = CropBatches([sources(pictures)], None, 0.0, blur=1.0, noise=8.0, workers=2, **SHAPE)
    stream = batches.since(5)
    assert torch.equal(next(stream).small, batches.at(5).small)
    assert torch.equal(next(stream).small, batches.at(6).small)
    stream.close()
    assert not torch.equal(batches.at(5).truth, batches.at(6).truth)


def test_sources_are_taken_in_their_shares(pictures):
    white = Source(torch.full((1, 3, 40, 40), 255, dtype=torch.uint8), np.ones(1), 1.0)
    black = Source(torch.zeros(1, 3, 64, 64, dtype=torch.uint8), np.ones(1), 3.0)
    batches = CropBatches([white, black], None, 0.0, factor=4, size=4, batch_size=400)
    assert 0.65 < (batches.at(0).small.mean(dim=(1, 2, 3)) < 0.9).float().mean() < 0.85


def test_blur_and_noise_come_in_half_of_the_pictures_each():
    small = np.zeros((32, 32, 3), np.float32)
    small[:, 16:] = 255
    made = [degraded(small, 1.0, 8.0, np.random.default_rng(i)) for i in range(300)]
    same = np.mean([np.array_equal(x, small) for x in made])
    assert 0.2 < same < 0.45 and all(x.min() >= 0 and x.max() <= 255 for x in made)
    assert max(np.abs(x[:, :10]).max() for x in made) < 5 * 8
    assert np.array_equal(degraded(small, 0, 0, np.random.default_rng(0)), small)


def test_a_result_lies_where_its_truth_does(pictures, tmp_path, monkeypatch):
    """A denoiser that returns what it is given shows whether the pieces of both belong together."""
    results = own(pictures, tmp_path)
    whole = [box(results.truth(i)[1], 4) for i in range(len(results))]
    results.results = torch.from_numpy(np.stack(whole)).permute(0, 3, 1, 2).round().to(torch.uint8)
    batch = CropBatches([sources(pictures)], results, 1.0, **SHAPE).at(0)
    torch.testing.assert_close(batch.small, F.avg_pool2d(batch.truth, 4), atol=0.6 / 127.5, rtol=0)


def test_results_are_made_once_and_kept(pictures, tmp_path, monkeypatch):
    first = own(pictures, tmp_path, BATCH + 1)
    assert len(first) == 2 * BATCH and first.results.shape[1:] == (3, 16, 16)
    (tmp_path / "0001.pt").unlink()  # as if the run had been stopped in between
    kept = (tmp_path / "0000.pt").stat().st_mtime_ns
    again = own(pictures, tmp_path, BATCH + 1)
    assert torch.equal(first.results, again.results) and (tmp_path / "0000.pt").stat().st_mtime_ns == kept
    monkeypatch.setattr(UNet, "forward", None)
    assert torch.equal(own(pictures, tmp_path).results, first.results[:BATCH])
    with pytest.raises(DoodleError, match="of another checkpoint, data or seed"):
        own(pictures.subset(torch.arange(24) < 20), tmp_path)


def test_the_denoiser_is_told_the_labels_it_knows_and_no_drawing(pictures, tmp_path, monkeypatch):
    asked = []
    forward = UNet.forward

    def spy(self, x, t, labels=None, drawing=None):
        asked.append((labels, drawing))
        return forward(self, x, t, labels)

    monkeypatch.setattr(UNet, "forward", spy)
    checkpoint = tiny_checkpoint({"subject": ["ellipse", "cat"], "style": ["red", "blue", "photo"]}, [])
    object.__setattr__(checkpoint.model.config, "drawing", True)
    chances = np.full(len(pictures), 1 / len(pictures))
    made = OwnResults(checkpoint, pictures, chances, BATCH, tmp_path)
    made.make(torch.device("cpu"))
    labels, drawing = asked[0]
    told = {tuple(row) for row in labels.tolist()}
    assert told == {
        (0, 0),
        (0, 1),
        (2, 0),
        (2, 1),
        (2, 3),
    }  # no rectangle is known: not told; null for guidance
    assert not drawing.any()
