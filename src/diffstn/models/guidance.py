"""What leads a diffusion model while it samples."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from diffstn.build import load_model
from diffstn.codecs.codec import Codec
from diffstn.data.facts import Facts
from diffstn.diffusion import Denoiser, Denoises
from diffstn.diffusion.schedules import Schedule
from diffstn.diffusion.wrappers import AutoGuided, ByClassifier, ClassifierFree, OfKind, Within
from diffstn.errors import UserError
from diffstn.models.noisy_classifier import NoisyClassifier, check_guide
from diffstn.models.other_run import diffusion_of
from diffstn.networks.classifiers.clusters import Clusters


class Guidance:
    """The model's own labels, a classifier of noisy data, a weaker self, or several of these.

    The other runs are kept out of the model's parameters: they are neither trained nor stored
    along.

    Args:
        facts, schedule, codec, conditional: of the model that is led.
        guidance_scale, guide, guide_scale, weak, weak_scale, guidance_interval: see
            `DiffusionModel`.

    Raises:
        ValueError: the interval is none.
        UserError: a run is none of its kind, or knows other data or other noise.
    """

    def __init__(
        self,
        facts: Facts,
        schedule: Schedule,
        codec: Codec,
        conditional: bool,
        *,
        guidance_scale: float = 0.0,
        guide: str | None = None,
        guide_scale: float = 1.0,
        weak: str | None = None,
        weak_scale: float = 1.0,
        guidance_interval: Sequence[int] | None = None,
    ) -> None:
        self.guidance_scale, self.conditional = guidance_scale, conditional
        self.guide = None if guide is None else guide_of(guide, facts, schedule, codec)
        self.guide_scale = guide_scale
        knows = facts, schedule, codec, conditional
        self.weak: Any = None if weak is None else diffusion_of(f"model.weak={weak}", *knows)
        self.weak_scale = weak_scale
        self.interval = interval(guidance_interval, schedule.steps)

    def scale(self, asked: float | None = None) -> float:
        """w of classifier-free guidance, as asked or the model's own."""
        return self.guidance_scale if asked is None else asked

    def guide_on(self, device: torch.device) -> NoisyClassifier | None:
        """The classifier, where the model is."""
        if self.guide is None:
            return None
        with torch.inference_mode(False):  # tensors made in it could take no gradients
            return self.guide.to(device)

    def __call__(
        self,
        denoiser: Denoiser,
        device: torch.device,
        scale: float | None = None,
        clusters: Clusters | None = None,
        kinds: Tensor | None = None,
    ) -> Denoises:
        """The denoiser, led.

        Args:
            denoiser: of the model.
            device: where that is.
            scale: w of classifier-free guidance; None: the model's own.
            clusters: what it is told instead of labels, if it is.
            kinds: of the samples, (B,), by number; None: what the caller's label says.
        """
        plain: Denoises = denoiser
        led: Denoises = ClassifierFree(denoiser, self.scale(scale))
        if self.weak is not None:
            weak = self.weak.to(device).denoiser
            alike = told_alike(clusters, self.conditional, self.weak)
            led = AutoGuided(led, weak, self.weak_scale, heard=alike)
        if kinds is not None:
            there = kinds.to(device)
            led, plain = OfKind(led, there), OfKind(plain, there)
        if (guide := self.guide_on(device)) is not None:
            led = ByClassifier(led, guide, self.guide_scale, heard=self.conditional)
        return Within(plain, led, *self.interval) if self.interval else led

    def in_words(self, scale: float | None = None) -> str:
        """What leads, as settings; empty: nothing does."""
        w = self.scale(scale)
        said = (
            (f"model.guidance_scale={w}", w != 0),
            (f"model.weak_scale={self.weak_scale}", self.weak is not None),
            (f"model.guide_scale={self.guide_scale}", self.guide is not None),
        )
        return ", ".join(setting for setting, leads in said if leads)


def told_alike(clusters: Clusters | None, conditional: bool, weak: Any) -> bool:
    """Whether a weaker model hears what a model does, by the same numbers."""
    theirs = getattr(weak, "clusters", None)
    if clusters is None:
        return bool(weak.conditional) and theirs is None
    return theirs is not None and torch.equal(clusters.centres.cpu(), theirs.centres.cpu())


def interval(asked: Sequence[int] | None, steps: int) -> tuple[int, int] | None:
    """First and last of the timesteps at which sampling is led; None: all.

    Raises:
        ValueError: they are no two numbers in order within 0 … T.
    """
    if asked is None:
        return None
    if len(asked) != 2 or not 0 <= asked[0] <= asked[1] <= steps:
        raise ValueError(
            f"guidance_interval={list(asked)}: give its first and last timestep, from 0 to {steps}"
        )
    return asked[0], asked[1]


def guide_of(run: str, facts: Facts, schedule: Schedule, codec: Codec) -> NoisyClassifier:
    """The classifier of noisy data in the folder `run`, which takes no gradients of its own.

    Raises:
        UserError: it is no run of such a classifier, or it knows other data or other noise.
    """
    model = load_model(run)
    if not isinstance(model, NoisyClassifier):
        raise UserError(
            f"model.guide={run} is no run of model=noisy_classifier, which is what a guide has to"
            " be"
        )
    theirs = model.facts
    if (theirs.channels, theirs.classes) != (facts.channels, facts.classes):
        raise UserError(
            f"model.guide={run} knows {theirs.channels}-channel images of the classes"
            f" {', '.join(theirs.classes)}; train one on this data:"
            " python train.py model=noisy_classifier data=..."
        )
    if model.codec.facts(facts) != codec.facts(facts):
        raise UserError(
            f"model.guide={run} reads what another codec encodes; train one with the model's own"
        )
    check_guide(model, schedule, len(facts.classes))
    return model.requires_grad_(False)
