"""The loss of a run, in numbers and as a picture."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np


class LossLog:
    """loss.csv, a line every so often, and loss.png drawn from it.

    On resuming, lines later than the step resumed from are dropped: that stretch will be run again.
    """

    COLUMNS = ("step", "loss", "validation_loss", "lr", "images_per_second", "minutes")

    def __init__(self, folder: Path, step: int) -> None:
        self.path, self.plot_path = folder / "loss.csv", folder / "loss.png"
        self.rows: list[dict] = []
        if step and self.path.exists():
            with self.path.open() as file:
                self.rows = [row for row in csv.DictReader(file) if int(row["step"]) <= step]
        self.minutes = float(self.rows[-1]["minutes"]) if self.rows else 0.0
        self._write()

    def _write(self) -> None:
        with self.path.open("w", newline="") as file:
            writer = csv.DictWriter(file, self.COLUMNS)
            writer.writeheader()
            writer.writerows(self.rows)

    def add(self, **row) -> None:
        """Append a line; columns left out stay empty."""
        self.rows.append({column: str(row.get(column, "")) for column in self.COLUMNS})
        self._write()

    def plot(self, width: int = 900, height: int = 500, margin: int = 60) -> None:
        """Training (grey) and held-out (red) loss against steps, the loss on a logarithmic axis."""
        picture = np.full((height, width, 3), 255, np.uint8)
        curves = {"loss": (160, 160, 160), "validation_loss": (40, 40, 220)}  # OpenCV's order: blue first
        points = {
            name: [(int(r["step"]), float(r[name])) for r in self.rows if r[name] not in ("", "nan")]
            for name in curves
        }
        values = [value for series in points.values() for _, value in series if value > 0]
        if not values:
            return
        low, high = np.log10(min(values)), np.log10(max(values)) + 1e-9
        last = max(step for series in points.values() for step, _ in series)

        def place(step: float, value: float) -> tuple[int, int]:
            x = margin + (width - 2 * margin) * step / max(1, last)
            y = margin + (height - 2 * margin) * (high - np.log10(value)) / (high - low)
            return round(x), round(float(y))

        text = {"fontFace": cv2.FONT_HERSHEY_SIMPLEX, "fontScale": 0.45, "lineType": cv2.LINE_AA}
        for value in np.geomspace(10**low, 10**high, 6):
            x, y = place(0, value)
            cv2.line(picture, (x, y), (width - margin, y), (235, 235, 235))
            cv2.putText(picture, f"{value:.3g}", (8, y + 4), color=(90, 90, 90), **text)
        for step in np.linspace(0, last, 6):
            x, _ = place(step, 10**low)
            cv2.putText(picture, f"{step:.0f}", (x - 15, height - 30), color=(90, 90, 90), **text)
        for column, (name, colour) in enumerate(curves.items()):
            line = np.array([place(*point) for point in points[name] if point[1] > 0], np.int32)
            if len(line):
                cv2.polylines(picture, [line.reshape(-1, 1, 2)], False, colour, 2, cv2.LINE_AA)
            cv2.putText(picture, name.replace("_", " "), (margin + 160 * column, 35), color=colour, **text)
        cv2.imwrite(str(self.plot_path), picture)
