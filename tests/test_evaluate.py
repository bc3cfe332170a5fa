"""The evaluation: it paints as the app does, finds what is planted, and says what is wrong."""

import json
from dataclasses import replace

import pytest
import torch
from PIL import Image, ImageDraw

from conftest import tiny_checkpoint
from diffusion import NoiseSchedule, UNetConfig, save_checkpoint
from diffusion.evaluate.judge import Judge, JudgeNet, save_judge
from diffusion.evaluate.parts import (
    PARTS,
    finite,
    main,
    memory,
    on_the_page,
    realism,
    restoration,
    same_labels,
    targets,
    training_bank,
)
from diffusion.evaluate.study import Study, as_x0
from diffusion.sdedit import edit
from diffusion.train import degrade
from diffusion.train.data import load_pictures

COLOURS = {"apple": "red", "pear": "green", "plum": "purple"}


def draw(folder, subjects=COLOURS, styles=("flat", "shaded"), things=5, size=32):
    """<subject>/<style>/<thing>.png; with one style named "", <class>/<thing>.png."""
    for subject, colour in subjects.items():
        for style in styles:
            (folder / subject / style).mkdir(parents=True)
            for i in range(things):
                image = Image.new("RGB", (size, size), "white")
                shape = ImageDraw.Draw(image)
                shape.ellipse([1 + i, 1, size - 2, size - 2 - i], fill=colour)
                if style == "shaded":
                    shape.ellipse([8, 8, 14 + i, 14], fill="white")
                image.save(folder / subject / style / f"{'abcdef'[i]}.png")
    return folder


def judge_for(pictures) -> Judge:
    torch.manual_seed(0)
    sizes = tuple(len(names) for names in pictures.label_names.values())
    config = UNetConfig(16, 2, (32,), 1, (False,), label_sizes=sizes)
    return Judge(JudgeNet(config).eval().requires_grad_(False), NoiseSchedule(), pictures.label_names)


def model_for(pictures):
    checkpoint = tiny_checkpoint(pictures.label_names, pictures.train().combinations())
    checkpoint.training = {"config": {"augment": "drawing"}, "steps": 7}
    return checkpoint


def fruit_folder(folder):
    """`folder` with data, checkpoint.safetensors and judge.safetensors, two label kinds."""
    pictures = load_pictures([draw(folder / "data")], 32)
    save_checkpoint(folder / "checkpoint.safetensors", model_for(pictures))
    save_judge(folder / "judge.safetensors", judge_for(pictures))
    return folder


@pytest.fixture(scope="module")
def fruit(tmp_path_factory):
    return fruit_folder(tmp_path_factory.mktemp("fruit"))


@pytest.fixture
def study(fruit):
    pictures = load_pictures([fruit / "data"], 32, 0.4)
    judge = judge_for(pictures)
    return Study(model_for(pictures), judge, pictures, judge.features, count=12, steps=2, precision="fp32")


def command(folder, out, *extra) -> list[str]:
    return [
        str(folder / "checkpoint.safetensors"), "--data", str(folder / "data"),
        "--judge", str(folder / "judge.safetensors"), "--out", str(out), "--steps", "2", "--count", "6",
        *extra,
    ]  # fmt: skip


# ------------------------------------------------------------------ painting


def test_each_picture_is_what_edit_makes_of_it(study):
    """Labels and seeds of their own, in a batch: the same as one by one through `edit`."""
    x0 = study.real[:3]
    rows, kinds = study.held_out.labels[:3], study.pictures.label_names
    for strength in (0.6, 1.0):
        together = study.paint(x0, rows, strength, [5, 6, 7], "test")
        for i in range(3):
            told = {kind: names[rows[i, k]] for k, (kind, names) in enumerate(kinds.items())}
            generator = torch.Generator().manual_seed(5 + i)
            *_, last = edit(
                study.checkpoint, x0[i : i + 1], told, strength, 2, study.guidance, generator=generator
            )
            torch.testing.assert_close(together[i : i + 1], last.x, rtol=1e-4, atol=1e-4)


