"""From noise to a picture: ask the denoiser, let the solver take a step, and so on down the timesteps.

`sample` is a generator. Each denoising step is one yield, so whoever watches (a web page, a progress bar, a
GIF writer, a metric) sees every state without the sampler knowing of them, and closing the generator stops
the work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .classifier_guidance import ByClassifier, SeesThroughNoise
from .denoiser import Denoiser, Guidance
from .errors import DoodleError
from .guidance import ClassifierFree
from .look import Look
from .schedule import PerPicture
from .solver import DDIM, DDPM, DPMSolver, Heun, Solver, check_variance
from .timesteps import calls_of, check_spacing

Generators = torch.Generator | Sequence[torch.Generator] | None
Constraint = Callable[[Tensor, int], Tensor]  # (x_t, t) -> what takes its place


@dataclass(frozen=True)
class Step:
    """One denoising step, just done.

    Attributes:
        index: how many steps are done, 1 .. total (0 only where there was nothing to do).
        total: how many there are.
        t: the timestep that was denoised, in 0 .. T-1.
        x: the noisy state after it (B, 3, R, R); after the last step, the result.
        x0: the clean picture as predicted in this step (B, 3, R, R), in [-1, 1].
    """

    index: int
    total: int
    t: int
    x: Tensor
    x0: Tensor


SOLVERS: dict[str, Callable[[Sampling], Solver]] = {
    "ddim": lambda sampling: DDIM(sampling.eta, sampling.variance),
    "ddpm": lambda sampling: DDPM(sampling.variance),
    "heun": lambda sampling: Heun(),
    "dpm++": lambda sampling: DPMSolver(),
}


@dataclass(frozen=True)
class Sampling:
    """How a picture is sampled, with the values that are meant where nobody says otherwise.

    Attributes:
        strength: how much noise a drawing is covered with, 0 .. 1; see `sdedit.edit`.
        steps: denoising steps of a run of strength 1, in 1 .. T; fewer are done below, in proportion.
        guidance: w of classifier-free guidance, one or one for each picture, 1 = off; or any `Guidance`.
        eta: of DDIM, one or one for each picture: 0 deterministic .. 1 DDPM.
        solver: one of SOLVERS. "heun" asks the network twice in a step, the others once.
        spacing: which timesteps are walked, one of SPACINGS in timesteps.py.
        variance: of the fresh noise, where there is some: one of VARIANCES in solver.py.
        temperature: how much of its slow part is left of the noise over a drawing that the network is told,
            0 .. 1; see `sdedit.calmed`. 1 is SDEdit as in the paper.
        resample, jump: where something of the drawing must stay, every `jump` steps are gone back over and
            taken again, `resample` times in all (RePaint); 1 is once. See `timesteps.resampled`.
        low_pass: 0, or N: averages over blocks of N x N pixels stay those of the drawing (ILVR).
        told: whether a network with an input for a drawing is told it.
        steering: s of classifier guidance by the checkpoint's guide, where it has one; 0 is off.
        steered_below: the guide steers at timesteps t < steered_below T; where there is more noise it would
            paint blotches that nothing of the drawing asks for, see the checkpoint's card. 1 is everywhere.

    Raises:
        DoodleError: for a strength, an eta, a temperature or a steered_below outside [0, 1], a negative
            steering, for a solver that is unknown or has no eta, for an unknown spacing or variance, for a
            count below the least.
    """

    strength: float = 0.6
    steps: int = 20
    guidance: PerPicture | Guidance = 2.0
    eta: PerPicture = 0.0
    solver: str = "ddim"
    spacing: str = "trailing"
    variance: str = "auto"
    temperature: float = 0.25
    resample: int = 1
    jump: int = 1
    low_pass: int = 0
    told: bool = True
    steering: float = 10.0
    steered_below: float = 0.9

    def __post_init__(self) -> None:
        for name in ("strength", "temperature", "steered_below"):
            if not 0 <= (share := getattr(self, name)) <= 1:
                raise DoodleError(f"{name.capitalize()} must be between 0 and 1, not {share}.")
        if not 0 <= self.steering < float("inf"):
            raise DoodleError(f"Steering must be at least 0, not {self.steering}.")
        for name, least in (("resample", 1), ("jump", 1), ("low_pass", 0)):
            if getattr(self, name) < least:
                raise DoodleError(f"{name} must be at least {least}, not {getattr(self, name)}.")
        if self.solver not in SOLVERS:
            raise DoodleError(f"Unknown solver {self.solver!r}: choose one of {', '.join(SOLVERS)}.")
        if self.solver != "ddim" and self.eta != 0:
            raise DoodleError(f"eta is DDIM's; the solver {self.solver!r} has none.")
        check_spacing(self.spacing)
        check_variance(self.variance)
        noisy = self.new_solver().noisy  # refuses a bad eta
        if self.variance != "auto" and not noisy:
            raise DoodleError("There is no fresh noise that could have a variance: take ddpm, or an eta.")

    def new_solver(self) -> Solver:
        """One that has taken no step yet."""
        return SOLVERS[self.solver](self)

    def new_guidance(self, classifier: SeesThroughNoise | None) -> Guidance:
        """How it is guided, with the checkpoint's classifier or without any."""
        free = self.guidance if callable(self.guidance) else ClassifierFree(self.guidance)
        if not (classifier and self.steering):
            return free
        return ByClassifier(classifier, self.steering, free, self.steered_below)


