"""The denoising diffusion model of whatever is a tensor."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Any

import torch
from torch import Generator, Tensor

from diffstn.annotations import AtLeast, Auto, Count
from diffstn.build import Factory
from diffstn.codecs.codec import Codec
from diffstn.data.facts import Facts
from diffstn.diffusion import Denoises, Gaussian, LossSecondMoment
from diffstn.diffusion.losses import LOSSES
from diffstn.diffusion.named import named
from diffstn.diffusion.samplers import Sampler
from diffstn.diffusion.schedules import Schedule
from diffstn.diffusion.weighting import WEIGHTINGS
from diffstn.diffusion.wrappers import Clipped
from diffstn.errors import UserError
from diffstn.models.asked import asked_labels
from diffstn.models.denoiser import denoiser_for
from diffstn.models.fit_to_data import fit_codec
from diffstn.models.guidance import Guidance
from diffstn.models.noise import noise_for, timesteps_for, withheld
from diffstn.models.optimised import OptimisedModule
from diffstn.networks.classifiers.clusters import Clusters

TIMESTEP_SAMPLINGS: dict[str, Callable[[int], LossSecondMoment | None]] = {
    "stratified": lambda steps: None,
    "logit_normal": lambda steps: None,
    "importance": LossSecondMoment,
}


class DiffusionModel(OptimisedModule):
    r"""Learns to undo the noise in $x_t = \alpha_t x_0 + \sigma_t \varepsilon$, and so samples x_0.

    The items of a batch (B, *) may be points, clouds or images; the network says which it reads,
    and the codec makes x_0 of them. The timesteps of a batch come from equal strata of 1…T, one
    from each, which covers every noise level at every step. Validation uses the same noise every
    time, so its losses can be compared.

    A conditional model hears `batch.label`, or in a share `label_dropout` of the cases the label
    `classes`, which stands for none: the same network then serves without a label, too.

    Images whose labels nobody knows, or that are to be sampled without any, can be told apart by
    themselves: with `clusters` the network hears which of so many kinds an image is of, and a
    sample is of a kind drawn as often as it occurs. Nobody has to ask for one. If the model is
    conditional, too, each class has kinds of its own, and a class is asked for as ever.

    Sharp outlines are decided at low noise, which uniform timesteps seldom visit; a
    `timestep_power` above 1 visits it more often, see `stratified_timesteps`.

    Alternatively timesteps are sampled by `importance`, more often where the loss is large; for the
    losses that read the variance, whose terms differ by orders of magnitude.

    Sampling may be led: to a class by the model's own labels (`guidance_scale`) and by a classifier
    of noisy data (`guide`, `guide_scale`), away from the mistakes of a weaker model (`weak`,
    `weak_scale`), or by several of these; everywhere or in an interval of timesteps.

    Args:
        facts: of the data.
        network: makes the one called as network(x_t, t), or with `label=` (B,) if conditional.
        schedule: of the noise.
        sampler: x_T → x_0.
        codec: items ↔ x_0.
        prediction, variance: see `Denoiser`.
        conditional: whether the network hears the label.
        clusters: kinds of images that it hears of instead, see `Clusters`; 0: none.
        label_dropout: share of training items whose label, or kind, is withheld.
        timestep_power: exponent of the timesteps' distribution; 1 is uniform.
        timestep_sampling: `stratified`, `logit_normal`, which is stratified too and visits the
            middle more often, or `importance`.
        guidance_scale: w of classifier-free guidance while sampling; 0 is none.
        guide: run of a `NoisyClassifier` that was trained on data noised by the same schedule.
        guide_scale: of the guidance by it.
        weak: run of a weaker model of the same data and schedule, see `AutoGuided`.
        weak_scale: of the guidance away from it.
        guidance_interval: first and last timestep at which sampling is led; None: all.
        clip, clip_quantile: of x̂_0 while sampling, see `Clipped`; `auto`: as the codec says.
        loss: `simple`, `hybrid` or `vlb`, see `LOSSES`.
        bins: values that data can take in [−1, 1], for losses and likelihoods; None: any; `auto`:
            as the codec says.
        weighting: of the noise levels, `none` or `min_snr`.
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
        facts: Facts,
        network: Factory,
        schedule: Schedule,
        sampler: Sampler,
        codec: Codec,
        prediction: str = "v",
        variance: str = "fixed_small",
        conditional: bool = False,
        clusters: Annotated[int, AtLeast(0)] = 0,
        label_dropout: float = 0.1,
        timestep_power: float = 1.0,
        timestep_sampling: str = "stratified",
        guidance_scale: float = 0.0,
        guide: str | None = None,
        guide_scale: float = 1.0,
        weak: str | None = None,
        weak_scale: float = 1.0,
        guidance_interval: Sequence[int] | None = None,
        clip: float | Auto | None = None,
        clip_quantile: float | None = None,
        loss: str = "simple",
        bins: Count | Auto | None = None,
        weighting: str = "none",
        **optimisation: Any,
    ) -> None:
        super().__init__(**optimisation)
        if not 0 <= label_dropout <= 1:
            raise ValueError(f"label_dropout is a share, from 0 to 1, not {label_dropout}")
        if timestep_power <= 0:
            raise ValueError(f"timestep_power must be positive, not {timestep_power}")
        if guidance_scale and not ((conditional or clusters) and label_dropout):
            raise ValueError(
                f"guidance_scale={guidance_scale} needs a model that was trained with labels and"
                " without: model.conditional=true, or model.clusters, and label_dropout above 0"
            )
        if weighting != "none" and loss != "simple":
            raise ValueError(f"weighting={weighting} is for squared errors: model.loss=simple")
        if timestep_sampling == "importance" and timestep_power != 1:
            raise ValueError(
                "importance samples the timesteps by their losses: model.timestep_power=1.0"
            )
        self.facts, self.codec = facts, codec
        self.classes = clusters or len(facts.classes)
        self.is_told = conditional or clusters > 0
        if clusters and facts.size is None:
            raise ValueError(f"model.clusters={clusters}: the data are no images")
        self.clusters = (
            Clusters(
                clusters,
                facts.channels * math.prod(facts.size),  # type: ignore[operator,arg-type]
                len(facts.classes) if conditional else 1,
            )
            if clusters
            else None
        )
        seen = codec.facts(facts)
        self.denoiser = denoiser_for(
            network,
            Gaussian(schedule),
            prediction,
            variance,
            channels=seen.channels,
            size=seen.size,
            dim=seen.dim,
            classes=self.classes if self.is_told else 0,
        )
        if self.denoiser.variance.outputs > 1 and loss == "simple":
            raise ValueError(
                "variance=learned_range needs a loss that reads the variance: model.loss=hybrid"
            )
        sampler.timesteps(schedule)  # refuses more steps than there are
        self.sampler = sampler
        self.clip: float | None = told(clip, codec, "clip")
        self.clip_quantile = clip_quantile
        Clipped(self.denoiser, self.clip, clip_quantile)  # refuses what is out of range
        self.guidance = Guidance(
            *(facts, schedule, codec, conditional),
            guidance_scale=guidance_scale,
            guide=guide,
            guide_scale=guide_scale,
            weak=weak,
            weak_scale=weak_scale,
            guidance_interval=guidance_interval,
        )
        self.timestep_power = timestep_power
        self.conditional, self.label_dropout = conditional, label_dropout
        self.bins: int | None = told(bins, codec, "bins")
        self.loss = named("loss", loss, LOSSES)(self.bins)
        self.weighting = named("weighting", weighting, WEIGHTINGS)()
        choose = named("timestep_sampling", timestep_sampling, TIMESTEP_SAMPLINGS)
        self.importance, self.timestep_sampling = choose(schedule.steps), timestep_sampling

    def setup(self, stage: str) -> None:
        super().setup(stage)
        if stage == "fit":
            fit_codec(self.codec, self.trainer.datamodule)  # type: ignore[attr-defined]

    def losses(self, x_0: Tensor, label: Tensor, generator: Generator | None = None) -> Tensor:
        """One loss for each item, (B,), at one random timestep each."""
        steps = self.denoiser.schedule.steps
        middle = self.timestep_sampling == "logit_normal"
        t = timesteps_for(x_0, steps, generator, self.timestep_power, logit_normal=middle)
        return self.losses_at(t, x_0, label, generator)

    def losses_at(
        self, t: Tensor, x_0: Tensor, label: Tensor, generator: Generator | None = None
    ) -> Tensor:
        """One loss for each item, (B,), at the timesteps t (B,)."""
        eps = noise_for(x_0, generator)
        condition = {"label": label} if self.is_told else {}
        losses = self.loss(self.denoiser, x_0, t, eps, **condition)
        return losses * self.weighting(self.denoiser, t)

    def training_step(self, batch: Any, batch_index: int) -> Tensor:
        label = self.heard(batch)
        if self.is_told and self.label_dropout:
            label = withheld(label, self.label_dropout, self.classes)
        x_0 = self.codec.encode(batch.items)
        if self.importance is None:
            loss = self.losses(x_0, label).mean()
        else:
            t, weights = self.importance.draw(len(label))
            losses = self.losses_at(t, x_0, label)
            self.importance.observe(t, losses)
            loss = (weights * losses).mean()
        self.log("train/loss", loss.detach(), on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch: Any, batch_index: int) -> None:
        x_0, generator = self.codec.encode(batch.items), Generator().manual_seed(batch_index)
        loss = self.losses(x_0, self.heard(batch), generator).mean()
        self.log("val/loss", loss, on_epoch=True, batch_size=len(batch.label))

    def heard(self, batch: Any) -> Tensor:
        """What the network is told of a batch, (B,): its labels, or its kinds."""
        if self.clusters is None:
            return batch.label
        return self.clusters(batch.items, batch.label if self.conditional else None)

    def kinds(
        self, n: int, generator: Generator | None = None, label: Tensor | None = None
    ) -> Tensor | None:
        """Those of n samples, drawn as often as they occur; None where there are none.

        Where a class `label` (n,) is asked for, they occur as often as within that class:
        p(k | label) ∝ π_k p(label | k). If the network does not know, the guide that leads to the
        class reads the latter off the centres.
        """
        if self.clusters is None:
            return None
        if label is not None and self.conditional:
            return self.clusters.draw(n, generator, self.clusters.likely(label))
        guide = self.guidance.guide_on(self.device)
        if label is None or guide is None:
            return self.clusters.draw(n, generator)
        size = self.facts.channels, *self.facts.size  # type: ignore[misc]
        centres = self.clusters.images().unflatten(1, size).clamp(0, 1)
        x_0 = self.codec.encode(centres)
        read = guide(x_0, x_0.new_ones(len(x_0), dtype=torch.long))
        return self.clusters.draw(n, generator, read.exp().cpu()[:, label.cpu()].T)

    @property
    def hears_label(self) -> bool:
        """Whether a label leads sampling: the network hears it, or a guide does."""
        return self.conditional or self.guidance.guide is not None

    def led(self, guidance_scale: float | None = None, kinds: Tensor | None = None) -> Denoises:
        """The denoiser that samplers walk with, led and clipped.

        Args:
            guidance_scale: w of classifier-free guidance; None: the model's own.
            kinds: what the samples are of, (B,), see `kinds`; None: what the caller's label says.
        """
        known = guidance_scale, self.clusters, kinds
        led = self.guidance(self.denoiser, self.device, *known)
        return Clipped(led, self.clip, self.clip_quantile)

    @property
    def guided(self) -> Denoises:
        """`led` with the model's own scale."""
        return self.led()

    def denoise(
        self,
        noise: Tensor,
        label: Tensor | None = None,
        generator: Generator | None = None,
        *,
        sampler: Sampler | None = None,
        guidance_scale: float | None = None,
        kinds: Tensor | None = None,
        progress: Any = None,
    ) -> Tensor:
        """x_0 from the noise z ~ N(0, I), (B, *), of the classes `label` (B,) or of any, and of
        `kinds` (B,) or as many of each as the generator draws.

        Raises:
            UserError: the walk is led so hard that it ends beyond all numbers.
        """
        walk = self.sampler if sampler is None else sampler
        condition = self.condition(label)
        kinds = self.kinds(len(noise), generator, label) if kinds is None else kinds
        denoiser = self.led(guidance_scale, kinds)
        x_T = self.denoiser.process.prior(noise.to(self.device))
        x_0 = walk(denoiser, x_T, generator, progress=progress, **condition)
        leads = self.guidance.in_words(guidance_scale)
        if leads and not bool(x_0.isfinite().all()):
            raise UserError(f"samples are not finite: {leads} leads too hard")
        return x_0

    def generate(
        self, noise: Tensor, label: Tensor | None = None, generator: Generator | None = None
    ) -> Tensor:
        """Items from the noise, see `Generates`."""
        return self.codec.decode(self.denoise(noise, label, generator))

    @torch.no_grad()
    def sample(
        self,
        n: int,
        label: int | str | Tensor | None = None,
        *,
        guidance_scale: float | None = None,
        sampler: Sampler | None = None,
        seed: int = 0,
        batch_size: int = 64,
    ) -> Tensor:
        """n new items: images (n, C, H, W) in [0, 1], points (n, D) or clouds (n, N, D).

        Args:
            n: how many.
            label: the class of all, by number or name, or a class for each, (n,); None: a class
                drawn for each, where the model knows any.
            guidance_scale: w of classifier-free guidance; None: the model's own.
            sampler: another one than the model's own.
            seed: the same seed gives the same items.
            batch_size: sampled at once.

        Raises:
            ValueError: n is not positive, there is no such class, or the model hears none.
        """
        if n < 1:
            raise ValueError(f"n={n}: ask for one item or more")
        if guidance_scale and not (self.is_told and self.label_dropout):
            raise ValueError(
                f"guidance_scale={guidance_scale}: this model never went without labels, or with"
            )
        generator = Generator().manual_seed(seed)
        labels = asked_labels(n, label, self.facts.classes)
        if labels is None and self.conditional:
            labels = torch.randint(len(self.facts.classes), (n,), generator=generator)
        z = torch.randn((n, *self.noise_shape), generator=generator)
        kinds = self.kinds(n, generator, labels)
        told, of = (
            [None] * n if each is None else each.split(batch_size) for each in (labels, kinds)
        )
        denoise = partial(self.denoise, sampler=sampler, guidance_scale=guidance_scale)
        made = [
            denoise(noise, label, generator, kinds=kind)
            for noise, label, kind in zip(z.split(batch_size), told, of, strict=False)
        ]
        return torch.cat([self.codec.decode(x_0) for x_0 in made])

    @property
    def noise_shape(self) -> tuple[int, ...]:
        """Of one x_T, which is that of x_0."""
        seen = self.codec.facts(self.facts)
        if seen.channels is not None and seen.size is not None:
            return (seen.channels, *seen.size)
        assert seen.dim is not None
        return (seen.points, seen.dim) if seen.points else (seen.dim,)

    def noise(self, shape: tuple[int, ...], generator: Generator | None = None) -> Tensor:
        """A sample x_T of the process's prior, made on the generator's device, on the model's."""
        sampled_on = generator.device if generator else self.device
        z = torch.randn(shape, generator=generator, device=sampled_on).to(self.device)
        return self.denoiser.process.prior(z)

    def condition(self, label: Tensor | None) -> dict[str, Any]:
        """What the denoiser is called with beside x_t and t.

        Raises:
            ValueError: a label for a model that hears none.
        """
        if label is None:
            return {}
        if not self.hears_label:
            raise ValueError("this model was trained without labels: leave label out")
        return {"label": label.to(self.device)}


def told(value: Any, codec: Any, name: str) -> Any:
    """A setting of the data's range, or what the codec says of it."""
    return getattr(codec, name, None) if value == "auto" else value