def test_eta_s_noise_is_each_picture_s_own(study):
    noisy = replace(study, eta=1.0, steps=4)
    rows, kinds = study.held_out.labels[:2], study.pictures.label_names
    together = noisy.paint(None, rows, 1.0, [5, 6], "test")
    for i in range(2):
        told = {kind: names[rows[i, k]] for k, (kind, names) in enumerate(kinds.items())}
        generator = torch.Generator().manual_seed(5 + i)
        *_, last = edit(study.checkpoint, None, told, 1.0, 4, study.guidance, eta=1.0, generator=generator)
        torch.testing.assert_close(together[i : i + 1], last.x, rtol=1e-4, atol=1e-4)
    assert not torch.equal(together, replace(noisy, eta=0.0).paint(None, rows, 1.0, [5, 6], "test"))


def test_strength_0_is_the_input(study):
    assert study.paint(study.real, study.held_out.labels, 0.0, range(9), "test") is study.real


def test_held_out_pictures_are_spread_over_the_last_kind(study):
    assert study.held_out.held_out.all()
    assert len(study.held_out) == 12 and (study.held_out.labels[:, 1] == 0).sum() == 6
    assert sorted(study.brought.labels[:, 1].tolist()) == [0, 1] and len(study.brought_framed) == 2
    assert study.real.shape == (12, 3, 16, 16)


def test_inputs_are_of_the_model_s_size_and_strength_1_forgets_them(study):
    for x0 in study.inputs.values():
        assert x0.shape == (2, 3, 16, 16) and x0.min() >= -1 and x0.max() <= 1
    first = study.repainted("strokes", 1.0)
    assert study.repainted("outlines as they are", 1.0) is first
    assert not torch.equal(study.repainted("strokes", 0.5), study.repainted("outlines as they are", 0.5))


def test_whole_blocks_are_averaged():
    image = Image.new("RGB", (4, 2), "white")
    image.paste((0, 0, 0), (0, 0, 1, 2))
    assert as_x0([image.crop((0, 0, 2, 2))], 1).flatten().tolist() == [0, 0, 0]


# ------------------------------------------------------------------ parts


def test_same_labels_are_training_pictures_of_the_same_labels(study):
    train = study.pictures.train()
    chosen = same_labels(train, study.held_out.labels, 0)
    assert torch.equal(chosen.labels, study.held_out.labels) and not chosen.held_out.any()
    unseen = same_labels(train.subset(train.labels[:, 0] == 0), torch.tensor([[2, 1]]), 0)
    assert unseen.labels.tolist() == [[0, 1]]  # another subject in the same style


def test_realism_of_the_real_pictures_themselves(study):
    """Were the generated pictures the held-out ones again, the distances would say so."""
    study.__dict__["generated"] = study.real
    result = realism(study)
    assert result["kid"]["generated"]["value"] <= 0  # the same points: the diagonal is what is left out
    assert result["frechet"]["generated"] is None  # 12 pictures, 32 features
    assert list(result["each"]) == ["flat", "shaded"] and result["between"]["nearest"] is not None


def test_memory_finds_copies(study):
    """A model that gives training pictures back is found out by every measure."""
    study.checkpoint.training["config"]["augment"] = "none"
    study.__dict__["generated"] = study.as_trained(study.pictures.train())
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


def test_perfect_restoration_is_measured_as_such(study, monkeypatch):
    pytest.importorskip("skimage")
    blank = Image.new("RGB", (16, 16), "black")
    monkeypatch.setattr(degrade, "denoised", lambda image, strength: image if strength == 10 else blank)
    truth = as_x0(study.brought_framed, 16)
    study.paint = lambda x0, labels, strength, *rest, **_: truth if strength == 0.3 else x0
    result = restoration(study)
    assert result["kinds"]["4 pixels"]["0.3"]["ssim"] == pytest.approx(1)
    for rows in result["kinds"].values():
        assert rows["input"] == rows["0.1"] and rows["input"]["ssim"] < 1
        assert rows["0.3"]["psnr"] == 60  # not infinity
        assert rows["denoiser"] == rows["input"]  # the best of its strengths, not the worst
    assert [t["met"] for t in targets({"restoration": result})] == [True]


def test_targets_of_good_and_bad_numbers():
    def of(ratio):
        return targets({"labels": {"ratio": {"subject": ratio, "style": ratio, "subject in 5": ratio}}})

    assert [t["met"] for t in of(0.95)] == [True, True]
    assert [t["met"] for t in of(0.85)] == [True, False]
    assert of(None) == [] and targets({}) == []


def test_json_is_kept_free_of_nan():
    assert finite({"a": [float("nan"), 1.0, {"b": (float("inf"), "x")}]}) == {
        "a": [None, 1.0, {"b": [None, "x"]}]
    }


