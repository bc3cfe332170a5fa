"""Every command refuses a mistake with status 2 and one line that says what is wrong, and touches nothing."""

import shlex
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from conftest import tiny_checkpoint
from diffusion import UNetConfig, save_checkpoint
from diffusion.__main__ import main as sdedit
from diffusion.classifier import ClassifierNet, save_classifier
from diffusion.evaluate.__main__ import main as evaluate
from diffusion.evaluate.ablate import main as ablate
from diffusion.evaluate.bench import main as bench
from diffusion.evaluate.guesses import main as guesses
from diffusion.evaluate.judge import main as judge
from diffusion.evaluate.sweep import main as sweep
from diffusion.train.data import load_pictures
from diffusion.train.pack import main as pack
from diffusion.train.run import main as train
from diffusion.train.upscaler import main as upscaler
from fruit import classifier_for, draw, fruit_folder

COMMANDS = {
    "sdedit": (sdedit, "in.png out.png --checkpoint tiny.safetensors"),
    "train": (train, "--out run"),
    "upscaler": (upscaler, "--data data --out run --own-results 0"),
    "pack": (pack, "--data data --out out.tar"),
    "judge": (judge, "--data data --out out.safetensors --image-size 16"),
    "evaluate": (evaluate, "checkpoint.safetensors --data data --judge judge.safetensors --out run"),
    "sweep": (sweep, "checkpoint.safetensors --data data --judge judge.safetensors --out run"),
    "ablate": (ablate, ""),
    "bench": (bench, ""),
    "guesses": (guesses, "judge.safetensors"),
}
SAMPLING = "sampling checkpoint.safetensors --data data --judge judge.safetensors --out run"
TRAINING = "training --data data --judge judge.safetensors --out run"
MISTAKES = [
    ("sdedit", "--subject aple", "No subject 'aple' here. Did you mean apple?"),
    ("sdedit", "--style oil", "No style 'oil' here. There are: photo, noto."),
    ("sdedit", "--strength 1.5", "--strength: must be a number from 0 to 1, not '1.5'"),
    ("sdedit", "--strength nan", "--strength: must be a number from 0 to 1, not 'nan'"),
    ("sdedit", "--strength much", "--strength: must be a number from 0 to 1, not 'much'"),
    ("sdedit", "--steps 0", "--steps: must be a whole number of at least 1, not '0'"),
    ("sdedit", "--steps 2.5", "--steps: must be a whole number of at least 1, not '2.5'"),
    ("sdedit", "--steps 1001", "between 1 and 1000, not 1001"),
    ("sdedit", "--guidance inf", "--guidance: must be a number of at least 0, not 'inf'"),
    ("sdedit", "--eta -1", "--eta: must be a number from 0 to 1, not '-1'"),
    ("sdedit", "--seed -1", "--seed: must be a whole number from 0 to"),
    ("sdedit", f"--seed {2**64}", "--seed: must be a whole number from 0 to"),
    ("sdedit", "--size 0", "--size: must be a whole number from 8 to 4096, not '0'"),
    ("sdedit", "--mask gone.png", "Cannot read gone.png: No such file or directory."),
    ("sdedit", "--mask note.txt", "note.txt is not a picture"),
    ("sdedit", "--mask wide.png", "The mask is 90 x 20 pixels, the picture 80 x 60"),
    ("sdedit", "--gif no/g.gif", "Cannot write no/g.gif: there is no folder no."),
    ("sdedit", "--frames note.txt", "Cannot write note.txt: File exists."),
    ("sdedit", "--see 1", "Unknown argument '--see'; this checkpoint has --subject, --style."),
    ("sdedit", "--seed", "--seed: expected one argument"),
    ("sdedit", "= gone.png out.png --checkpoint tiny.safetensors", "Cannot read gone.png: No such file"),
    ("sdedit", "= cut.png out.png --checkpoint tiny.safetensors", "cut.png is damaged or cut short."),
    ("sdedit", "= in.png --checkpoint tiny.safetensors", "the following arguments are required: OUT"),
    ("sdedit", "= - out.png --checkpoint tiny.safetensors --strength 0.5", "so leave --strength out"),
    ("sdedit", "= - out.png --checkpoint tiny.safetensors --mask in.png", "A mask needs a drawing to keep"),
    ("sdedit", "--checkpoint gone.safetensors", "There is no checkpoint at gone.safetensors."),
    ("sdedit", "--checkpoint cut.safetensors", "cut.safetensors is damaged"),
    ("sdedit", "--checkpoint in.png", "in.png is damaged or not a safetensors file."),
    ("train", "", "--data"),
    ("train", "--data nowhere", "no training pictures at nowhere"),
    ("train", "--resume", "nothing to resume"),
    ("train", "--data x --channels 32 33 --attention 0 0", "must be a multiple of 32"),
    ("train", "--data x --attention 0", "one entry for each level"),
    ("train", "--data x --image-size 20", "must be a multiple of 8"),
    ("train", "--data x --image-size 999999", "image_size must be a whole number from 1 to 1024"),
    ("train", f"--data x --seed {2**63}", "--seed: must be a whole number from 0 to"),
    ("train", f"--data x --steps {'9' * 400}", "--steps: must be a whole number of at least 1, not '9999"),
    ("train", f"--data x --lr {'9' * 400}", "--lr: must be a number of at least 0, not '9999"),
    ("train", "--data data --device gpu", "--device: PyTorch has no 'gpu' here"),
    ("train", "--data data --batch-size 0", "--batch-size: must be a whole number of at least 1, not '0'"),
    ("train", "--data data --accumulate 0", "--accumulate: must be a whole number of at least 1"),
    ("train", "--data data --hold-out 1", "--hold-out: must be a number of at least 0 and less than 1"),
    ("train", "--data data --label-dropout 2", "--label-dropout: must be a number from 0 to 1, not '2'"),
    ("train", "--data data --balance -3", "--balance: must be a number from 0 to 1, not '-3'"),
    ("train", "--data data --save-every 0", "--save-every: must be a whole number of at least 1"),
    ("train", "--data data --noise-over 0.9 --sketched 0.1", "--noise-over cannot be more than --sketched"),
    ("upscaler", "--data nowhere", "no training pictures at nowhere"),
    ("upscaler", "--own-results 5", "Say whose results are to be enlarged"),
    ("upscaler", "--checkpoint gone --own-results 5", "no checkpoint at gone"),
    ("upscaler", "--own-share 2", "--own-share: must be a number from 0 to 1, not '2'"),
    ("upscaler", "--channels 99999", "channels must be a whole number from 1 to 4096"),
    ("upscaler", "--convolutions 1", "--convolutions: must be a whole number of at least 2, not '1'"),
    ("upscaler", "--photos data --photo-side 50", "more than the pictures have pixels"),
    ("pack", "--data missing", "There are no training pictures at missing"),
    ("pack", "--data empty", "empty holds no pictures"),
    ("pack", "--data data data", "is there twice"),
    ("pack", "--size 99999", "--size: must be a whole number from 1 to 10000"),
    ("pack", "--quality 0", "--quality: must be a whole number from 1 to 100, not '0'"),
    ("judge", "--data nowhere", "no training pictures at nowhere"),
    ("judge", "--data nowhere --channels 33", "must be a multiple of"),
    ("judge", "--schedule square", "--schedule: invalid choice: 'square'"),
    ("judge", f"--seed {2**64}", "--seed: must be a whole number from 0 to"),
    ("judge", "--blocks 9999", "blocks must be a whole number from 1 to 64"),
    ("judge", "--batch-size 0", "--batch-size: must be a whole number of at least 1, not '0'"),
    ("judge", "--hold-out 1", "--hold-out: must be a number of at least 0 and less than 1, not '1'"),
    ("evaluate", "--data nowhere", "no training pictures at nowhere"),
    ("evaluate", "--judge nowhere", "no judge at nowhere"),
    ("evaluate", "--hold-out 0", "No picture is held out"),
    ("evaluate", "--count 0", "--count: must be a whole number of at least 1"),
    ("evaluate", "--parts everything", "--parts: invalid choice: 'everything'"),
    ("evaluate", "--judge houses.safetensors", "different labels"),
    ("evaluate", "--data houses", "other labels"),
    ("evaluate", "--judge small.safetensors", "8 pixels"),
    ("evaluate", "= gone --data data --judge judge.safetensors --out run", "no checkpoint at gone"),
    ("evaluate", "--drawings nowhere", "There is no folder of drawings at nowhere."),
    ("evaluate", "--names gone.json", "Cannot read gone.json: No such file"),
    ("evaluate", "--strengths 0.6 2", "--strengths: must be a number from 0 to 1, not '2'"),
    ("evaluate", "--parts hands --judge houses.safetensors", "judge knows other labels than the pictures"),
    ("evaluate", "--parts drawings --hold-out 0", "No picture is held out"),
    ("evaluate", "= --compare a.safetensors --out run", "the following arguments are required: b"),
    ("evaluate", "= --compare a.safetensors data --out run", "a.safetensors, --data and --judge are needed."),
    ("evaluate", "= --compare data data --out run", "Cannot read data/pictures.json: No such file"),
    ("sweep", "--guidances -1", "--guidances: must be a number of at least 0, not '-1'"),
    ("sweep", "--step-counts 0", "--step-counts: must be a whole number of at least 1, not '0'"),
    ("sweep", "--cells 0", "--cells: must be a whole number of at least 1, not '0'"),
    ("sweep", "--judge small.safetensors", "8 pixels"),
    ("ablate", f"{TRAINING} --data nowhere", "no training pictures at nowhere"),
    ("ablate", f"{TRAINING} --samples 7", "--samples must be at least 32"),
    ("ablate", f"{TRAINING} --seeds 1", "--seeds: must be a whole number of at least 2"),
    ("ablate", f"{TRAINING} --hold-out 0", "No picture is held out"),
    ("ablate", f"{TRAINING} --judge houses.safetensors", "The judge knows other labels"),
    ("ablate", f"{SAMPLING} --judge nowhere", "no judge at nowhere"),
    ("ablate", f"{SAMPLING} --count 0", "--count: must be a whole number of at least 1"),
    ("ablate", "page --out run", "no numbers"),
    ("ablate", "", "required: what"),
    ("guesses", "--drawings nowhere", "nowhere has no drawing of anything that judge.safetensors knows."),
    ("guesses", "--drawings .", "cut.png should be named <what>-<habit>-<number>.png."),
    ("guesses", "= gone", "There is no judge at gone."),
    ("bench", "gone", "no checkpoint at gone"),
    ("bench", "gone --repeats 0", "--repeats: must be a whole number of at least 1"),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with everything that the commands above name."""
    folder = fruit_folder(tmp_path_factory.mktemp("place"))
    draw(folder / "houses", {"apple": "red", "house": "blue"})
    houses = classifier_for(load_pictures([folder / "houses"], 32))
    save_classifier(folder / "houses.safetensors", houses)
    small = classifier_for(load_pictures([folder / "data"], 32))
    small.model = ClassifierNet(UNetConfig(8, 2, (32,), 1, (False,), label_sizes=(3, 2)))
    save_classifier(folder / "small.safetensors", small)
    names = {"subject": ["apple", "cat", "ice cream"], "style": ["photo", "noto"]}
    save_checkpoint(folder / "tiny.safetensors", tiny_checkpoint(names, []))
    (folder / "cut.safetensors").write_bytes((folder / "tiny.safetensors").read_bytes()[:5000])
    image = Image.new("RGB", (80, 60), "white")
    ImageDraw.Draw(image).ellipse((10, 20, 40, 45), fill=(200, 30, 30))
    image.save(folder / "in.png")
    (folder / "cut.png").write_bytes((folder / "in.png").read_bytes()[:150])
    (folder / "out.png").write_bytes(b"precious")
    (folder / "note.txt").write_text("not a picture")
    Image.new("L", (90, 20)).save(folder / "wide.png")
    (folder / "empty").mkdir()
    return folder


def state(folder: Path) -> dict[Path, tuple[int, int]]:
    """Sizes and times of all that is there."""
    return {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in folder.rglob("*")}


@pytest.mark.parametrize("name, words, message", MISTAKES)
def test_mistakes_are_one_line_and_status_2(place, monkeypatch, capsys, name, words, message):
    """Words that begin with = stand alone, others behind a command that would work."""
    monkeypatch.chdir(place)
    main, good = COMMANDS[name]
    argv = words.removeprefix("= ") if words.startswith("=") else f"{good} {words}"
    before = state(place)
    assert main(shlex.split(argv)) == 2
    out, error = capsys.readouterr()
    (said,) = (line for line in error.splitlines() if line and "picture/s" not in line)  # a bar is no line
    assert said.startswith(f"{name}: ") and message in said
    assert out == "" and state(place) == before