USUAL = Sampling()


def randn(shape: Sequence[int], generator: Generators, like: Tensor | None = None) -> Tensor:
    """Standard normal noise (B, ...) from the caller's generator; global random state stays untouched.

    A list of B generators gives every picture a source of its own, so that it comes out the same whatever
    batch it is computed in.
    """
    if generator is None:
        raise DoodleError("Random noise needs a torch.Generator, so that the result can be made again.")
    if isinstance(generator, torch.Generator):
        noise = torch.randn(shape, generator=generator, device=generator.device)
    else:
        if len(generator) != shape[0]:
            raise DoodleError(f"{len(generator)} generators cannot serve {shape[0]} pictures.")
        noise = torch.stack([torch.randn(shape[1:], generator=g, device=g.device) for g in generator])
    return noise if like is None else noise.to(like)


def sample(
    denoiser: Denoiser,
    x: Tensor,
    timesteps: Sequence[int],
    solver: Solver,
    generator: Generators = None,
    constrain: Constraint | None = None,
) -> Iterator[Step]:
    """Denoise x along `timesteps`, one `Step` per call of the denoiser.

    Args:
        denoiser: says which x0 and eps it sees in x_t.
        x: the state at timesteps[0] (B, 3, R, R); standard normal noise for a picture from nothing.
        timesteps: in 0 .. T-1. Any descending sub-sequence will do: the previous timestep is read from this
            list, never from a stride, and after the last one comes the clean picture. Where the list goes up
            again, noise is put on (RePaint algorithm 1, line 10), which is no step.
        solver: how to step from one to the next.
        generator: the source of noise, needed only by a solver that is `noisy`, and where the list goes up;
            one, or one per picture.
        constrain: called as constrain(x_prev, t_prev) after each step, t_prev = -1 at the end; what it
            returns takes the place of x_prev. SDEdit's masks are made of it. A solver that remembers is
            never told of the steps then, since they did not lead to where the run is; nor where the list
            goes up.

    Raises:
        DoodleError: for a timestep that follows itself.
    """
    timesteps = [int(t) for t in timesteps]
    if any(later == earlier for earlier, later in zip(timesteps, timesteps[1:])):
        raise DoodleError("No timestep may follow itself.")
    return only_steps(walk(denoiser, x, timesteps, solver, generator, constrain))


def only_steps(walked: Iterator[Look | Step]) -> Iterator[Step]:
    """For those who answer no looks: the walk then does so itself."""
    return (item for item in walked if isinstance(item, Step))


def walk(
    denoiser: Denoiser,
    x: Tensor,
    timesteps: Sequence[int],
    solver: Solver,
    generator: Generators,
    constrain: Constraint | None,
) -> Iterator[Look | Step]:
    """The loop behind `sample`, which also yields what it is about to ask, before each step: see look.py.

    Nothing thread-local (no_grad, autocast) is held across a yield: a web server may run every step
    in another thread.
    """
    legs = list(zip(timesteps, [*timesteps[1:], -1]))
    total, done = calls_of(timesteps), 0
    remembers = constrain is None and total == len(legs)
    for t, t_prev in legs:
        if t_prev > t:
            x = denoiser.schedule.noised_from(x, randn(x.shape, generator, like=x), t, t_prev)
            continue
        look = Look(denoiser, x, t)
        yield look
        seen = look.answer()
        noise = randn(x.shape, generator, like=x) if solver.noisy and t_prev >= 0 else None
        x, x0 = solver.step(denoiser, x, seen, t, t_prev, noise), seen.x0
        if constrain is not None:
            x, x0 = constrain(x, t_prev), constrain(x0, -1)
        elif remembers:
            solver = solver.after(t, x0)
        done += 1
        yield Step(index=done, total=total, t=t, x=x, x0=x0)
