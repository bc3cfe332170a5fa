"""What there is to choose from: the checkpoints in the folder, their labels, the example drawings."""

from __future__ import annotations

import os
import random
import re
import zlib
from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TypedDict

from ..checkpoint import Checkpoint, load_checkpoint
from ..classifier import ClassifierError
from ..errors import DoodleError
from ..files import read_text
from ..folders import files_in
from ..kinds import COLOURED, OUTLINE, PHOTO
from ..upscaler import UpscalerError
from .worker import in_model_thread

ASSETS = Path(__file__).parents[2] / "assets"
DRAWINGS = ASSETS / "drawings"
# Whose pictures stand in names.webp, one after the other: assets/name_pictures.py makes both.
PICTURED = {name: i for i, name in enumerate(read_text(ASSETS / "web" / "names.txt").splitlines())}

FIRST = ["apple", "photo"]  # what the page opens with, where the checkpoint has it
TYPICAL = "Typical of {}"
STRENGTH_SAYS = {  # below the dial, of each kind of drawing
    OUTLINE: "Outlines: 1, the words say the colours",
    COLOURED: "0 keeps your drawing, 1 repaints all of it",
    PHOTO: "A photo: 0.25 keeps it, more repaints it",
}
QUESTIONS = {"subject": "What is it?", "class": "What is it?", "style": "How should it look?"}
PLAIN = {  # kind -> what names are shown as that say little to people; any other is shown as it is
    "style": {
        "noto": "Rounded", "fluent-3d": "3D", "fluent-color": "Glossy", "fluent-flat": "Flat",
        "twemoji": "Simple", "emojitwo": "Crisp", "blob": "Soft", "streamline": "Outlined",
    }
}  # fmt: skip
NOT_SEEN = "Never seen as {}: {} for now."
ONE_LIST = 40  # names that can be looked through without headings
OTHER = "Other"


class Example(TypedDict):
    """An example drawing, as examples.html shows it."""

    subject: str
    name: str  # the subject as people write it
    file: str  # its name in DRAWINGS
    url: str  # below the address of the modules, see web.py


class Word(TypedDict):
    """A name to choose, as words.html shows it; `picture`: its place in assets/web/names.webp, or -1."""

    name: str
    shown: str
    aliases: list[str]
    picture: int


class Group(TypedDict):
    """Names that belong together; the title is empty where there is only one group."""

    title: str
    words: list[Word]


class Words(TypedDict):
    """All names of the first label kind, and the question they answer."""

    label: str
    groups: list[Group]


class Typical(TypedDict):
    """Colours for the canvas to offer, and what to call them."""

    label: str
    colours: list[str]


def find_checkpoints(folder: Path) -> tuple[dict[str, Checkpoint], list[str]]:
    """Load a folder -> {file stem: checkpoint} and a sentence for each file that is no use.

    What paints the largest pictures comes first, it is what the page opens with; what draws latents, last.
    """
    found, problems = {}, []
    for path in files_in(folder, ".safetensors"):
        upscaler = guide = True  # one that is of no use must not take the model along, nor the other
        try:
            while path.stem not in found:
                try:
                    found[path.stem] = in_model_thread(load_checkpoint, path, upscaler=upscaler, guide=guide)
                except UpscalerError as error:
                    problems.append(str(error))
                    upscaler = False
                except ClassifierError as error:
                    problems.append(str(error))
                    guide = False
        except DoodleError as error:
            problems.append(str(error))
    problems = [problem.replace(f"{folder}{os.sep}", "") for problem in dict.fromkeys(problems)]
    largest = sorted(found.items(), key=lambda item: (not item[1].codec.in_pixels, -item[1].image_size))
    return dict(largest), problems


def in_words(checkpoint: Checkpoint, name: str) -> str:
    """What a checkpoint is, for who does not know its name: "9 things in 2 styles, 64 pixels (NAME)".

    And how, where it goes another way than most.
    """
    things, *ways = [len(names) for names in checkpoint.label_names.values()] or [0]
    styles = f" in {ways[0]} style{'s' * (ways[0] > 1)}" if ways else ""
    pixels = f"{checkpoint.drawing_size} pixels" + ", enlarged" * checkpoint.enlarges
    way = ", rectified flow" * checkpoint.schedule.straight + ", latent" * (not checkpoint.codec.in_pixels)
    return f"{things} thing{'s' * (things > 1)}{styles}, {pixels}{way} ({name})"


def pretty(name: str) -> str:
    """A label's name as people write it: "fluent-3d" -> "Fluent 3D"."""
    words = re.sub(r"\b\dd\b", lambda match: match[0].upper(), name.replace("-", " ").replace("_", " "))
    return words[:1].upper() + words[1:]


def question(kind: str) -> str:
    """What a label kind is called above its list."""
    return QUESTIONS.get(kind, pretty(kind))


