"""Going on from a network with more than it had: it begins with the answers it gave before."""

import json
from dataclasses import replace

import pytest
import torch

from diffusion import Checkpoint, CheckpointError, NoiseSchedule, UNet, UNetConfig
from diffusion.errors import DoodleError
from diffusion.train.growth import appended, grown, names_of, read_names, seen_before, told_before

SMALL = {"image_size": 16, "patch_size": 2, "channels": (32, 32), "blocks": 1, "attention": (False, True)}
LABELS = {"subject": ["cow", "fruit", "tree"], "style": ["noto", "photo"]}
ABOUT = {
    "apple": {"category": "food", "was": "fruit"},
    "pear": {"category": "food"},
    "pig": {"category": "animal"},
    "cow": {"category": "animal", "was": "cow"},
}


def start():
    torch.manual_seed(0)
    model = UNet(UNetConfig(**SMALL, label_sizes=(3, 2)))
    with torch.no_grad():
        for parameter in model.parameters():  # some layers start at zero and would hide time and labels
            parameter.add_(0.05 * torch.randn_like(parameter))
    return Checkpoint(model.eval(), NoiseSchedule(), "sample", LABELS)


def test_new_inputs_and_attention_change_no_answer():
    old = start()
    shape = UNetConfig(**SMALL | {"attention": (True, True)}, label_sizes=(3, 2), drawing=True)
    new = grown(old, shape, LABELS, {})
    x, t = torch.randn(4, 3, 16, 16), torch.tensor([0, 300, 600, 999])
    labels = torch.tensor([[0, 0], [1, 1], [3, 2], [2, 2]])
    drawing = torch.randn(4, 4, 16, 16)
    expected = old.model(x, t, labels)
    torch.testing.assert_close(new(x, t, labels, drawing), expected)
    with torch.no_grad():
        new.drawing_input.weight.add_(0.1)
    assert (new(x, t, labels, drawing) - expected).abs().max() > 0.01


def test_a_variance_to_learn_begins_in_the_middle_and_changes_no_answer():
    old = start()
    new = grown(old, UNetConfig(**SMALL, label_sizes=(3, 2), learned_variance=True), LABELS, {})
    x, t, labels = torch.randn(2, 3, 16, 16), torch.tensor([0, 600]), torch.tensor([[0, 0], [3, 2]])
    answer = new(x, t, labels)
    torch.testing.assert_close(answer[:, :3], old.model(x, t, labels))
    assert not answer[:, 3:].any()
    learned = Checkpoint(new, NoiseSchedule(), "sample", LABELS)
    with pytest.raises(CheckpointError, match="another network"):
        grown(learned, UNetConfig(**SMALL, label_sizes=(3, 2)), LABELS, {})


def test_details_change_no_answer_before_they_are_learnt_and_are_never_lost():
    old = start()
    new = grown(old, UNetConfig(**SMALL, label_sizes=(3, 2), detail_channels=32, drawing=True), LABELS, {})
    x, t, labels = torch.randn(2, 3, 16, 16), torch.tensor([0, 600]), torch.tensor([[0, 0], [3, 2]])
    torch.testing.assert_close(new(x, t, labels), old.model(x, t, labels))
    detailed = Checkpoint(new, NoiseSchedule(), "sample", LABELS)
    for channels in (0, 64):
        with pytest.raises(CheckpointError, match="another network"):
            grown(
                detailed,
                UNetConfig(**SMALL, label_sizes=(3, 2), detail_channels=channels, drawing=True),
                LABELS,
                {},
            )


def test_in_another_space_all_but_the_ends_goes_on_where_a_place_stays_a_place():
    old = start()
    latent = {"image_channels": 4, "image_size": 8, "patch_size": 1}
    new = grown(old, UNetConfig(**SMALL | latent, label_sizes=(3, 2), drawing=True), LABELS, {})
    before, after = old.model.state_dict(), new.state_dict()
    kept = [key for key in after if not key.startswith(("input.", "drawing_input.", "output."))]
    assert set(kept) == {key for key in before if not key.startswith(("input.", "output."))}
    for key in kept:
        torch.testing.assert_close(after[key], before[key], msg=key)
    assert not after["output.weight"].any()
    x, t = torch.randn(2, 4, 8, 8), torch.tensor([0, 600])
    assert new(x, t, torch.tensor([[0, 0], [3, 2]]), torch.randn(2, 5, 8, 8)).shape == x.shape
    with pytest.raises(CheckpointError, match="another network"):  # four times as many places
        grown(old, UNetConfig(**SMALL | latent | {"image_size": 16}, label_sizes=(3, 2)), LABELS, {})


