"""Our denoisers for diffusers' pipelines and schedulers, and theirs for our samplers.

diffusers counts timesteps from 0 to T − 1 and we from 1 to T, 0 being clean data; their
`alphas_cumprod[t − 1]` is our `alpha_bar(t)`. What a network predicts is read alike: `epsilon`,
`sample` and `v_prediction` with v = α ε − σ x_0.
"""

from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from diffstn.diffusion.denoiser import Denoiser
from diffstn.diffusion.prediction import PREDICTIONS
from diffstn.diffusion.processes import Gaussian
from diffstn.diffusion.schedules import Schedule

PREDICTION_TYPES = {"eps": "epsilon", "x0": "sample", "v": "v_prediction"}


class ForPipeline(nn.Module):
    """Our denoiser as the `unet` of a pipeline: `unet(x_t, t, class_labels).sample`.

    With a variance that is learned the answer holds it as a second image, in their order.

    Args:
        denoiser: of images; its network's arguments `channels` and `size` are passed here.
        channels: C.
        size: (H, W).

    Shapes: x_t (B, C, H, W), t a number or (B,) from 0 to T − 1, class_labels (B,) or None.
    """

    def __init__(self, denoiser: Denoiser, channels: int, size: tuple[int, int]) -> None:
        super().__init__()
        self.denoiser = denoiser
        self.config = SimpleNamespace(sample_size=size, in_channels=channels)

    @property
    def dtype(self) -> torch.dtype:
        """Of the weights."""
        return next(self.parameters(), self.denoiser.schedule.log_alpha_bar).dtype

    @property
    def device(self) -> torch.device:
        """Of the weights."""
        return next(self.parameters(), self.denoiser.schedule.log_alpha_bar).device

    def forward(
        self, sample: Tensor, timestep: Any, class_labels: Tensor | None = None, **_: Any
    ) -> Any:
        """What the network says of `sample`, as `.sample` (B, outputs · C, H, W)."""
        t = torch.as_tensor(timestep, device=sample.device).long().expand(len(sample)) + 1
        label = {} if class_labels is None else {"label": class_labels}
        return SimpleNamespace(sample=self.denoiser.network(sample, t, **label))


def scheduler_arguments(denoiser: Denoiser) -> dict[str, Any]:
    """Arguments with which any of their schedulers undoes the process of our denoiser.

    `DDIMScheduler(**scheduler_arguments(denoiser))`; data are not clipped, as ours are not.

    Raises:
        ValueError: the denoiser's output has no name among theirs, or its variance explodes.
    """
    if denoiser.schedule.prior_sigma != 1:
        raise ValueError("their schedulers preserve the variance, and this schedule does not")
    ours = type(denoiser.prediction)
    named = [name for name, kind in PREDICTIONS.items() if type(kind) is ours]
    if not named or named[0] not in PREDICTION_TYPES:
        raise ValueError(f"diffusers knows no prediction like {ours.__name__}")
    t = torch.arange(1, denoiser.schedule.steps + 1)
    return {
        "num_train_timesteps": denoiser.schedule.steps,
        "trained_betas": denoiser.schedule.beta(t.to(denoiser.schedule.log_alpha_bar.device)).cpu(),
        "prediction_type": PREDICTION_TYPES[named[0]],
    }


class FromUNet(nn.Module):
    """Their `UNet2DModel`, called as ours: `network(x_t, t, label=None)` with t from 1 to T."""

    def __init__(self, unet: nn.Module) -> None:
        super().__init__()
        self.unet = unet

    def forward(self, x_t: Tensor, t: Tensor, label: Tensor | None = None) -> Tensor:
        """(B, C, H, W) → (B, outputs · C, H, W)."""
        heard = {} if label is None else {"class_labels": label}
        answer: Tensor = self.unet(x_t, t - 1, **heard).sample
        return answer


def denoiser_of(unet: nn.Module, scheduler: Any, variance: str = "fixed_small") -> Denoiser:
    """Their network with the noise of their scheduler, for our samplers and wrappers.

    Args:
        unet: a `UNet2DModel`.
        scheduler: the one it was trained with.
        variance: of the reverse step, see `Denoiser`.

    Raises:
        ValueError: the scheduler's prediction or betas are none of a variance-preserving process.
    """
    theirs = {theirs: ours for ours, theirs in PREDICTION_TYPES.items()}
    kind = scheduler.config.prediction_type
    if kind not in theirs:
        raise ValueError(f"prediction_type={kind} is none of {', '.join(theirs)}")
    process = Gaussian(Schedule(scheduler.betas))
    return Denoiser(FromUNet(unet), process, theirs[kind], variance)
