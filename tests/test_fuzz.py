"""Thousands of seeded odd inputs: each is answered by one sentence, in little time and memory.

A case has a number: `CASES=123 pytest -m slow tests/test_fuzz.py` runs that one of each kind alone.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import resource
import tarfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

import pytest
import torch

from conftest import tiny_checkpoint
from diffusion import Sampling, edit, load_checkpoint, save_checkpoint
from diffusion.classifier import load_classifier
from diffusion.edit_flags import _parser
from diffusion.errors import DoodleError
from diffusion.files import read_state
from diffusion.images import prepare, to_pil
from diffusion.picture_files import load
from diffusion.train.data import load_pictures
from diffusion.upscaler import Upscaled, Upscaler, UpscalerConfig, load_upscaler, save_upscaler
from fruit import fruit_folder
from fuzz import mutated, odd_json, odd_words, safetensors_with
from pictures import apple, saved

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
SECONDS, MEGABYTES = 20.0, 1500  # of one case; most take milliseconds


def cases(count: int) -> Iterator[random.Random]:
    """Sources of chance, one a case."""
    chosen = os.environ.get("CASES")
    for number in [int(chosen)] if chosen else range(count):
        yield random.Random(number)


@contextmanager
def bounded(what: object) -> Iterator[None]:
    """One sentence is a good answer; anything else that goes wrong, or takes long, or much, is not."""
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except DoodleError as error:
        said = str(error)
        assert said and "\n" not in said and len(said) < 2000, (what, said)
    except Exception as error:
        pytest.fail(f"{what}: {type(error).__name__}: {error}"[:2000])
    assert time.monotonic() - started < SECONDS, what
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1000
    assert more < MEGABYTES, (what, more)


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with one of everything."""
    folder = fruit_folder(tmp_path_factory.mktemp("fuzz"))
    save_checkpoint(folder / "checkpoint.safetensors", tiny_checkpoint())
    torch.manual_seed(0)
    save_upscaler(folder / "upscaler.safetensors", Upscaled(Upscaler(UpscalerConfig(2, 4, 2)).eval(), 16))
    apple(64, 5, 5, 40).save(folder / "in.png")
    (folder / "note.txt").write_text("not a picture")
    return folder


FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")


