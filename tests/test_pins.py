"""What was made before is made again: pictures by seed, files and links.

What pins.json holds of tiny and cifar10-32 was written by the code of commit 8252e9e, before the rebuilding;
of doodle-64 and its judge, when they were trained anew, with noise as it comes (temperature 1) and unsteered.
Processors differ in the last bits, so what is pinned of a picture are the means of its boxes of 8 x 8 pixels.
`PYTHONPATH=. python tests/test_pins.py` writes the file again.
"""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from conftest import tiny_checkpoint
from diffusion import Sampling, edit, load_checkpoint, save_checkpoint
from diffusion.classifier import load_classifier
from diffusion.images import load, prepare
from diffusion.lesson import first_step, noise_parts, seeded_noise
from diffusion.lineart import colour_in
from diffusion.page.settings import Settings, known_settings

ROOT = Path(__file__).parent.parent
PINS = Path(__file__).with_name("pins.json")
WORDS = {
    "tiny": {"subject": "cat", "style": "noto"},
    "doodle-64": {"subject": "cat", "style": "noto"},
    "cifar10-32": {"class": "horse"},
}
OTHER_WORDS = {
    "tiny": {"subject": "apple"},
    "doodle-64": {"subject": "apple", "style": "photo"},
    "cifar10-32": {"class": "ship"},
}


@cache
def checkpoint_of(name):
    return tiny_checkpoint() if name == "tiny" else load_checkpoint(ROOT / f"checkpoints/{name}.safetensors")


def drawing_for(name):
    """float32 (1, 3, R, R)."""
    checkpoint = checkpoint_of(name)
    picture = colour_in(load(ROOT / "assets/drawings/cat.png"), checkpoint.colours_of(WORDS[name]))
    return prepare(picture, checkpoint.image_size).x0


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def run(name, image, words, strength, steps, guidance, eta, seeds, **more):
    """All Steps of an edit."""
    generators = [seeded(seed) for seed in seeds]
    return list(
        edit(
            checkpoint_of(name),
            image,
            words,
            Sampling(strength, steps, guidance, eta, temperature=1.0, steering=0.0),
            generators,
            **more,
        )
    )


