"""A tiny untrained checkpoint, and a server that shows it."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["OMP_NUM_THREADS"] = "1"

import pytest
import torch
from PIL import Image, ImageDraw
from torch.utils._python_dispatch import TorchDispatchMode

from diffusion import Checkpoint, NoiseSchedule, UNet, UNetConfig, save_checkpoint
from diffusion.page.canvas_io import data_url


def pytest_configure() -> None:
    """One thread is plenty for models this tiny, and two that share a busy machine wait for each other."""
    torch.set_num_threads(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What looks at the page in Chromium is marked by where it stands."""
    for item in items:
        if item.path.parent.name == "browser":
            item.add_marker(pytest.mark.browser)


LABELS = {"subject": ["apple", "cat", "ice cream", "pear"], "style": ["photo", "noto", "fluent-3d"]}
PAIRS = [
    ("apple", "photo"), ("apple", "noto"), ("apple", "fluent-3d"),
    ("cat", "noto"), ("cat", "fluent-3d"), ("ice cream", "noto"), ("pear", "photo"),
]  # fmt: skip
COLOURS = {"apple": ["#c81e28", "#6a9c31", "#5b3a1c"], "ice cream": ["#f3b4c6", "#e9d9a8", "#c98a4b"]}


def tiny_checkpoint(
    label_names: dict[str, list[str]] = LABELS, pairs: list = PAIRS, image_size: int = 16, **more: Any
) -> Checkpoint:
    """Few pixels, one level, random weights: a step takes about a millisecond."""
    torch.manual_seed(0)
    sizes = tuple(len(names) for names in label_names.values())
    model = UNet(
        UNetConfig(
            image_size=image_size,
            patch_size=2,
            channels=(32,),
            blocks=1,
            attention=(False,),
            label_sizes=sizes,
            **more,
        )
    )
    with torch.no_grad():
        for parameter in model.parameters():  # some layers start at zero and would hide time and labels
            parameter.add_(0.05 * torch.randn_like(parameter))
    credits = ["Pictures of fruit, CC0"]
    return Checkpoint(
        model.eval(), NoiseSchedule(), "v_prediction", label_names, pairs, COLOURS, credits=credits
    )


def apple_drawing(size: int = 512) -> Image.Image:
    image = Image.new("RGB", (size, size), "white")
    ImageDraw.Draw(image).ellipse([size * 0.3, size * 0.3, size * 0.7, size * 0.7], fill=(220, 40, 40))
    return image


def half_mask(size: int = 512) -> Image.Image:
    """Black, to be kept, on the left half."""
    image = Image.new("RGB", (size, size), "white")
    ImageDraw.Draw(image).rectangle([0, 0, size // 2, size - 1], fill="black")
    return image


def drawn() -> dict:
    """What the canvas sends when there is an apple on it."""
    return {"picture": data_url(apple_drawing()), "keep": ""}


class NoTorch(TorchDispatchMode):
    """Within it this thread, but no other, may look at tensors as they lie in memory: a sum is an error."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        assert func.is_view, f"{func} outside the model's thread"
        return func(*args, **(kwargs or {}))


@pytest.fixture(scope="session")
def checkpoint_folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoints")
    save_checkpoint(folder / "tiny.safetensors", tiny_checkpoint())
    return folder


@pytest.fixture(scope="session")
def drawings_folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("drawings")
    for name in ("apple", "cat-2", "submarine"):
        apple_drawing(128).save(folder / f"{name}.png")
    return folder


class Server:
    """A running page. `delay` makes every call of the model take that many seconds longer; none gets through
    the gate while it is shut."""

    url: str
    delay = 0.0
    calls = 0  # of the model so far

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()

    def slow(self, *_) -> None:
        self.calls += 1
        self.gate.wait()
        time.sleep(self.delay)


@pytest.fixture(scope="session")
def server(checkpoint_folder, drawings_folder):
    gr = pytest.importorskip("gradio")
    from diffusion.page import app, choices

    server = Server()

    def slowed(path, **kwargs):
        ckpt = load_checkpoint(path, **kwargs)
        ckpt.model.register_forward_hook(lambda *_: server.slow())  # a copy of the model has the same server
        return ckpt

    load_checkpoint, drawings = choices.load_checkpoint, choices.DRAWINGS
    choices.load_checkpoint, choices.DRAWINGS = slowed, drawings_folder
    try:
        demo = app.build(checkpoint_folder)
        _, server.url, _ = app.launch(demo, prevent_thread_lock=True, quiet=True)
        yield server
        demo.close()
        gr.close_all(verbose=False)
    finally:
        choices.load_checkpoint, choices.DRAWINGS = load_checkpoint, drawings
