"""Which timesteps a run walks: the sub-sequence tau of the training schedule (DDIM section 4.2).

    trailing    evenly, the first of them the start itself            (Lin et al. 2024, table 2)
    leading     multiples of one stride, from 0                       (DDIM appendix D.2, "linear")
    linspace    evenly, with both ends                                (Lin et al. 2024, table 2)
    quadratic   closer together where there is little noise           (DDIM appendix D.2, "quadratic")

Each ends with the clean picture, step -1, which is not in the list. All but "leading" begin at the noise
level that was asked for. That one begins lower: from pure noise it treats noise as if some picture were left
in it, which DDIM's first code did, and what Lin et al. found wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .errors import DoodleError


def trailing(count: int, start: int) -> list[int]:
    """The first is `start`, and a stride below the last lies the clean picture."""
    return [round((start + 1) * (count - i) / count) - 1 for i in range(count)]


def leading(count: int, start: int) -> list[int]:
    """The last is 0, and the first lies nearly a stride below `start`."""
    stride = (start + 1) // count
    return [i * stride for i in reversed(range(count))]


def linspace(count: int, start: int) -> list[int]:
    """The first is `start`, the last 0; a single one is `start`."""
    return [start] if count == 1 else [round(start * i / (count - 1)) for i in reversed(range(count))]


def quadratic(count: int, start: int) -> list[int]:
    """tau_i = floor(c i^2), c such that the first is `start`; a single one is `start`.

    Where squares lie closer than one timestep, timesteps follow one another, so that all are different.
    """
    last = count - 1
    return [max(i, start * i**2 // last**2) for i in reversed(range(count))] if last else [start]


SPACINGS: dict[str, Callable[[int, int], list[int]]] = {
    "trailing": trailing,
    "leading": leading,
    "linspace": linspace,
    "quadratic": quadratic,
}


def check_spacing(spacing: str) -> None:
    """
    Raises:
        DoodleError: for one that is not in SPACINGS.
    """
    if spacing not in SPACINGS:
        raise DoodleError(f"Unknown spacing {spacing!r}: choose one of {', '.join(SPACINGS)}.")


def spaced_timesteps(num_inference_steps: int, start: int, spacing: str = "trailing") -> list[int]:
    """`num_inference_steps` different timesteps from `start` down.

    Args:
        num_inference_steps: at least 1; at most start + 1 different timesteps exist.
        start: the highest timestep, in 0 .. T-1.
        spacing: one of SPACINGS.

    Raises:
        DoodleError: for fewer than 1 step, or an unknown spacing.
    """
    check_spacing(spacing)
    if num_inference_steps < 1:
        raise DoodleError(f"The number of steps must be at least 1, not {num_inference_steps}.")
    return SPACINGS[spacing](min(num_inference_steps, start + 1), start)


def resampled(timesteps: Sequence[int], jump: int, times: int) -> list[int]:
    """The walk of RePaint (Lugmayr et al. 2022, algorithm 1 and appendix B): back up, and down again.

    Every `jump` steps, counted from the last timestep, the last `jump` are gone back over by putting their
    noise on again, until they have been taken `times` times; from the clean picture nobody goes back. Of
    [9, 6, 3], with a jump of 1 and 2 times, the walk is 9, 6, 9, 6, 3, 6, 3, and then the clean picture.

    Args:
        timesteps: descending.
        jump: j of the paper, at least 1; algorithm 1 is that of 1.
        times: r, U in algorithm 1, at least 1; 1 leaves the list as it is.
    """
    left = {i: times - 1 for i in range(len(timesteps) - 1, jump - 1, -jump)}
    walk, i = [], 0
    while i < len(timesteps):
        walk.append(timesteps[i])
        if left.get(i, 0) > 0:
            left[i] -= 1
            i -= jump
        else:
            i += 1
    return walk


def calls_of(walk: Sequence[int]) -> int:
    """How many steps down there are in a walk, with the one to the clean picture: each asks the network."""
    return sum(later < earlier for earlier, later in zip(walk, [*walk[1:], -1]))


def behind(walk: Sequence[int], calls: int) -> tuple[list[int], list[int]]:
    """A walk parted behind its first `calls` steps down: what has been left, and what begins there."""
    place = 0
    for _ in range(calls):
        while walk[place + 1] > walk[place]:
            place += 1
        place += 1
    return list(walk[:place]), list(walk[place:])