def edits(name):
    """Every way to go through `edit`: what it was -> (B, 3, R, R)."""
    image, words, others = drawing_for(name), WORDS[name], OTHER_WORDS[name]
    three = image.expand(3, -1, -1, -1)
    mask = torch.ones(1, 1, *image.shape[-2:])
    mask[..., : image.shape[-1] // 2] = 0
    whole = run(name, image, words, 0.8, 6, 2.0, 0.0, [3])
    noisy = run(name, image, words, 0.8, 6, 2.0, 0.5, [3])
    kept = run(name, image, words, 0.7, 6, 3.0, 0.5, [3], mask=mask)
    states = {
        "usual": run(name, image, words, 0.6, 10, 2.0, 0.0, [0]),
        "without words, guidance off": run(name, image, {}, 0.6, 6, 1.0, 0.0, [1]),
        "guidance 0": run(name, image, words, 0.6, 6, 0.0, 0.0, [1]),
        "guidance 5, eta 1": run(name, image, words, 0.9, 6, 5.0, 1.0, [2]),
        "three seeds, eta 0.5": run(name, three, words, 0.7, 6, 2.0, 0.5, [5, 6, 7]),
        "from nothing": run(name, None, words, 1.0, 6, 2.0, 0.0, [8, 9]),
        "from a drawing at strength 1": run(name, image, words, 1.0, 6, 2.0, 0.0, [8]),
        "masked, eta 0.5": kept,
        "masked, going on": run(name, image, words, 0.7, 6, 3.0, 0.5, [3], mask=mask, after=kept[1]),
        "going on": run(name, image, words, 0.8, 6, 2.0, 0.0, [3], after=whole[2]),
        "going on, eta 0.5": run(name, image, words, 0.8, 6, 2.0, 0.5, [3], after=noisy[2]),
        "going on with other words": run(name, image, others, 0.8, 6, 2.0, 0.0, [3], after=whole[2]),
        "going on, covered anew": run(
            name, image, words, 0.8, 6, 2.0, 0.5, [4], after=whole[2], renoise=True
        ),
        "strength 0": run(name, image, words, 0.0, 6, 2.0, 0.0, [3]),
    }  # fmt: skip
    last = {what: steps[-1].x for what, steps in states.items()}
    return last | {"third prediction": whole[2].x0, "third state": whole[2].x}


def lessons(name):
    """What the page's lesson shows: numbers, and pictures (B, 3, R, R)."""
    checkpoint, image, words = checkpoint_of(name), drawing_for(name), WORDS[name]
    parts = noise_parts(checkpoint.schedule, image, seeded_noise(image, 7), 400)
    step = first_step(
        checkpoint,
        image,
        599,
        words,
        Sampling(steps=20, guidance=2.0, eta=0.5, temperature=1.0, steering=0.0),
        seeded(7),
    )
    dials = {"guidance": (1, 4, 2, 2), "eta": (0, 0, 0.5, 1)}
    *_, last = edit(
        checkpoint,
        image.expand(4, -1, -1, -1),
        words,
        Sampling(0.6, 6, **dials, temperature=1.0, steering=0.0),
        [seeded(7) for _ in range(4)],
    )
    pictures = {
        "x_t": parts.x_t, "step's x0": step.x0, "step's eps": step.eps, "x_prev": step.x_prev, "dials": last.x
    }  # fmt: skip
    numbers = [parts.abar, parts.signal_scale, parts.noise_scale]
    numbers += [step.t_prev, step.x0_scale, step.eps_scale, step.sigma]
    return pictures, numbers


def verdicts():
    """The judge's logits (1, n) for each label kind, of a clean and of a noisy picture."""
    judge = load_classifier(ROOT / "checkpoints/judge/judge-64.safetensors")
    x0 = drawing_for("doodle-64")
    x_t = judge.schedule.add_noise(x0, seeded_noise(x0, 1), 300)
    return [*judge.logits(x0), *judge.logits(x_t, 300)]


SETTINGS = Settings(
    "doodle-64", {"subject": "ice cream", "style": "fluent-3d"}, 0.6, 20, 2.0, 0.5, 7, True, "fp32"
)
LINKS = [
    {"model": "tiny", "subject": "cat", "style": "noto", "strength": "0.55", "steps": "12", "colour": "0"},
    {"subject": "cow", "strength": "7", "steps": "nan", "guidance": "3.5", "eta": "-1", "seed": "1e3"},
    {"labels": {"subject": "pear"}, "model": "gone", "seed": 99, "colour": True},
]  # fmt: skip


def links():
    return [
        SETTINGS.to_query(),
        *(known_settings(link, {"tiny": checkpoint_of("tiny")}, "tiny") for link in LINKS),
    ]


def boxes(x):
    """(B, C, H, W) -> the means of its boxes of 8 x 8 pixels, in one list."""
    return torch.nn.functional.avg_pool2d(x.float(), 8).flatten().tolist()


def same_boxes(x, pinned):
    torch.testing.assert_close(torch.tensor(boxes(x)), torch.tensor(pinned), rtol=0, atol=2e-3)


def pins():
    return json.loads(PINS.read_text())


@pytest.mark.parametrize("name", WORDS)
def test_pictures_by_seed(name):
    made, pinned = edits(name), pins()["edits"][name]
    assert set(made) == set(pinned)
    for what, x in made.items():
        same_boxes(x, pinned[what])
    assert torch.equal(made["strength 0"], drawing_for(name))


@pytest.mark.parametrize("name", WORDS)
def test_the_lesson(name):
    (pictures, numbers), pinned = lessons(name), pins()["lessons"][name]
    for what, x in pictures.items():
        same_boxes(x, pinned["pictures"][what])
    assert numbers == pytest.approx(pinned["numbers"], rel=1e-9)


def test_a_plain_ddim_loop_gives_the_same_bits():
    """DDIM eq. 12 at eta 0 with guidance, as one would write it down: nothing that is not in `edit`."""
    checkpoint, image = checkpoint_of("tiny"), drawing_for("tiny")
    words, null = checkpoint.encode_labels(WORDS["tiny"]), checkpoint.encode_labels({})
    abar = [*checkpoint.schedule.alphas_cumprod, torch.ones((), dtype=torch.float64)]
    eps = torch.randn((1, *image.shape[1:]), generator=seeded(3))
    timesteps = [599, 499, 399, 299, 199, 99]  # strength 0.6 of 10 steps
    x = (abar[599].sqrt() * image.double() + (1 - abar[599]).sqrt() * eps.double()).float()
    for t, t_prev in zip(timesteps, [*timesteps[1:], -1]):
        with torch.no_grad():
            uncond, cond = checkpoint.model(
                torch.cat([x, x]), torch.tensor([t, t]), torch.cat([null, words])
            ).chunk(2)
        v, a, s = (uncond + 2.0 * (cond - uncond)).double(), abar[t].sqrt(), (1 - abar[t]).sqrt()
        x0 = (a * x.double() - s * v).float().clamp(-1, 1).double()
        eps = ((x.double() - a * x0) / s).float().double()
        x = (abar[t_prev].sqrt() * x0 + (1 - abar[t_prev]).sqrt() * eps).float()
    *_, last = run("tiny", image, WORDS["tiny"], 0.6, 10, 2.0, 0.0, [3])
    assert torch.equal(last.x, x)


def test_the_judge():
    for logits, pinned in zip(verdicts(), pins()["judge"], strict=True):
        assert int(logits.argmax()) == pinned["best"]
        assert logits.max() == pytest.approx(pinned["logit"], abs=2e-2)
        assert logits.mean() == pytest.approx(pinned["mean"], abs=2e-2)


def header(path, key):
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    return metadata["format"], json.loads(metadata[key])


@pytest.mark.parametrize("name", ["doodle-64", "cifar10-32"])
def test_a_checkpoint_saved_again_says_the_same(name, tmp_path):
    """Word for word; what checkpoints have learnt to say since may stand beside."""
    save_checkpoint(tmp_path / "again.safetensors", checkpoint_of(name), torch.float16)
    before, after = ROOT / f"checkpoints/{name}.safetensors", tmp_path / "again.safetensors"
    (form, told), (form_again, told_again) = header(before, "checkpoint"), header(after, "checkpoint")
    told_again["model"] = {key: told_again["model"][key] for key in told["model"]}
    assert form == form_again and told == {key: told_again[key] for key in told}
    assert told["schedule"] == {
        "kind": "cosine", "num_train_timesteps": 1000, "prediction_type": "sample"
    }  # fmt: skip
    with safe_open(before, framework="pt") as a, safe_open(after, framework="pt") as b:
        assert set(a.keys()) == set(b.keys())
        assert all(torch.equal(a.get_tensor(key), b.get_tensor(key)) for key in a.keys())


def test_links():
    assert links() == pins()["links"]
    assert replace(SETTINGS, colour=False).to_query() == links()[0].replace("colour=1", "colour=0")


if __name__ == "__main__":

    def rounded(x):
        return [round(value, 4) for value in boxes(x)]

    found = {"edits": {}, "lessons": {}, "links": links()}
    for name in WORDS:
        found["edits"][name] = {what: rounded(x) for what, x in edits(name).items()}
        pictures, numbers = lessons(name)
        found["lessons"][name] = {
            "pictures": {what: rounded(x) for what, x in pictures.items()}, "numbers": numbers
        }  # fmt: skip
    found["judge"] = [
        {"best": int(row.argmax()), "logit": round(float(row.max()), 4), "mean": round(float(row.mean()), 4)}
        for row in verdicts()
    ]
    PINS.write_text(json.dumps(found, separators=(",", ":")).replace("],", "],\n") + "\n")