def test_pictures() -> None:
    exif = {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\1\x01\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"}
    files = [saved(apple(40, 5, 5, 30), form).getvalue() for form in FORMATS]
    files += [saved(apple(40, 5, 5, 30), form, **exif).getvalue() for form in ("PNG", "JPEG", "WEBP")]
    for i, rng in enumerate(cases(700)):
        data = mutated(rng, rng.choice(files))
        with bounded(f"picture {i}"):
            prepare(load(io.BytesIO(data)), 16)


LOADERS = {
    "checkpoint": (load_checkpoint, 400), "judge": (load_classifier, 200), "upscaler": (load_upscaler, 200)
}  # fmt: skip


@pytest.mark.parametrize("kind", LOADERS)
def test_weights(place, tmp_path, kind) -> None:
    """What loads can be worked with."""
    read, count = LOADERS[kind]
    content = (place / f"{kind}.safetensors").read_bytes()
    path = tmp_path / "odd.safetensors"
    for i, rng in enumerate(cases(count)):
        path.write_bytes(safetensors_with(rng, content))
        with bounded(f"{kind} {i}"):
            found = read(path)
            if kind == "checkpoint" and found.image_size <= 64:
                labels = {kind: names[-1] for kind, names in found.label_names.items()}
                *_, last = edit(found, None, labels, Sampling(strength=1.0, steps=2))
                to_pil(last.x0)
            elif kind == "upscaler" and found.image_size <= 64:
                to_pil(found.decode(torch.zeros(1, 3, 16, 16)))
            elif kind == "judge" and found.image_size <= 64:
                found.features(torch.zeros(1, 3, found.image_size, found.image_size))


def test_tars(place, tmp_path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.add(place / "data", "data")
    plain, path = packed.getvalue(), tmp_path / "odd.tar"
    for i, rng in enumerate(cases(150)):
        way = rng.randrange(3)
        data = mutated(rng, plain) if way else plain
        data = gzip.compress(data, 1) if rng.random() < 0.5 else data
        path.write_bytes(data if way == 1 else mutated(rng, data))
        with bounded(f"tar {i}"):
            load_pictures([path], 8)


def test_states(tmp_path) -> None:
    path = tmp_path / "state.pt"
    torch.save({"config": {"a": 1}, "model": {"w": torch.zeros(30)}, "step": 3}, path)
    content = path.read_bytes()
    for i, rng in enumerate(cases(150)):
        path.write_bytes(mutated(rng, content))
        with bounded(f"state {i}"):
            read_state(path, mmap=rng.random() < 0.5)


def test_numbers_of_evaluations(tmp_path) -> None:
    from diffusion.evaluate.compare import check_alike, differences, read_pictures
    from diffusion.evaluate.report import write_ablations

    figures = {"names": ["a", "b"], "of": ["a", "b"], "figures": {"speck": [0.1, None], "lines": [1, 2]}}
    good = {"checkpoint": "a", "judge": {"file": "j"}, "settings": {"seed": 0}, "each": {"hands": figures}}
    ablations = json.loads((Path(__file__).parents[1] / "checkpoints/ablations-sampling.json").read_text())
    for i, rng in enumerate(cases(100)):
        (tmp_path / "pictures.json").write_text(json.dumps(odd_json(rng, good)))
        with bounded(f"pictures.json {i}"):
            found = read_pictures(tmp_path)
            check_alike(found, good)
            differences(found["each"], good["each"])
        if i % 5 == 0:
            (tmp_path / "ablations-sampling.json").write_text(json.dumps(odd_json(rng, ablations, 0.05)))
            with bounded(f"ablations {i}"):
                write_ablations(tmp_path)


def commands() -> dict:
    from diffusion.__main__ import main as sdedit
    from diffusion.evaluate.__main__ import main as evaluate
    from diffusion.evaluate.ablate import SamplingSettings, TrainingSettings
    from diffusion.evaluate.ablate import main as ablate
    from diffusion.evaluate.bench import BenchSettings
    from diffusion.evaluate.bench import main as bench
    from diffusion.evaluate.evaluation import EvaluateSettings
    from diffusion.evaluate.judge import JudgeSettings
    from diffusion.evaluate.judge import main as judge
    from diffusion.evaluate.sweep import SweepSettings
    from diffusion.evaluate.sweep import main as sweep
    from diffusion.evaluate.upscaler import UpscalerSettings
    from diffusion.evaluate.upscaler import main as evaluate_upscaler
    from diffusion.train.config import TrainConfig
    from diffusion.train.pack import PackSettings
    from diffusion.train.pack import main as pack
    from diffusion.train.run import main as train
    from diffusion.train.upscaler import UpscalerRunConfig
    from diffusion.train.upscaler import main as upscaler

    def flags(*kinds: type) -> list[str]:
        return ["--" + f.name.replace("_", "-") for kind in kinds for f in fields(kind)] + [
            "--resume",
            "--odd",
        ]

    edit_flags = [word for action in _parser(None)._actions for word in action.option_strings]
    # What would work lacks one thing, a folder that is there, and would take little time if it got that.
    small = "--image-size 16 --patch-size 2 --channels 32 --head-channels 8 --blocks 1 --batch-size 2"
    return {
        "sdedit": (sdedit, "in.png out.png --steps 2 --checkpoint checkpoint.safetensors", edit_flags, 150),
        "train": (train, f"--data gone --out run --steps 1 --attention 0 {small}", flags(TrainConfig), 60),
        "upscaler": (upscaler, "--data gone --out run --own-results 0", flags(UpscalerRunConfig), 40),
        "pack": (pack, "--data data --out out.tar", flags(PackSettings), 40),
        "judge": (
            judge, f"--data gone --out j.safetensors --steps 1 {small}".replace("--head-channels 8", ""),
            flags(JudgeSettings), 40,
        ),
        "evaluate": (
            evaluate, "checkpoint.safetensors --data gone --judge judge.safetensors --out run",
            [*flags(EvaluateSettings), "--compare"], 40,
        ),
        "sweep": (
            sweep, "checkpoint.safetensors --data gone --judge judge.safetensors --out run",
            flags(SweepSettings), 30,
        ),
        "ablate": (
            ablate, "sampling checkpoint.safetensors --data gone --judge judge.safetensors --out run",
            flags(SamplingSettings, TrainingSettings), 40,
        ),
        "bench": (bench, "gone.safetensors --parts network --repeats 1", flags(BenchSettings), 20),
        "evaluate upscaler": (
            evaluate_upscaler, "upscaler.safetensors --checkpoint gone --data data --out run",
            flags(UpscalerSettings), 40,
        ),
    }  # fmt: skip


@pytest.mark.parametrize("name", commands())
def test_command_lines(place, monkeypatch, capsys, name) -> None:
    monkeypatch.chdir(place)
    main, good, flags, count = commands()[name]
    for i, rng in enumerate(cases(count)):
        words = odd_words(rng, good.split(), flags)
        with bounded(words):
            try:
                status = main(words)
            except SystemExit as end:  # --help
                status = end.code
        said = capsys.readouterr().err
        assert status in (0, 2), (words, status)
        lines = [
            line for line in said.splitlines() if line.strip() and "it/s" not in line and "%|" not in line
        ]
        assert "Traceback" not in said, words
        if status == 2:
            assert sum(line.startswith(f"{main.__wrapped__.__name__}") for line in lines) <= 1
            assert any(": " in line for line in lines), (i, words, said)
