"""Faults of the world: a full disk, a folder that cannot be written to, a program killed while it saves."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from conftest import apple_drawing, tiny_checkpoint
from diffusion import load_checkpoint, save_checkpoint
from diffusion.__main__ import main as sdedit
from diffusion.files import read_state
from diffusion.train.pack import main as pack
from diffusion.train.run import main as train
from test_files import small_disk
from train.tiny import draw_shapes, flags

ROOT = Path(__file__).parents[1]
NOWHERE = "/proc/doodle"  # nobody can make a folder there, root neither
linux = pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no /proc")


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    apple_drawing(512).save("in.png")
    draw_shapes(tmp_path / "data")
    save_checkpoint("checkpoints/tiny.safetensors", tiny_checkpoint())
    return tmp_path


def one_line(capsys, name: str, what: str) -> None:
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith(f"{name}: ")]
    assert len(lines) == 1 and what in lines[0], lines


def test_a_full_disk_ends_each_command_in_one_line(here, capsys):
    """... and leaves what was there, and no part of a file."""
    (here / "out.png").write_bytes(b"precious")
    noise = Image.frombytes("RGB", (512, 512), random.Random(0).randbytes(3 * 512**2))
    noise.save("noise.png")
    work = {
        "sdedit": lambda: sdedit(["noise.png", "out.png", "--strength", "0"]),
        "train": lambda: train(flags("data", "run", "--steps", "1")),
        "pack": lambda: pack(["--data", "data", "--out", "packed.tar"]),
    }
    for name, run in work.items():
        with small_disk():
            assert run() == 2, name
        one_line(capsys, name, "Cannot write ")
    assert (here / "out.png").read_bytes() == b"precious"
    assert not [path for path in here.rglob("*") if "partial" in path.name]
    assert not list((here / "run").glob("*.safetensors")) and not (here / "packed.tar").exists()


@linux
def test_a_tree_that_cannot_be_written_to_is_one_line(here, capsys):
    assert sdedit(["in.png", f"{NOWHERE}/out.png", "--steps", "5"]) == 2
    one_line(capsys, "sdedit", NOWHERE)
    assert sdedit(["in.png", "out.png", "--frames", f"{NOWHERE}/frames", "--steps", "5"]) == 2
    one_line(capsys, "sdedit", NOWHERE)
    assert train(flags("data", f"{NOWHERE}/run", "--steps", "1")) == 2
    one_line(capsys, "train", NOWHERE)
    assert pack(["--data", "data", "--out", f"{NOWHERE}/packed.tar"]) == 2
    one_line(capsys, "pack", NOWHERE)


@linux
@pytest.mark.slow
def test_a_page_without_temporary_files_is_one_line(tmp_path):
    env = {name: value for name, value in os.environ.items() if name != "GRADIO_TEMP_DIR"}
    code = "import tempfile; tempfile.tempdir = '/proc/doodle'; import app, sys; sys.exit(app.main())"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.strip() == "app: No folder for temporary files can be written to: set TMPDIR to one."


CALL = """
import sys
from gradio_client import Client
from diffusion.page import app
demo = app.build(sys.argv[1])
_, url, _ = app.launch(demo, prevent_thread_lock=True, quiet=True)
assert "tiny" in Client(url, verbose=False, download_files=False).predict(api_name="/labels")
demo.close()
"""


@pytest.mark.slow
def test_a_page_writes_nothing_into_the_home_of_its_user(here, checkpoint_folder):
    (here / "home").mkdir()
    ours = ("GRADIO_TEMP_DIR", "MPLBACKEND", "MPLCONFIGDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")
    env = {name: value for name, value in os.environ.items() if name not in ours}
    env |= {"HOME": str(here / "home"), "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", CALL, checkpoint_folder], env=env, check=True)
    assert not list((here / "home").rglob("*"))


SAVE = """
import sys, torch
from conftest import tiny_checkpoint
from diffusion import save_checkpoint
from diffusion.files import write_state
checkpoint, n = tiny_checkpoint(), 0
while True:
    n += 1
    checkpoint.training = {"steps": n}
    save_checkpoint("model.safetensors", checkpoint)
    write_state("state.pt", {"step": n, "weights": torch.full((300_000,), float(n))})
    print(n, flush=True)
"""


@pytest.mark.slow
def test_one_that_is_killed_while_saving_leaves_whole_files(tmp_path):
    rng = random.Random(0)
    env = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}", "OMP_NUM_THREADS": "1"}
    for _ in range(4):
        process = subprocess.Popen(
            [sys.executable, "-c", SAVE], cwd=tmp_path, env=env, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None and process.stdout.readline(), "it has saved once"
        time.sleep(rng.uniform(0, 0.3))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        state = read_state(tmp_path / "state.pt")
        assert (state["weights"] == state["step"]).all()
        assert load_checkpoint(tmp_path / "model.safetensors").training["steps"] - state["step"] in (0, 1)
