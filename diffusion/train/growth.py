"""Going on from a trained network with more than it had: new names, an input for drawings, more attention,
a variance to learn, blocks for details.

What is new starts so that the network's answers do not change: a drawing's weights, the last layer of an
attention or of the details and what says the variance at zero (as `UNet` makes them), a new name's embedding
at that of the nearest name it knew.

A network may also go on in another space, patches of pixels having become places of a latent space. All
that lies between its first and its last layer is kept then, since what there is in each place of a picture
does not depend on how it is written down; these two begin anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from ..checkpoint import Checkpoint, CheckpointError
from ..files import read_json
from ..header import HeaderError, checked
from ..schedule import NoiseSchedule
from ..unet import UNet, UNetConfig
from .sources import DataError

OTHER = "The checkpoint to start from has another network or schedule than this run."
Names = Mapping[str, Mapping]


def read_names(path: str) -> Names:
    """What subjects are called: {name: {"category": str, "aliases": [str], "keywords": [str], "was": str}}.

    Every entry may be left out. `was` is what a checkpoint to start from knows the subject as.

    Raises:
        DoodleError: the file is missing or not of this form.
    """
    if not path:
        return {}
    names = read_json(path)
    if not isinstance(names, dict) or not all(isinstance(about, dict) for about in names.values()):
        raise DataError(f"{path} should hold an entry {{...}} for each subject.")
    try:
        checked({"names": names})
    except HeaderError as error:
        raise DataError(f"{path} cannot be used: {error}.") from error
    if not all(isinstance(about.get("was"), str | None) for about in names.values()):
        raise DataError(f"{path} should say what a subject was called in one word.")
    return names


def names_of(subjects: list[str], about: Names) -> dict[str, dict]:
    """What a checkpoint keeps of `about`: category, aliases and keywords of the subjects it knows."""
    kept = ("category", "aliases", "keywords")
    found = {
        name: {key: about[name][key] for key in kept if key in about[name]}
        for name in subjects
        if name in about
    }
    return {name: entry for name, entry in found.items() if entry}


def appended(start: Checkpoint, label_names: dict[str, list[str]], about: Names) -> dict[str, list[str]]:
    """The names of a network that goes on from `start` with pictures of these: its own, then the new ones.

    What a new name "was" (see `read_names`) goes, for that name has taken its place.

    Raises:
        DataError: the pictures have other label kinds.
    """
    if list(label_names) != list(start.label_names):
        raise DataError(
            f"The checkpoint to start from has the labels {' and '.join(start.label_names) or 'none'}, these"
            f" pictures {' and '.join(label_names)}: lay them out"
            f" {''.join(f'<{kind}>/' for kind in start.label_names)}<picture>."
        )
    both = {}
    for kind, names in label_names.items():
        known = start.label_names[kind]
        new = [name for name in names if name not in known]
        renamed = {about[name].get("was") for name in new if name in about}
        both[kind] = [name for name in known if name not in renamed] + new
    return both


def told_before(start: Checkpoint, about: Names) -> Names:
    """What subjects are called (see `read_names`), with what the start knew of them besides."""
    return {**start.names, **{name: {**start.names.get(name, {}), **entry} for name, entry in about.items()}}


def seen_before(start: Checkpoint, made: Checkpoint) -> Checkpoint:
    """A checkpoint that was made from another: what its weights have seen before counts as well."""
    known = [set(names) for names in made.label_names.values()]
    pairs = [pair for pair in start.pairs if all(n in names for n, names in zip(pair, known))]
    colours = {name: hues for name, hues in start.colours.items() if name in known[0]}
    return replace(
        made,
        pairs=sorted({*pairs, *made.pairs}),
        colours=colours | made.colours,
        credits=list(dict.fromkeys([*start.credits, *made.credits])),
    )


def _rows(old: Tensor, old_names: list[str], names: list[str], about: Names) -> Tensor:
    """The embeddings of `names`, each that of the nearest known one, with the null label's last."""
    place = {name: i for i, name in enumerate(old_names)}
    by_category: dict[str, list[int]] = {}
    for name, entry in about.items():
        if (known := entry.get("was") or name) in place and entry.get("category"):
            by_category.setdefault(entry["category"], []).append(place[known])
    rows = []
    for name in names:
        entry = about.get(name, {})
        if name in place:
            rows.append(old[place[name]])
        elif entry.get("was") in place:
            rows.append(old[place[entry["was"]]])
        else:
            rows.append(old[by_category.get(entry.get("category", ""), slice(0, -1))].mean(dim=0))
    return torch.stack([*rows, old[-1]])


def grown(start: Checkpoint, shape: UNetConfig, label_names: dict[str, list[str]], about: Names) -> UNet:
    """A network of another shape that begins as the start's does.

    Args:
        start: a trained model.
        shape: may differ from its network's in names, in levels that get attention, in `drawing`, in
            `learned_variance`, and in `detail_channels` where it had none. In another space (of other
            `image_channels`) it has as many places, and the blocks for details go.
        label_names: kind -> names of the new network; kinds as in `start`.
        about: see `read_names`; it helps the first kind.

    Raises:
        CheckpointError: the networks differ in anything else.
    """
    old = start.model.config
    elsewhere = shape.image_channels != old.image_channels
    if elsewhere and shape.image_size // shape.patch_size == old.image_size // old.patch_size:
        space = ("image_channels", "image_size", "patch_size", "detail_channels")
        old = replace(old, **{name: getattr(shape, name) for name in space})
    may_grow = ("label_sizes", "attention", "drawing", "learned_variance", "detail_channels")
    same = replace(old, **{name: getattr(shape, name) for name in may_grow})
    had = (*old.attention, old.drawing, old.learned_variance)
    has = (*shape.attention, shape.drawing, shape.learned_variance)
    lost = any(before and not now for before, now in zip(had, has))
    if same != shape or lost or old.detail_channels not in (0, shape.detail_channels):
        raise CheckpointError(OTHER)
    if list(label_names) != list(start.label_names):
        raise CheckpointError(
            f"The checkpoint to start from has the labels {' and '.join(start.label_names) or 'none'}, "
            f"these pictures {' and '.join(label_names)}."
        )
    weights = dict(start.model.state_dict())
    for i, (kind, names) in enumerate(label_names.items()):
        key = f"label_tables.{i}.weight"
        weights[key] = _rows(weights[key], start.label_names[kind], names, about if i == 0 else {})
    model = UNet(shape)
    if elsewhere:
        ends = ("input.", "drawing_input.", "output.", "details.")
        weights = {key: value for key, value in weights.items() if not key.startswith(ends)}
    elif shape.learned_variance and not old.learned_variance:
        for key in ("output.weight", "output.bias"):
            weights[key] = torch.cat([weights[key], torch.zeros_like(weights[key])])
    model.load_state_dict(weights, strict=False)
    return model


def new_network(
    start: Checkpoint | None,
    shape: UNetConfig,
    schedule: NoiseSchedule,
    prediction_type: str,
    label_names: dict[str, list[str]],
    about: Names,
    seed: int,
) -> UNet:
    """The network that a run begins with: a random one, or the start's, `grown`.

    Raises:
        CheckpointError: the start has another schedule or prediction type, or cannot grow into this shape.
    """
    with torch.random.fork_rng():  # layers draw from the global RNG; leave it as it was
        torch.manual_seed(seed)
        if not start:
            return UNet(shape)
        if (start.schedule, start.prediction_type) != (schedule, prediction_type):
            raise CheckpointError(OTHER)
        return grown(start, shape, label_names, about)
