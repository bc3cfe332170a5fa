"""How often a classifier names drawings right: `python -m diffusion.evaluate.guesses JUDGE`.

The page proposes what a drawing may be (page/guesses.py); this says how far down the true word stands.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import images
from ..classifier import Classifier, load_classifier
from ..errors import DoodleError
from ..options import REQUIRED, command, option, parse
from .evaluation import HANDS
from .hands import Hand, read_hands

FIRST = (1, 3, 5, 10)


@dataclass(frozen=True)
class GuessSettings:
    """Who guesses, and what at."""

    judge: str = option(REQUIRED, "the classifier", positional=True)
    drawings: str = option(HANDS, "folder of drawings, each named <what>-<habit>-<number>.png")


def ranks(judge: Classifier, hands: Sequence[Hand]) -> dict[str, list[int]]:
    """By habit: how many names the classifier finds likelier than the true one, a drawing that it knows."""
    kind, names = next(iter(judge.label_names.items()))
    found: dict[str, list[int]] = defaultdict(list)
    for hand in hands:
        if hand.what in names:
            x0 = images.prepare(images.load(hand.path), judge.image_size).x0
            found[hand.habit].append(judge.likeliest(x0, kind, names, len(names))[0].index(hand.what))
    return dict(found)


def table(found: dict[str, list[int]]) -> str:
    """Markdown: the share of each habit's drawings whose name is among the first few."""
    rows = sorted(found.items()) + [("**all**", [rank for each in found.values() for rank in each])]
    lines = [f"| drawn | drawings |{''.join(f' in {n} |' for n in FIRST)}", "|---|---|" + "---|" * len(FIRST)]
    for habit, places in rows:
        shares = (sum(rank < n for rank in places) / len(places) for n in FIRST)
        lines.append(f"| {habit} | {len(places)} |{''.join(f' {share:.0%} |' for share in shares)}")
    return "\n".join(lines)


@command("guesses")
def main(argv: Sequence[str] | None = None) -> None:
    """The command line.

    Raises:
        DoodleError: there is no drawing of anything that the classifier knows.
    """
    about = "How often a classifier names drawings right."
    args = parse(GuessSettings, "python -m diffusion.evaluate.guesses", about, argv)
    found = ranks(load_classifier(args.judge), read_hands(Path(args.drawings)))
    if not found:
        raise DoodleError(f"{args.drawings} has no drawing of anything that {args.judge} knows.")
    print(table(found))


if __name__ == "__main__":
    sys.exit(main())
