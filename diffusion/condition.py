"""What the network is told about a picture: its labels and, where it has an input for one, a drawing.

Guidance compares the network's outputs for conditions that tell more and less, so a `Condition` knows its
twins that tell less.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .checkpoint import Checkpoint


@dataclass(frozen=True, eq=False)
class Condition:
    """What the network is told about each of B pictures.

    Attributes:
        labels: long (B, K), one column for each label kind.
        null: long (K,), the label of each kind that says "not told".
        drawing: float (B, 4, R, R), RGB in [-1, 1] and a plane that is 1 where a drawing is told; all zeros
            say that none is. None: nothing is said of it, as to a network without an input for one.
    """

    labels: Tensor
    null: Tensor
    drawing: Tensor | None = None

    @classmethod
    def of(
        cls, checkpoint: Checkpoint, labels: dict[str, str | None] | Tensor | None = None, batch: int = 1
    ) -> Condition:
        """Labels by name, the same for the whole batch, or as long (B, K).

        Raises:
            UnknownLabel: for a label the checkpoint has not learnt.
        """
        rows = labels if isinstance(labels, Tensor) else checkpoint.encode_labels(labels, batch)
        return cls(rows, checkpoint.encode_labels()[0].to(rows.device))

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def device(self) -> torch.device:
        return self.labels.device

    def __getitem__(self, part: slice | Tensor) -> Condition:
        """Some of the pictures."""
        drawing = None if self.drawing is None else self.drawing[part]
        return replace(self, labels=self.labels[part], drawing=drawing)

    def expand(self, batch: int) -> Condition:
        """The same for `batch` pictures, of a condition of one; any other stays as it is."""
        if len(self) != 1:
            return self
        drawing = None if self.drawing is None else self.drawing.expand(batch, -1, -1, -1)
        return replace(self, labels=self.labels.expand(batch, -1), drawing=drawing)

    def to(self, device: torch.device | str) -> Condition:
        drawing = None if self.drawing is None else self.drawing.to(device)
        return Condition(self.labels.to(device), self.null.to(device), drawing)

    @staticmethod
    def cat(conditions: Sequence[Condition]) -> Condition:
        """Several batches in one; a drawing is told in all of them or said nothing of in all."""
        drawings = [c.drawing for c in conditions if c.drawing is not None]
        return Condition(
            torch.cat([c.labels for c in conditions]),
            conditions[0].null,
            torch.cat(drawings) if drawings else None,
        )

    def with_drawing(self, image: Tensor, where: Tensor | None = None) -> Condition:
        """Told the drawing (B, 3, R, R) in [-1, 1] as well, or only `where` bool (B,) is true."""
        drawing = torch.cat([image, torch.ones_like(image[:, :1])], dim=1)
        if where is not None:
            drawing = drawing * where.to(drawing)[:, None, None, None]
        return replace(self, drawing=drawing)

    def without_drawing(self) -> Condition:
        """The twin with the same labels that is told no drawing."""
        return replace(self, drawing=None if self.drawing is None else torch.zeros_like(self.drawing))

    def without_labels(self) -> Condition:
        """The unconditional twin of label guidance: no label told, the same drawing."""
        return self.first_kinds(0)

    def first_kinds(self, count: int) -> Condition:
        """The twin that is told the first `count` label kinds alone, and the same drawing."""
        told = torch.arange(len(self.null), device=self.null.device) < count
        return replace(self, labels=torch.where(told, self.labels, self.null))
