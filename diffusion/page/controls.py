"""The controls that say what to paint: read as `Settings`, and set to what is known of some.

A handler whose inputs are a set gets a dict from Gradio, component -> value, and may answer with such a dict
of what changes. So nothing here, nor in those who use it, depends on the order of the controls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from ..checkpoint import Checkpoint
from .choices import not_seen, question, settle, shown, words_of
from .settings import Settings, find_model

Component = gr.components.Component
Values = Mapping[Component, Any]  # what the browser sent
Updates = dict[Component, Any]  # what the browser is to show


@dataclass(frozen=True)
class Controls:
    """Each component under what it says."""

    checkpoints: dict[str, Checkpoint]
    model: gr.Dropdown
    canvas: gr.HTML
    labels: Sequence[gr.HTML | gr.Radio]  # as many as any checkpoint has label kinds
    wishes: gr.State  # place among `labels`, but for the first -> the name that a person asked for last
    dials: Mapping[
        str, gr.Slider | gr.Number | gr.Checkbox | gr.Radio
    ]  # the other fields of Settings: strength, steps, ..., colour

    @property
    def all(self) -> set[gr.blocks.Block]:
        """What a run needs to know."""
        return {self.model, self.canvas, *self.labels, *self.dials.values()}

    @property
    def at_first(self) -> Values:
        """The values that the page opens with."""
        return {each: each.value for each in (self.model, self.canvas, *self.labels, *self.dials.values())}

    @property
    def words(self) -> set[gr.blocks.Block]:
        """Model and labels, on which other choices depend."""
        return {self.model, *self.labels, self.wishes}

    def model_name(self, values: Values) -> str:
        """The checkpoint that is picked.

        Raises:
            ValueError: there is none of that name.
        """
        return find_model(self.checkpoints, values[self.model])

    def chosen(self, values: Values) -> list[Any]:
        """The names chosen, for each of `labels`, as they were sent."""
        return [values.get(selector) for selector in self.labels]

    def wanted(self, values: Values, chosen: Sequence[Any] | None = None) -> list[Any]:
        """The first of the names chosen (by default as they were sent), and what is wished for beside it.

        A wish differs from what is chosen where the subject was never seen so.
        """
        chosen = self.chosen(values) if chosen is None else chosen
        first = chosen[0] if chosen else None
        return [values[self.wishes].get(place) if place else first for place in range(len(self.labels))]

    def read(self, values: Values) -> Settings:
        """What is chosen.

        Raises:
            ValueError: a value that these controls cannot have.
        """
        model = self.model_name(values)
        checkpoint = self.checkpoints[model]
        labels = dict(zip(checkpoint.label_names, self.chosen(values)))
        dials = {name: values[dial] for name, dial in self.dials.items()}
        if not checkpoint.enlarges:
            del dials["enlarge"]  # hidden, it may still be on for a model that was picked before
        return Settings.read(model, labels, **dials)

    def write(self, found: Mapping) -> Updates:
        """Set the dials to what is found, a dict with some of the fields of `Settings`."""
        return {dial: gr.update(value=found[name]) for name, dial in self.dials.items() if name in found}

    def offer(self, checkpoint: Checkpoint, wanted: Sequence[str | None]) -> Updates:
        """The lists of labels for a checkpoint, with what is wanted selected where it exists.

        The names of the first kind are many and depend on the checkpoint alone: they are in `offer_all`.
        """
        return dict(zip(self.labels, selector_updates(checkpoint, wanted, len(self.labels))))

    def offer_all(self, checkpoint: Checkpoint, wanted: Sequence[str | None]) -> Updates:
        """The same, with the names of the first kind."""
        updates = self.offer(checkpoint, wanted)
        for box in self.labels[:1]:
            updates[box] = {**updates[box], "words": words_of(checkpoint)}
        return updates


def selector_updates(checkpoint: Checkpoint, wanted: Sequence[str | None], count: int) -> list[dict]:
    """One gr.update for each of the page's `count` lists; those the checkpoint has no use for hide."""
    updates: list[dict] = []
    for kind, (names, value) in zip(checkpoint.label_names, settle(checkpoint, wanted)):
        update, place = gr.update(value=value, visible=True), len(updates)
        if place:
            wish = wanted[place] if place < len(wanted) else None
            update["choices"] = [(shown(kind, name), name) for name in names]
            update["label"], update["info"] = question(kind), not_seen(checkpoint, kind, wish, value)
        updates.append(update)
    return updates + [gr.update(visible=False, value=None)] * (count - len(updates))
