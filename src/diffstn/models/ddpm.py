"""The denoising diffusion model of whatever is a tensor."""

from typing import Any

import torch
from torch import Generator, Tensor

from diffstn.diffusion import Denoiser, SimpleLoss, stratified_timesteps
from diffstn.diffusion.guidance import ClassifierFree
from diffstn.diffusion.samplers import Sampler
from diffstn.models.optimisation import OptimisedModule


class DDPM(OptimisedModule):
    r"""Learns to undo the noise in $x_t = \alpha_t x_0 + \sigma_t \varepsilon$, and so to draw x_0.

    `batch.x_0` (B, *) may be points, clouds or pictures; the network says which it reads. The
    timesteps of a batch come from equal strata of 1…T, one from each, which covers every noise
    level at every step. Validation draws the same noise every time, so its losses can be compared.

    A conditional model hears `batch.label`, or in a share `label_dropout` of the cases the label
    `classes`, which stands for none: the same network then serves without a label, too.

    Sharp outlines are decided at low noise, which uniform timesteps seldom visit; a
    `timestep_power` above 1 visits it more often, see `stratified_timesteps`.

    Args:
        denoiser: called as denoiser(x_t, t), or with `label=` (B,) if conditional.
        sampler: x_T → x_0.
        classes: number of classes.
        conditional: whether the denoiser hears the label.
        label_dropout: share of training items whose label is withheld.
        timestep_power: exponent of the timesteps' distribution; 1 is uniform.
        guidance_scale: w of classifier-free guidance while sampling; 0 is none.
        optimisation: see `OptimisedModule`.

    Raises:
        ValueError: label_dropout is no share, timestep_power is not positive, or guidance is asked
            of a model that never heard labels, or never went without.

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
        self.denoiser, self.sampler = denoiser, sampler
        self.guidance_scale = guidance_scale
        self.timestep_power = timestep_power
        self.classes, self.conditional = classes, conditional
        self.label_dropout = label_dropout
        self.simple_loss = SimpleLoss()

    def losses(self, x_0: Tensor, label: Tensor, generator: Generator | None = None) -> Tensor:
        """One loss for each item, (B,), at one random timestep each."""
        shape, steps = x_0.shape[:1], self.denoiser.schedule.steps
        t = stratified_timesteps(shape, steps, generator, x_0.device, self.timestep_power)
        t = t[torch.randperm(len(t), generator=generator).to(t.device)]
        source = generator.device if generator else x_0.device
        eps = torch.randn(x_0.shape, generator=generator, device=source).to(x_0.device)
        condition = {"label": label} if self.conditional else {}
        return self.simple_loss(self.denoiser, x_0, t, eps, **condition)

    def training_step(self, batch: Any, batch_index: int) -> Tensor:
        label = batch.label
        if self.conditional and self.label_dropout:
            withheld = torch.rand(label.shape, device=label.device) < self.label_dropout
            label = label.masked_fill(withheld, self.classes)
        loss = self.losses(batch.x_0, label).mean()
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
    def guided(self) -> ClassifierFree:
        """The denoiser that samplers walk with."""
        return ClassifierFree(self.denoiser, self.guidance_scale)

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
        if not self.conditional:
            raise ValueError("this model was trained without labels")
        return {"label": label.to(self.device)}