def test_new_names_begin_as_the_nearest_known_one():
    old = start()
    table = old.model.label_tables[0].weight
    names = {"subject": ["apple", "cow", "pear", "pig", "stone"], "style": ["blob", "noto", "photo"]}
    new = grown(old, UNetConfig(**SMALL, label_sizes=(5, 3)), names, ABOUT)
    rows = new.label_tables[0].weight
    everything = table[:-1].mean(0)
    for row, expected in zip(rows, [table[1], table[0], table[1], table[0], everything, table[3]]):
        torch.testing.assert_close(row, expected)
    styles = old.model.label_tables[1].weight
    for row, expected in zip(new.label_tables[1].weight, [styles[:-1].mean(0), *styles]):
        torch.testing.assert_close(row, expected)


@pytest.mark.parametrize(
    "change",
    [{"channels": (32, 64)}, {"blocks": 2}, {"attention": (False, False)}, {"image_size": 32}],
)
def test_other_networks_are_refused(change):
    with pytest.raises(CheckpointError, match="another network"):
        grown(start(), UNetConfig(**SMALL | change, label_sizes=(3, 2)), LABELS, {})


def test_a_checkpoint_keeps_the_names_of_what_it_knows():
    about = ABOUT | {
        "cow": {"category": "animal", "aliases": ["cattle"], "was": "cow"},
        "stone": {"was": "rock"},
    }
    kept = names_of(["cow", "pear", "stone", "unheard of"], about)
    assert kept == {"cow": {"category": "animal", "aliases": ["cattle"]}, "pear": {"category": "food"}}


def test_names_are_read_or_refused_in_one_sentence(tmp_path):
    path = tmp_path / "names.json"
    assert read_names("") == {}
    path.write_text(json.dumps(ABOUT))
    assert read_names(str(path)) == ABOUT
    for text, message in [("{", "not JSON"), ("[1]", "should hold"), ('{"a": 1}', "should hold")]:
        path.write_text(text)
        with pytest.raises(DoodleError, match=message):
            read_names(str(path))
    with pytest.raises(DoodleError, match="Cannot read"):
        read_names(str(tmp_path / "none.json"))


def test_new_names_stand_behind_the_old_ones_whose_rows_stay():
    """From a checkpoint with pictures of one new name: nothing that it knew moves, bit for bit."""
    old = start()
    pictures = {"subject": ["cow", "dragon"], "style": ["mine", "photo"]}
    names = appended(old, pictures, {})
    assert names == {"subject": ["cow", "fruit", "tree", "dragon"], "style": ["noto", "photo", "mine"]}
    new = grown(old, UNetConfig(**SMALL, label_sizes=(4, 3)), names, {})
    for i, known in enumerate((3, 2)):
        before, after = old.model.label_tables[i].weight, new.label_tables[i].weight
        assert torch.equal(after[:known], before[:known]) and torch.equal(after[-1], before[-1])
        torch.testing.assert_close(after[known], before[:known].mean(0))
    x, t = torch.randn(2, 3, 16, 16), torch.tensor([10, 600])
    untold = old.model(x, t, torch.tensor([[3, 2], [2, 1]]))
    torch.testing.assert_close(new(x, t, torch.tensor([[4, 3], [2, 1]])), untold, rtol=0, atol=0)


def test_a_name_that_was_another_takes_its_place():
    names = appended(start(), {"subject": ["apple", "cow"], "style": ["noto"]}, ABOUT)
    assert names == {"subject": ["cow", "tree", "apple"], "style": ["noto", "photo"]}
    with pytest.raises(DoodleError, match="<subject>/<style>/<picture>"):
        appended(start(), {"class": ["cow"]}, {})


def test_what_a_checkpoint_was_told_and_has_seen_counts_still():
    old = replace(
        start(), names={"cow": {"aliases": ["cattle"], "category": "animal"}}, pairs=[("cow", "noto")],
        colours={"cow": ["#ffffff"], "fruit": ["#ff0000"]}, credits=["Cows, CC0"],
    )  # fmt: skip
    about = told_before(old, {"cow": {"category": "beast"}, "dragon": {}})
    assert about == {"cow": {"aliases": ["cattle"], "category": "beast"}, "dragon": {}}
    labels = {"subject": ["cow", "tree", "dragon"], "style": ["noto", "photo"]}
    made = replace(
        old, label_names=labels, pairs=[("dragon", "photo")], colours={"dragon": ["#00ff00"]}, credits=["me"]
    )
    kept = seen_before(old, made)
    assert kept.pairs == [("cow", "noto"), ("dragon", "photo")] and kept.credits == ["Cows, CC0", "me"]
    assert kept.colours == {"cow": ["#ffffff"], "dragon": ["#00ff00"]}


def test_a_category_known_from_the_checkpoint_places_a_new_name():
    old = start()
    about = told_before(replace(old, names={"cow": {"category": "animal"}}), {"pig": {"category": "animal"}})
    names = appended(old, {"subject": ["pig"], "style": ["noto"]}, about)
    new = grown(old, UNetConfig(**SMALL, label_sizes=(4, 2)), names, about)
    assert torch.equal(new.label_tables[0].weight[3], old.model.label_tables[0].weight[0])
