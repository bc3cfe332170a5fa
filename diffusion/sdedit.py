"""SDEdit (Meng et al. 2022): noise a drawing part of the way, then denoise it into a picture.

Enough noise and the strokes' crudeness is drowned; not too much and their layout survives. `strength` is the
dial between the two: realism on one side, faithfulness on the other (the paper's figure 3).

The command line, `python -m diffusion IN OUT`, stands in __main__.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from .checkpoint import Checkpoint
from .condition import Condition
from .constraints import both, kept, low_passed
from .denoiser import Denoiser
from .errors import DoodleError
from .look import Look
from .sampler import USUAL, Constraint, Generators, Sampling, Step, only_steps, randn, walk
from .schedule import NoiseSchedule
from .timesteps import behind, calls_of, resampled, spaced_timesteps

AREAS = 16  # into so many by so many areas `calmed` parts a picture; at 64 pixels, the U-Net's patches


def edit_timesteps(
    strength: float, num_inference_steps: int, num_train_timesteps: int, spacing: str = USUAL.spacing
) -> list[int]:
    """The timesteps to denoise for a strength; the first of them, t0, is where the noise is added.

    t0 = round(strength T) - 1 names a point of the training schedule, and round(strength n) steps lead from
    there to the clean picture: 0 gives no step, 1 gives all n from pure noise.

    Args:
        strength: noise level in [0, 1], as `Sampling` checks.
        num_inference_steps: n, the steps a run of strength 1 takes, in 1 .. T.
        spacing: one of SPACINGS; with "leading" the first of them lies below t0.

    Raises:
        DoodleError: for a number of steps outside its range, or an unknown spacing.
    """
    if not 1 <= num_inference_steps <= num_train_timesteps:
        limits = f"between 1 and {num_train_timesteps}"
        raise DoodleError(f"The number of steps must be {limits}, not {num_inference_steps}.")
    t0 = round(strength * num_train_timesteps) - 1
    if t0 < 0:
        return []
    return spaced_timesteps(max(1, round(strength * num_inference_steps)), t0, spacing)


def first_state(schedule: NoiseSchedule, image: Tensor, noise: Tensor, strength: float, t0: int) -> Tensor:
    """x_t0, what denoising begins with (SDEdit algorithm 1, line 1): (B, 3, R, R).

    Args:
        image: the drawing (B, 3, R, R); not looked at when strength is 1.
        noise: standard normal (B, 3, R, R).
        t0: the first of `edit_timesteps`.
    """
    # At strength 1 nothing of the drawing may shine through: abar there is tiny, but it is not 0.
    return noise if strength == 1 else schedule.add_noise(image, noise, t0)


def calmed(noise: Tensor, temperature: float) -> Tensor:
    """Noise (B, C, R, R) whose slow part, what varies over more than R / AREAS pixels, is weakened.

    A network that is told the drawing knows from it what is where. What the noise says of whole areas only
    makes it see things that are not there: a patch of another colour, a speck on the paper. The part of it
    that is left, times `temperature`, keeps seeds different; what varies from pixel to pixel, which details
    are made of, stays as it is. This is of no paper, but measured: see the checkpoint's card.
    """
    if temperature == 1:
        return noise
    side = noise.shape[-1]
    means = F.adaptive_avg_pool2d(noise, min(AREAS, side))
    slow = F.interpolate(means, size=(side, side), mode="bilinear")
    return noise - (1 - temperature) * slow


def first_noise(condition: Condition, noise: Tensor, temperature: float) -> Tensor:
    """The noise over drawings (B, 3, R, R): `calmed` where the network is told them, else as it comes."""
    if condition.drawing is None:
        return noise
    return torch.where(condition.drawing[:, -1:] > 0, calmed(noise, temperature), noise)


@dataclass(frozen=True)
class StrengthSearch:
    """Finding the strength a person likes by halving (SDEdit section 3.4: the choice of t0 is interactive).

    Each answer, "more like my drawing" or "more real", rules out the strengths on the other side of the one
    just shown; the next to show lies in the middle of those left.

    Attributes:
        low, high: the strengths that are still possible.
        shown: the strength shown last.
    """

    low: float = 0.0
    high: float = 1.0
    shown: float = 0.5

    @classmethod
    def at(cls, strength: float) -> StrengthSearch:
        """A new search that begins with a strength on show."""
        return cls(shown=strength)

    def closer_to_drawing(self) -> StrengthSearch:
        return replace(self, high=self.shown, shown=(self.low + self.shown) / 2)

    def more_real(self) -> StrengthSearch:
        return replace(self, low=self.shown, shown=(self.shown + self.high) / 2)


def edit_condition(
    checkpoint: Checkpoint,
    labels: dict[str, str | None] | Condition | None,
    image: Tensor | None,
    generator: Generators = None,
    told: bool = True,
) -> Condition:
    """What the network is told in an edit: the labels, and the drawing where it has an input for one.

    With `told` False that input says that there is none. It is for as many pictures as there are drawings, or
    without any, rows of labels or seeds. A condition that says something of a drawing already stays as it is.
    """
    condition = labels if isinstance(labels, Condition) else Condition.of(checkpoint, labels)
    if image is None:
        return condition.expand(len(generator) if isinstance(generator, Sequence) else 1)
    condition = condition.expand(len(image)).to(image.device)
    untold = checkpoint.model.config.drawing and condition.drawing is None
    where = None if told else torch.zeros(len(image), dtype=torch.bool)
    return condition.with_drawing(image, where) if untold else condition


def _checked(checkpoint: Checkpoint, image: Tensor | None, mask: Tensor | None, sampling: Sampling) -> None:
    """
    Raises:
        DoodleError: for shapes that do not fit the checkpoint, or for no drawing where one is needed.
    """
    channels, size, _ = checkpoint.shape
    if image is None and sampling.low_pass:
        raise DoodleError("A low-pass keeps the averages of a drawing, and there is none.")
    if sampling.low_pass and size % sampling.low_pass:
        raise DoodleError(f"{size} pixels cannot be parted into blocks of {sampling.low_pass}.")
    if sampling.resample > 1 and mask is None and not sampling.low_pass:
        raise DoodleError("Resampling is for a mask or a low-pass: without one, everything is new alike.")
    if image is None and sampling.strength != 1:
        raise DoodleError("Without a drawing there is only strength 1: a picture from pure noise.")
    if image is None and mask is not None:
        raise DoodleError("A mask needs a drawing to keep.")
    if image is not None and (image.ndim != 4 or image.shape[1:] != checkpoint.shape):
        raise DoodleError(f"The drawing must be (B, {channels}, {size}, {size}), not {tuple(image.shape)}.")
    if mask is not None and mask.shape[-2:] != (size, size):
        raise DoodleError(f"The mask must be (1, 1, {size}, {size}), not {tuple(mask.shape)}.")


def _constraint(
    sampling: Sampling, mask: Tensor | None, image: Tensor, noise: Tensor, schedule: NoiseSchedule
) -> Constraint | None:
    """What of the drawing must stay, if anything."""
    whole = low_passed(sampling.low_pass, image, noise, schedule) if sampling.low_pass else None
    if mask is None:
        return whole
    outside = kept(mask, image, noise, schedule)
    return outside if whole is None else both(whole, outside)


def _draw(count: int, like: Tensor, generator: Generators) -> None:
    """Draw noise that steps before have had, so that those to come get what they would have got."""
    for _ in range(count):
        randn(like.shape, generator)


def edit(
    checkpoint: Checkpoint,
    image: Tensor | None,
    labels: dict[str, str | None] | Condition | None = None,
    sampling: Sampling = USUAL,
    generator: Generators = None,
    mask: Tensor | None = None,
    after: Step | None = None,
    renoise: bool = False,
) -> Iterator[Step]:
    """Turn a drawing into a picture (SDEdit algorithm 1; algorithm 2 with a mask), step by step.

    Args:
        checkpoint: a trained model. One with an input for a drawing is told `image` as well.
        image: the drawing as the checkpoint's codec encodes it, float32 (B, C, R, R); None to start from
            nothing (strength must be 1).
        labels: kind -> name for the whole batch; a kind left out, or None, is not told to the model. Or a
            `Condition`, where the pictures are told different things.
        sampling: strength 0 returns the drawing untouched without a model call; 1 starts from pure noise.
        generator: the source of all noise; one, or one per picture (then each picture depends on its own
            seed alone). Without one, a fresh generator with seed 0 is used.
        mask: {0, 1}, (1 or B, 1, R, R): SDEdit's Omega, 1 where the picture may change; where it is 0 the
            drawing's pixels are returned exactly.
        after: a step of an earlier run of the same strength and step count; denoising goes on behind it.
            With nothing else changed it ends where that run ended; change labels, guidance or eta on the way.
        renoise: with `after`: forget the noise in its state, and cover the picture it predicts with new noise
            from `generator` up to the same level. Only so does another seed make a difference when eta is 0.

    Yields:
        A `Step` after each denoising step; with strength 0 a single one, index 0 of 0, holding the drawing.

    Raises:
        DoodleError: for a step count or shape out of range, or nothing left to do.
        UnknownLabel: for a label the checkpoint has not learnt.
    """
    return only_steps(edit_walk(checkpoint, image, labels, sampling, generator, mask, after, renoise))


def edit_walk(
    checkpoint: Checkpoint,
    image: Tensor | None,
    labels: dict[str, str | None] | Condition | None,
    sampling: Sampling,
    generator: Generators,
    mask: Tensor | None,
    after: Step | None,
    renoise: bool,
) -> Iterator[Look | Step]:
    """The same, with a `Look` before each step, for those who answer looks of several runs at once."""
    schedule, strength = checkpoint.schedule, sampling.strength
    timesteps = edit_timesteps(strength, sampling.steps, schedule.num_train_timesteps, sampling.spacing)
    _checked(checkpoint, image, mask, sampling)
    timesteps = resampled(timesteps, sampling.jump, sampling.resample)
    condition = edit_condition(checkpoint, labels, image, generator, sampling.told)
    nothing = (len(condition), *checkpoint.shape)  # which is not looked at
    drawing = torch.zeros(nothing, device=condition.device) if image is None else image
    if not timesteps:
        return (step for step in [Step(index=0, total=0, t=0, x=drawing, x0=drawing)])
    done, total = 0 if after is None else after.index, calls_of(timesteps)
    if done >= total:
        raise DoodleError(f"After step {done} of {total} there is nothing left to do.")
    before, timesteps = behind(timesteps, done)
    generator = generator or torch.Generator(device=drawing.device).manual_seed(0)
    # What is slow in pixels is told by the drawing; of latents nobody has measured it.
    temperature = sampling.temperature if checkpoint.codec.in_pixels else 1.0
    noise = first_noise(condition, randn(drawing.shape, generator, like=drawing), temperature)
    solver, constrain = sampling.new_solver(), _constraint(sampling, mask, drawing, noise, schedule)
    if after is None or not done:
        x = first_state(schedule, drawing, noise, strength, timesteps[0])
    elif renoise:
        x = schedule.add_noise(after.x0, noise, timesteps[0])
    else:
        x, solver = after.x, solver if constrain else solver.after(after.t, after.x0)
    _draw((done if solver.noisy else 0) + len(before) - done, drawing, generator)
    denoiser = Denoiser.of(checkpoint, condition, sampling.new_guidance(checkpoint.guide))
    steps = walk(denoiser, x, timesteps, solver, generator, constrain)
    return (_counted(step, done, total) if isinstance(step, Step) else step for step in steps)


def _counted(step: Step, done: int, total: int) -> Step:
    """A step of a run that began behind another's."""
    return replace(step, index=done + step.index, total=total)
