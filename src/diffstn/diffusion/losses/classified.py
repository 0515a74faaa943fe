"""A loss, and what a classifier says of the denoised data."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from diffstn.diffusion.denoiser import Denoiser
from diffstn.diffusion.losses.loss import Loss
from diffstn.diffusion.named import named

Logits = Callable[[Tensor], Tensor]

SIGNALS: dict[str, Callable[[Tensor], Tensor]] = {
    "none": torch.ones_like,
    "signal": lambda alpha_bar: alpha_bar,
}
"""How much the classifier counts at a noise level, by name; called with ᾱ_t."""


class Classified:
    r"""$L + w\,\lambda(\bar\alpha_t)\,\mathrm{CE}(c(\hat x_0), y)$: a loss and a classifier's.

    A network that predicts ε answers x̂_0 = (x_t − σ_t ε̂) / α_t. To change x̂_0 by δ costs it
    (α_t / σ_t)² ‖δ‖² in the error of ε̂, which is next to nothing where α_t is small: there it may
    write whatever the classifier takes for y, and λ = 1 asks it to. λ = ᾱ_t (`signal`) makes the
    gradient of the cross-entropy in ε̂ go with ᾱ_t σ_t / α_t = α_t σ_t, which vanishes there.

    Items of a label beyond those that the classifier knows, which is that for none, are not read.

    Args:
        loss: L.
        classifier: x̂_0 (B, *) → logits (B, classes).
        weight: w.
        signal: λ, `none` for 1 or `signal` for ᾱ_t.

    Raises:
        ValueError: the weight is negative, or λ is no name that exists.

    Source: the auxiliary classifier: Odena et al., Conditional Image Synthesis with Auxiliary
    Classifier GANs, 2017, section 3.
    """

    def __init__(
        self, loss: Loss, classifier: Logits, weight: float = 1.0, signal: str = "signal"
    ) -> None:
        if weight < 0:
            raise ValueError(f"the weight of a classifier is 0 or more, not {weight}")
        self.loss, self.classifier, self.weight = loss, classifier, weight
        self.signal = named("signal", signal, SIGNALS)

    def __call__(
        self, denoiser: Denoiser, x_0: Tensor, t: Tensor, eps: Tensor, **condition: Tensor
    ) -> Tensor:
        """The whole of it for each item, (B,); `label` (B,) is a part of the condition."""
        own, read = self.both(denoiser, x_0, t, eps, **condition)
        return own + self.of(denoiser.schedule.alpha_bar(t), read)

    def of(self, alpha_bar: Tensor, cross_entropy: Tensor) -> Tensor:
        """w λ(ᾱ_t) CE, (B,)."""
        return self.weight * self.signal(alpha_bar) * cross_entropy

    def both(
        self, denoiser: Denoiser, x_0: Tensor, t: Tensor, eps: Tensor, **condition: Tensor
    ) -> tuple[Tensor, Tensor]:
        """L and the cross-entropy of each item, (B,), of one call of the denoiser."""
        eps = denoiser.process.noise(eps)
        x_t = denoiser.process.corrupt(x_0, t, eps)
        denoised = denoiser(x_t, t, **condition)
        own = self.loss.score(denoiser, denoised, x_0, x_t, t, eps)
        logits, label = self.classifier(denoised.x_0).float(), condition["label"]
        known = label.masked_fill(label >= logits.shape[1], -100)
        return own, F.cross_entropy(logits, known, ignore_index=-100, reduction="none")