def shown(kind: str, name: str) -> str:
    """What a name of that label kind is called on the page: "noto" -> "Rounded"."""
    return PLAIN.get(kind, {}).get(name) or pretty(name)


def words_of(checkpoint: Checkpoint) -> Words:
    """The names of the first label kind: by category where the checkpoint knows any, else by first letter."""
    kind, names = next(iter(checkpoint.label_names.items()), ("", []))
    known = checkpoint.names

    def title(name: str) -> str:
        if any("category" in about for about in known.values()):
            return pretty(known.get(name, {}).get("category") or OTHER)
        return name[:1].upper() if len(names) > ONE_LIST else ""

    def word(name: str) -> Word:
        aliases = known.get(name, {}).get("aliases", [])
        return {
            "name": name,
            "shown": pretty(name),
            "aliases": aliases,
            "picture": PICTURED.get(name, -1),
        }

    ordered = sorted(names, key=lambda name: (title(name) == OTHER, title(name), name.lower()))
    groups = groupby(ordered, key=title)
    return {
        "label": question(kind),
        "groups": [{"title": each, "words": [word(name) for name in some]} for each, some in groups],
    }


def label_choices(checkpoint: Checkpoint, chosen: list[str]) -> list[str]:
    """Names of the next label kind that the checkpoint has seen together with those chosen already."""
    place = len(chosen)
    seen = {pair[place] for pair in checkpoint.pairs if list(pair[:place]) == chosen}
    names = list(checkpoint.label_names.values())[place]
    return [name for name in names if name in seen] if seen else list(names)


def settle(checkpoint: Checkpoint, wanted: Sequence[str | None]) -> list[tuple[list[str], str]]:
    """For each label kind the names to offer and the one to select.

    That is the wanted one wherever it exists, else the one that was seen in most combinations. Where None is
    wanted, what the page opens with is.
    """
    settled: list[tuple[list[str], str]] = []
    for i in range(len(checkpoint.label_names)):
        names = label_choices(checkpoint, [value for _, value in settled])
        wish = wanted[i] if i < len(wanted) else None
        if wish is None and i < len(FIRST):
            wish = FIRST[i]
        seen = Counter(pair[i] for pair in checkpoint.pairs)
        settled.append((names, wish if wish in names else max(names, key=seen.__getitem__)))
    return settled


def any_labels(checkpoint: Checkpoint, first: str) -> list[str]:
    """Names for the label kinds after the first, by chance, of those that were seen together."""
    chosen = [first]
    while len(chosen) < len(checkpoint.label_names):
        chosen.append(random.choice(label_choices(checkpoint, chosen)))
    return chosen[1:]


def not_seen(checkpoint: Checkpoint, kind: str, wish: str | None, name: str) -> str:
    """A sentence where `name` has to stand in for a wish that can be had with other subjects; else empty."""
    if wish is None or wish == name or wish not in checkpoint.label_names[kind]:
        return ""
    return NOT_SEEN.format(shown(kind, wish), shown(kind, name))


def settled_labels(checkpoint: Checkpoint, wanted: Sequence[str | None]) -> dict[str, str]:
    """Kind -> name, as `settle` selects them."""
    return {kind: name for kind, (_, name) in zip(checkpoint.label_names, settle(checkpoint, wanted))}


def more_like(chosen: Sequence[str | None]) -> str:
    """What the button says that turns the strength up: "More like an apple"."""
    name = next((name for name in chosen if name), None)
    if name is None:
        return "More real"
    name = name.replace("-", " ").replace("_", " ")
    return f"More like {'an' if name[0] in 'aeiou' else 'a'} {name}"


def example_drawings(checkpoint: Checkpoint) -> list[Example]:
    """The drawings in assets/drawings whose subject the checkpoint knows: `cat-2.png` shows a "cat"."""
    kind = next(iter(checkpoint.label_names), "")
    drawings: list[Example] = []
    for path in files_in(DRAWINGS, ".png"):
        subject = checkpoint.name_of(kind, re.sub(r"-\d+$", "", path.stem).replace("_", " "))
        if subject:
            url = f"drawings/{path.name}?{zlib.crc32(path.read_bytes())}"  # another drawing is at another one
            drawings.append({"subject": subject, "name": pretty(subject), "file": path.name, "url": url})
    return drawings


def offered_colours(checkpoint: Checkpoint, chosen: Sequence[str | None]) -> Typical:
    """Colours that things of the chosen name usually have."""
    if not checkpoint.label_names or not chosen or not chosen[0]:
        return {"label": "", "colours": []}
    kind, name = next(iter(checkpoint.label_names)), chosen[0]
    return {"label": TYPICAL.format(pretty(name).lower()), "colours": checkpoint.colours_of({kind: name})}
