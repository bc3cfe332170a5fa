"""What the bench says of a tiny network; what its clock says is not looked at."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
import torch

from conftest import tiny_checkpoint
from diffusion import Sampling, save_checkpoint
from diffusion.evaluate import bench_parts
from diffusion.evaluate.bench import main
from diffusion.evaluate.bench_parts import AT_REST, DRAWING, PARTS, Bench, in_step
from diffusion.evaluate.timings import Row, gflop, seconds_in_turns, table
from diffusion.look import Look
from diffusion.machine import best_precision, chosen_precision
from diffusion.sampler import Step
from diffusion.sdedit import edit, edit_timesteps
from diffusion.train.config import TrainConfig


def test_calls_take_turns_and_the_first_does_not_count():
    turns = []
    seconds = seconds_in_turns({"a": lambda: turns.append("a"), "b": lambda: turns.append("b")}, 2)
    assert turns == ["a", "b"] * 3 and list(seconds) == ["a", "b"]


def test_a_product_of_matrices_has_two_operations_for_each_term():
    a = torch.ones(10, 20)
    assert gflop(lambda: a @ a.T) == pytest.approx(2 * 10 * 20 * 10 / 1e9)


def test_a_table_has_a_line_for_each_figure():
    text = table([Row("a call", 12.3456, "ms"), Row("another", 1.0, "ms", 2.0, "x the first")])
    assert "| a call | 12.35 | ms |  |" in text and "| another | 1 | ms | 2.00 x the first |" in text


def test_the_command_leaves_a_table_and_its_figures(tmp_path, capsys):
    save_checkpoint(tmp_path / "tiny.safetensors", tiny_checkpoint())
    parts = [name for name in PARTS if name != "company"]  # it starts a program that takes its time
    words = [str(tmp_path / "tiny.safetensors"), *"--repeats 1 --batches 1 3 --sessions 1 2 --out".split()]
    words.append(str(tmp_path / "out"))
    assert main([*words, "--parts", *parts]) == 0
    said = capsys.readouterr().out
    found = json.loads((tmp_path / "out" / "bench.json").read_text())
    text = (tmp_path / "out" / "BENCH.md").read_text()
    assert list(found["parts"]) == parts and found["machine"]["precision"] == best_precision()
    for rows in found["parts"].values():
        for row in rows:
            assert row["value"] > 0 and row["what"] in text and row["what"] in said
    chosen = [row["what"] for row in found["parts"]["training"] if "chosen" in row["what"]]
    assert chosen == [f"training, {best_precision()}, chosen"]


def test_training_takes_the_precision_that_was_found_best():
    assert TrainConfig.precision == "auto" and chosen_precision("auto") == best_precision()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks Linux how the program fares")
def test_a_neighbour_sleeps_until_it_is_wanted_and_is_gone_afterwards(monkeypatch):
    monkeypatch.setattr(bench_parts, "SPIN", "print('ready', flush=True)\nwhile True: pass")
    with bench_parts.neighbour() as process:
        stat = Path(f"/proc/{process}/stat")
        deadline = time.monotonic() + 30
        while (state := stat.read_text().rsplit(")", 1)[1].split()[0]) != "T" and time.monotonic() < deadline:
            time.sleep(0.01)
        assert state == "T", "stopped"
    assert not stat.exists()


def test_runs_in_step_end_where_each_would_alone():
    checkpoint = tiny_checkpoint()
    bench, ends = Bench(checkpoint, 1), []

    def kept(walk):
        for item in walk:
            if isinstance(item, Step) and item.index == item.total:
                ends.append(item.x0)
            yield item

    sampling = Sampling(0.6, 5)
    in_step([kept(bench.walk(checkpoint, sampling, seed)) for seed in (1, 2)])
    for seed, found in zip((1, 2), ends, strict=True):
        image = torch.ones(1, *checkpoint.shape)
        *_, alone = edit(checkpoint, image, bench.words, sampling, [torch.Generator().manual_seed(seed)])
        torch.testing.assert_close(found, alone.x0, atol=1e-3, rtol=0)
    walk = bench.walk(checkpoint, sampling)
    assert isinstance(next(walk), Look) and isinstance(next(walk), Step)


def test_the_ways_compared_are_the_page_s():
    pytest.importorskip("gradio")
    from diffusion.page.settings import Settings

    usual = Settings("tiny", {}, precision="fp32")
    for settings, sampling in ((usual, AT_REST), (usual.while_drawing, DRAWING)):
        assert settings.sampling == sampling
    taken = [edit_timesteps(0.6, each.steps, 1000) for each in (Sampling(), AT_REST, DRAWING)]
    assert [len(each) for each in taken] == [12, 7, 4]
