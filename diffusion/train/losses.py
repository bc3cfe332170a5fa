"""What is learnt from: noise levels, the noise of a sketch, and how much each error counts."""

from __future__ import annotations

import torch
from torch import Tensor

from ..bound import step_term
from ..prediction import to_x0_eps
from ..schedule import NoiseSchedule
from .ranks import ALONE, Ranks

MAX_X0_WEIGHT = 20.0
FAINTEST_SKETCH, BOLDEST_SKETCH = 0.3, 0.95  # strengths between which training puts noise over sketches
MIN_SNR_GAMMA = 5.0  # where Hang et al. 2023 cut
VLB_WEIGHT = 0.001  # lambda of iDDPM eq. 16
SMALLEST_ERROR = 1e-3  # of the Charbonnier loss, in units of [-1, 1]


def drop_labels(
    labels: Tensor, null: Tensor, rate: float, generator: torch.Generator, ranks: Ranks = ALONE
) -> Tensor:
    """Replace each label, for itself, by its null with probability `rate` (Ho & Salimans 2021, algorithm 1).

    Args:
        labels: long (B, K).
        null: long (K,), the null label of each kind.
        ranks: whose rows of a batch they are.
    """
    n, kinds = len(labels) * ranks.world, labels.shape[1]
    dropped = torch.rand((n, kinds), generator=generator, device=labels.device) < rate
    return torch.where(dropped[ranks.rows(n)], null, labels)


def stratified_timesteps(
    batch: int, num_train_timesteps: int, generator: torch.Generator, probabilities: Tensor | None = None
) -> Tensor:
    """Timesteps, long (B,): uniform each, but spread over the batch, which makes the loss less noisy.

    One random offset shifts B evenly spaced points (Kingma et al. 2021, "Variational Diffusion Models",
    appendix I.1). With probabilities (T,) the points are quantiles of these, and as evenly spread among them.
    """
    offset = torch.rand((), generator=generator, device=generator.device)
    points = (torch.arange(batch, device=generator.device) + offset) / batch
    if probabilities is not None:
        up_to = probabilities.to(points.device).cumsum(0).to(points.dtype)
        return torch.searchsorted(up_to, points, right=True).clamp(max=num_train_timesteps - 1)
    return (points * num_train_timesteps).long().clamp(max=num_train_timesteps - 1)


def x0_weight(sigma: Tensor) -> Tensor:
    """How much an error in a predicted x0 counts where noise has the scale sigma: 1 / sigma^2, at most
    MAX_X0_WEIGHT.

    An x0 that is off by d is a v that is off by d / sigma, so this is the loss of v (Salimans & Ho
    2022, section 4: "SNR + 1" weighting), expressed in x0. Clean pictures lie on a low-dimensional surface
    and noise does not, so a network whose patches are large learns to predict x0 much faster than v or eps
    (Li & He 2025, "Back to Basics"). The limit keeps nearly clean inputs from drowning all others.
    """
    return (1 / sigma**2).clamp(max=MAX_X0_WEIGHT)


def sketch_timesteps(t: Tensor, num_train_timesteps: int, generator: torch.Generator) -> Tensor:
    """For each t the t0 >= t that an edit might have begun at, uniformly from the usual strengths.

    Args:
        t: long (B,).

    Returns:
        long (B,): at least t and FAINTEST_SKETCH's timestep, at most BOLDEST_SKETCH's; t itself above that.
    """
    faintest, high = (round(s * num_train_timesteps) for s in (FAINTEST_SKETCH, BOLDEST_SKETCH))
    low = t.clamp(min=faintest)
    share = torch.rand(t.shape, generator=generator, device=t.device)
    return (low + share * (high - low + 1).clamp(min=0)).long().clamp(max=num_train_timesteps - 1)


def noise_over(x0: Tensor, crude: Tensor, noise: Tensor, t0: Tensor, schedule: NoiseSchedule) -> Tensor:
    """The noise that x0 seems to be under where in truth `noise` was put over a crude version of it.

    SDEdit noises a drawing d to t0 and hopes that the model takes it for a noised picture x0. It is one, of

        eps' = eps + alpha_t0 / sigma_t0 (d - x0),

    for then alpha_t0 x0 + sigma_t0 eps' = alpha_t0 d + sigma_t0 eps. DDIM with
    eta = 0 carries eps' down with it (eq. 12), so training on x0 under eps' at all t <= t0 shows the model
    what it meets on the way from that drawing to that picture, whatever it is trained to predict.

    Args:
        x0, crude, noise: (B, 3, R, R); where crude equals x0 the noise comes back as it is.
        t0: long (B,), where the edit began.

    Returns:
        eps' (B, 3, R, R).
    """
    ratio = schedule.alpha(t0, like=x0) / schedule.sigma(t0, like=x0)
    return noise + ratio.to(x0) * (crude - x0)


def loss_weight(weighting: str, prediction_type: str, schedule: NoiseSchedule, t: Tensor) -> Tensor:
    """What a squared error of the network's output is multiplied by at each t, long (B,): float64 (B,).

    "plain" leaves eps and v as they are (DDPM eq. 14, L_simple) and weighs x0 by `x0_weight`. "min-snr"
    counts an error of x0 min(SNR, gamma) times, SNR = alpha^2 / sigma^2, whatever the network predicts
    (Hang et al. 2023, "Efficient Diffusion Training via Min-SNR Weighting Strategy", section 3.4): an x0 that
    is off by d is an eps off by sqrt(SNR) d and a v off by d / sigma.
    """
    sigma = schedule.sigma(t)
    if weighting == "min-snr":
        snr = (schedule.alpha(t) / sigma) ** 2
        squared = {"sample": torch.ones_like(snr), "epsilon": snr, "v_prediction": 1 / sigma**2}
        return snr.clamp(max=MIN_SNR_GAMMA) / squared[prediction_type]
    return x0_weight(sigma) if prediction_type == "sample" else torch.ones_like(sigma)


def variance_loss(
    schedule: NoiseSchedule,
    prediction_type: str,
    output: Tensor,
    share: Tensor,
    x0: Tensor,
    x_t: Tensor,
    t: Tensor,
) -> Tensor:
    """lambda L_vlb, what a learnt variance adds to the loss of each picture (iDDPM eq. 16): (B,).

    L_vlb is a sum over T terms in bits per dimension, estimated here from the one of t. It teaches the
    variance alone: the mean is taken as it is, and goes on learning from its own loss.

    Args:
        output, share: of `split_output`, for x_t (B, 3, R, R).
        x0: the clean pictures.
        t: long (B,).
    """
    seen, _ = to_x0_eps(prediction_type, schedule, output.detach(), x_t, t)
    terms = step_term(schedule, x0, x_t, t, seen, schedule.log_variance(t, t - 1, x0, share))
    return VLB_WEIGHT * schedule.num_train_timesteps * terms


def restoration_loss(x: Tensor, truth: Tensor, edges: float) -> Tensor:
    """How far pictures (B, 3, S, S) are from the true ones. Scalar.

    Charbonnier's loss, sqrt(d^2 + e^2) of each difference d: absolute, so that an edge is put where it most
    likely is rather than smeared over where it may be (Lai et al. 2017, "LapSRN", section 3.3). The same for
    the differences between neighbouring pixels, `edges` times.
    """

    def far(d: Tensor) -> Tensor:
        return (d.square() + SMALLEST_ERROR**2).sqrt().mean()

    d = x - truth
    return far(d) + edges * (far(d.diff(dim=-1)) + far(d.diff(dim=-2)))