# ------------------------------------------------------------------ whole runs


@pytest.mark.slow
def test_a_whole_evaluation(fruit, tmp_path, capsys):
    pytest.importorskip("skimage")
    assert main(command(fruit, tmp_path / "a")) == 0
    assert "label combinations" in (tmp_path / "a" / "EVALUATION.md").read_text()
    text = (tmp_path / "a" / "evaluation.json").read_text()
    assert "NaN" not in text and "Infinity" not in text  # Python would read them, others would not
    result = json.loads(text)
    assert set(PARTS) < set(result) and set(result["seconds"]) == set(PARTS)
    assert set(result["labels"]["ratio"]) == {"subject", "style", "subject in 5"}
    assert len(result["faithfulness"]["kinds"]["strokes"]["strengths"]) == 11
    assert result["faithfulness"]["kinds"]["strokes"]["strengths"]["0"]["l2"] == 0
    assert len(result["loss"]["v"]) == 10 and min(result["loss"]["v"]) > 0
    assert result["targets"] and str(fruit.parent) not in json.dumps(result)  # reports travel
    report = (tmp_path / "a" / "EVALUATION.md").read_text()
    for picture in ("faithfulness.png", "nearest.png", "sheet.jpg"):
        assert f"({picture})" in report
        assert Image.open(tmp_path / "a" / picture).width > 50
    assert "do not compare with published" in report
    assert "subject accuracy" in capsys.readouterr().out


@pytest.mark.slow
def test_same_seed_same_numbers(fruit, tmp_path):
    parts = ["--parts", "labels", "realism", "loss"]
    results = []
    for name, seed in (("a", "0"), ("b", "0"), ("c", "1")):
        assert main(command(fruit, tmp_path / name, *parts, "--seed", seed)) == 0
        result = json.loads((tmp_path / name / "evaluation.json").read_text())
        results.append([result[part] for part in ("labels", "realism", "loss")])
    assert results[0] == results[1] != results[2]


def test_one_label_kind_is_enough(tmp_path):
    """As with CIFAR-10: <class>/<picture>."""
    pytest.importorskip("skimage")
    pictures = load_pictures([draw(tmp_path / "data", styles=("",))], 32)
    save_checkpoint(tmp_path / "checkpoint.safetensors", model_for(pictures))
    save_judge(tmp_path / "judge.safetensors", judge_for(pictures))
    assert main(command(tmp_path, tmp_path / "out")) == 0
    result = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert set(result["labels"]["ratio"]) == {"class", "class in 5"} and result["realism"]["by"] == "class"


# ------------------------------------------------------------------ mistakes


@pytest.mark.parametrize(
    "changes, message",
    [
        (["--data", "nowhere"], "no training pictures at nowhere"),
        (["--judge", "nowhere"], "no judge at nowhere"),
        (["--hold-out", "0"], "No picture is held out"),
        (["--count", "0"], "--count"),
    ],
)
def test_mistakes_are_one_line_and_status_2(fruit, tmp_path, capsys, changes, message):
    assert main(command(fruit, tmp_path / "out", *changes)) == 2
    error = capsys.readouterr().err
    assert error.startswith("evaluate: ") and message in error and error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_things_that_do_not_belong_together(fruit, tmp_path, capsys):
    pictures = load_pictures([draw(tmp_path / "data", {"apple": "red", "house": "blue"})], 32)
    save_judge(tmp_path / "judge.safetensors", judge_for(pictures))
    assert main(command(fruit, tmp_path / "out", "--judge", str(tmp_path / "judge.safetensors"))) == 2
    assert "different labels" in capsys.readouterr().err
    assert main(command(fruit, tmp_path / "out", "--data", str(tmp_path / "data"))) == 2
    assert "other labels" in capsys.readouterr().err
    small = judge_for(load_pictures([fruit / "data"], 32))
    small.model = JudgeNet(UNetConfig(8, 2, (32,), 1, (False,), label_sizes=(3, 2)))
    save_judge(tmp_path / "small.safetensors", small)
    assert main(command(fruit, tmp_path / "out", "--judge", str(tmp_path / "small.safetensors"))) == 2
    assert "8 pixels" in capsys.readouterr().err


def test_no_checkpoint(fruit, tmp_path, capsys):
    argv = command(fruit, tmp_path / "out")
    argv[0] = "nowhere.safetensors"
    assert main(argv) == 2 and "no checkpoint at nowhere" in capsys.readouterr().err
