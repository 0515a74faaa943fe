"""The denoising diffusion model of whatever is a tensor."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Generator, Tensor

from diffstn.diffusion import (
    Denoiser,
    Denoises,
    LossSecondMoment,
    gaussian_noise,
    stratified_timesteps,
)
from diffstn.diffusion.losses import LOSSES
from diffstn.diffusion.named import named
from diffstn.diffusion.samplers import Sampler
from diffstn.diffusion.weighting import WEIGHTINGS
from diffstn.diffusion.wrappers import ByClassifier, ClassifierFree
from diffstn.models.noisy_classifier import NoisyClassifier, check_guide
from diffstn.models.optimised import OptimisedModule

TIMESTEPS: dict[str, Callable[[int], LossSecondMoment | None]] = {
    "stratified": lambda steps: None,
    "importance": LossSecondMoment,
}


class DiffusionModel(OptimisedModule):
    r"""Learns to undo the noise in $x_t = \alpha_t x_0 + \sigma_t \varepsilon$, and so to draw x_0.

    `batch.x_0` (B, *) may be points, clouds or images; the network says which it reads. The
    timesteps of a batch come from equal strata of 1…T, one from each, which covers every noise
    level at every step. Validation draws the same noise every time, so its losses can be compared.

    A conditional model hears `batch.label`, or in a share `label_dropout` of the cases the label
    `classes`, which stands for none: the same network then serves without a label, too.

    Sharp outlines are decided at low noise, which uniform timesteps seldom visit; a
    `timestep_power` above 1 visits it more often, see `stratified_timesteps`.

    Alternatively timesteps are drawn by `importance`, more often where the loss is large; for the
    losses that read the variance, whose terms differ by orders of magnitude.

    Sampling may be led to a class: by the model's own labels (`guidance_scale`), by a classifier
    of noisy data (`guide`, `guide_scale`), or by both.

    Args:
        denoiser: called as denoiser(x_t, t), or with `label=` (B,) if conditional.
        sampler: x_T → x_0.
        classes: number of classes.
        conditional: whether the denoiser hears the label.
        label_dropout: share of training items whose label is withheld.
        timestep_power: exponent of the timesteps' distribution; 1 is uniform.
        guidance_scale: w of classifier-free guidance while sampling; 0 is none.
        guide: a classifier that was trained on data noised by the same schedule.
        guide_scale: of the guidance by it.
        loss: `simple`, `hybrid` or `vlb`, see `LOSSES`.
        bins: values that data can take in [−1, 1], for losses and likelihoods; None: any.
        weighting: of the noise levels, `none` or `min_snr`.
        timesteps: `stratified` or `importance`.
        optimisation: see `OptimisedModule`.

    Raises:
        ValueError: a number is out of range, a name is unknown, guidance is asked of a model that
            never heard labels, or never went without, the guide knows other noise, or the loss
            does not teach the variance.

    Source: Ho et al., Denoising Diffusion Probabilistic Models, 2020; the label drop-out: Ho and
    Salimans, Classifier-Free Diffusion Guidance, 2021.
    """

    monitor = ("val/loss", "min")

    def __init__(
        self,
        denoiser: Denoiser,
        sampler: Sampler,
        classes: int,
        conditional: bool = False,
        label_dropout: float = 0.1,
        timestep_power: float = 1.0,
        guidance_scale: float = 0.0,
        guide: NoisyClassifier | None = None,
        guide_scale: float = 1.0,
        loss: str = "simple",
        bins: int | None = None,
        weighting: str = "none",
        timesteps: str = "stratified",
        **optimisation: Any,
    ) -> None:
        super().__init__(**optimisation)
        if not 0 <= label_dropout <= 1:
            raise ValueError(f"label_dropout is a share, from 0 to 1, not {label_dropout}")
        if timestep_power <= 0:
            raise ValueError(f"timestep_power must be positive, not {timestep_power}")
        if guidance_scale and not (conditional and label_dropout):
            raise ValueError(
                f"guidance_scale={guidance_scale} needs a model that was trained with labels and"
                " without: model.conditional=true and label_dropout above 0"
            )
        if denoiser.variance.outputs > 1 and loss == "simple":
            raise ValueError(
                "variance=learned_range needs a loss that reads the variance: model.loss=hybrid"
            )
        if weighting != "none" and loss != "simple":
            raise ValueError(f"weighting={weighting} is for squared errors: model.loss=simple")
        if timesteps == "importance" and timestep_power != 1:
            raise ValueError(
                "importance draws the timesteps by their losses: model.timestep_power=1.0"
            )
        if guide is not None:
            check_guide(guide, denoiser.schedule, classes)
        self.denoiser, self.sampler = denoiser, sampler
        self.guidance_scale, self.guide_scale = guidance_scale, guide_scale
        self.guides = () if guide is None else (guide,)  # in a tuple: its weights are not ours
        self.timestep_power = timestep_power
        self.classes, self.conditional = classes, conditional
        self.label_dropout = label_dropout
        self.bins = bins
        self.loss = named("loss", loss, LOSSES)(bins)
        self.weighting = named("weighting", weighting, WEIGHTINGS)()
        steps = denoiser.schedule.steps
        self.importance = named("timesteps", timesteps, TIMESTEPS)(steps)

    def losses(self, x_0: Tensor, label: Tensor, generator: Generator | None = None) -> Tensor:
        """One loss for each item, (B,), at one random timestep each."""
        shape, steps = x_0.shape[:1], self.denoiser.schedule.steps
        t = stratified_timesteps(shape, steps, generator, x_0.device, self.timestep_power)
        t = t[torch.randperm(len(t), generator=generator).to(t.device)]
        return self.losses_at(t, x_0, label, generator)

    def losses_at(
        self, t: Tensor, x_0: Tensor, label: Tensor, generator: Generator | None = None
    ) -> Tensor:
        """One loss for each item, (B,), at the timesteps t (B,)."""
        eps = gaussian_noise(x_0, generator)
        condition = {"label": label} if self.conditional else {}
        losses = self.loss(self.denoiser, x_0, t, eps, **condition)
        return losses * self.weighting(self.denoiser, t)

    def training_step(self, batch: Any, batch_index: int) -> Tensor:
        label = batch.label
        if self.conditional and self.label_dropout:
            withheld = torch.rand(label.shape, device=label.device) < self.label_dropout
            label = label.masked_fill(withheld, self.classes)
        if self.importance is None:
            loss = self.losses(batch.x_0, label).mean()
        else:
            t, weights = self.importance.draw(len(label))
            losses = self.losses_at(t, batch.x_0, label)
            self.importance.observe(t, losses)
            loss = (weights * losses).mean()
        self.log("train/loss", loss.detach(), on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch: Any, batch_index: int) -> None:
        loss = self.losses(batch.x_0, batch.label, Generator().manual_seed(batch_index)).mean()
        self.log("val/loss", loss, on_epoch=True, batch_size=len(batch.label))

    def sample(
        self,
        x_T: Tensor,
        label: Tensor | None = None,
        generator: Generator | None = None,
        progress: Any = None,
    ) -> Tensor:
        """x_0 from the noise x_T (B, *), of the classes `label` (B,) or of any."""
        condition = self.condition(label)
        return self.sampler(self.guided, x_T.to(self.device), generator, progress, **condition)

    @property
    def guided(self) -> Denoises:
        """The denoiser that samplers walk with."""
        guided: Denoises = ClassifierFree(self.denoiser, self.guidance_scale)
        for guide in self.guides:
            with torch.inference_mode(False):  # tensors made in it could take no gradients
                there = guide.to(self.device)
            guided = ByClassifier(guided, there, self.guide_scale, heard=self.conditional)
        return guided

    def noise(self, shape: tuple[int, ...], generator: Generator | None = None) -> Tensor:
        """x_T ~ N(0, I), drawn on the generator's device, on the model's."""
        drawn_on = generator.device if generator else self.device
        return torch.randn(shape, generator=generator, device=drawn_on).to(self.device)

    def condition(self, label: Tensor | None) -> dict[str, Tensor]:
        """What the denoiser is called with beside x_t and t.

        Raises:
            ValueError: a label for an unconditional model.
        """
        if label is None:
            return {}
        if not self.conditional and not self.guides:
            raise ValueError("this model was trained without labels")
        return {"label": label.to(self.device)}
