"""What every model that turns images upright has in common."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchmetrics.classification import MulticlassAccuracy

from diffstn.annotations import NotNegative
from diffstn.build import Factory
from diffstn.data.facts import Facts
from diffstn.in_portions import in_portions
from diffstn.metrics.labels.calibration import posterior
from diffstn.models.combination import combination
from diffstn.models.corrected import Corrected
from diffstn.models.encoder import encoder_for
from diffstn.models.given import Given
from diffstn.models.noise import latents_for
from diffstn.models.optimised import OptimisedModule
from diffstn.models.upright_already import evidence, nearness
from diffstn.spatial import (
    KERNELS,
    PADDINGS,
    Transformation,
    as_matrix,
    corner_distance,
    invert,
    moment_frame,
    named_family,
    named_frame,
    warp,
)
from diffstn.spatial.canvas import canvas_frame


class Correction(NamedTuple):
    """The outcome of correcting B images with k hypotheses each."""

    A: Tensor
    """Poses (B, k, dim)."""
    images: Tensor
    """Corrected images (B, k, C, H, W)."""
    probabilities: Tensor
    """The classifier's opinion of each corrected image, (B, k, classes)."""
    belief: Tensor
    """What the corrector itself takes the distorted images for, (B, classes)."""
    as_is: float = 0.0
    """Unless 0, the last hypothesis is the image as it is, and these are its odds to each other
    before anything was looked at.
    """
    near: Tensor | None = None
    """Then also how near the other poses are to changing nothing, (B, k − 1), see `nearness`."""

    def first(self, poses: int | None) -> "Correction":
        """The same of the first so many poses, and of the image as it is if that is one of them."""
        if poses is None or poses >= self.A.shape[1] - (self.as_is > 0):
            return self

        def few(each: Tensor) -> Tensor:
            some = each[:, :poses]
            return torch.cat([some, each[:, -1:]], dim=1) if self.as_is > 0 else some

        A, images, probabilities = few(self.A), few(self.images), few(self.probabilities)
        near = None if self.near is None else self.near[:, :poses]
        return Correction(A, images, probabilities, self.belief, self.as_is, near)

    @property
    def odds(self) -> Tensor:
        """Of the hypotheses, (B, k): 1 for poses that were drawn."""
        odds = torch.ones_like(self.probabilities[..., 0])
        if self.near is None:
            return odds
        return torch.cat([odds[:, 1:], self.as_is * evidence(self.near)[:, None]], dim=1)


class PoseCorrector(OptimisedModule):
    """Image → pose hypotheses → corrected images → classifier.

    A subclass says how poses come about (`relative_poses`) and what to minimise (`loss`); warping,
    judging, combining hypotheses and the training loop are here. A hypothesis is a function of the
    image and of a latent vector: `sample_latents` gives the latents, empty for a regressor, so
    evaluating a whole split draws all randomness up front and does not depend on the batch size.

    Args:
        facts: of the data.
        classifier: called with the facts, makes a network of images (B, C, h, w) → logits
            (B, classes).
        transformation: name of the family of the poses; None: that of the data's poses.
        hypotheses: how many poses to sample for an image.
        combine: `mean`, `most_confident` or `agreement`, see `combination`.
        frame: name of the map through which poses are predicted and encoders look, see `FRAMES`.
        kernel, padding: of the warps that correct, see `diffstn.spatial.warp_points`.
        as_is: odds at which the image as it is joins the poses that were sampled, as one more
            hypothesis; 0: it does not. For streams that are often upright, of which a corrector
            that expects any pose knows nothing. The poses then raise these odds or lower them
            (`evidence`), and what reads well a little turned stays so.
        calibration: powers (β, γ) of the two opinions of which `confidence` is made.
        optimisation: see `OptimisedModule`.

    Raises:
        ValueError: a number is out of range or a name unknown.
    """

    needs = ("distorted",)
    centre_first: bool = False
    """Whether the first hypothesis starts at the centre of the latents and the others at random."""
    fixed_hypotheses: int | None = None
    """How many poses an image gets where that is no choice; None where it is."""

    def __init__(
        self,
        facts: Facts,
        classifier: Factory,
        transformation: str | None = None,
        hypotheses: int = 1,
        combine: str = "mean",
        frame: str = "none",
        kernel: str = "bilinear",
        padding: str = "zeros",
        as_is: NotNegative = 0.0,
        calibration: Sequence[float] = (1.0, 0.0),
        **optimisation: Any,
    ) -> None:
        super().__init__(**optimisation)
        assert facts.transformation is not None
        assert facts.size is not None
        if hypotheses < 1:
            raise ValueError(f"hypotheses must be at least 1, got {hypotheses}")
        if combine == "agreement" and type(self).belief is PoseCorrector.belief:
            raise ValueError(
                f"combine=agreement asks what the corrector takes an image for, and"
                f" {type(self).__name__} has no opinion: choose mean or most_confident"
            )
        check_sampling(kernel, padding)
        if len(calibration) != 2 or min(calibration) < 0:
            raise ValueError(f"calibration={list(calibration)}: two powers, neither below 0")
        self.facts = facts
        self.classifier: nn.Module = classifier(facts)
        self.target_transformation: Transformation = facts.transformation
        self.transformation = (
            named_family(transformation) if transformation else facts.transformation
        )
        self.size = facts.size
        self.hypotheses = hypotheses
        self.combination = combination(combine)
        self.classes = len(facts.classes)
        self.frame = named_frame(frame)
        self.kernel, self.padding, self.as_is = kernel, padding, as_is
        self.calibration = tuple(calibration)
        self.validation_accuracy = MulticlassAccuracy(self.classes, average="micro")

    def encoder_for(self, encoder: Factory) -> nn.Module:
        """A new image encoder with `.features`, looking through the model's frame."""
        return encoder_for(self.facts, encoder, self.frame, self.padding)

    @property
    def trains_classifier(self) -> bool:
        return any(p.requires_grad for p in self.classifier.parameters())

    @property
    def reads_writing(self) -> bool:
        """Whether it knows light content on black alone: moments weigh pixels by their value."""
        return self.frame is moment_frame

    def sample_latents(
        self, images: int, hypotheses: int, generator: torch.Generator | None = None
    ) -> Tensor:
        """Latents (images, hypotheses, L) on the CPU; L = 0 where the pose is deterministic."""
        return torch.zeros(images, hypotheses, 0)

    @abstractmethod
    def relative_poses(
        self, image: Tensor, latents: Tensor, generator: torch.Generator | None = None
    ) -> Tensor:
        """Distorted images (B, C, H, W) and latents (B, k, L) → poses (B, k, dim), float32,
        relative to the images' frames.
        """

    def poses(
        self, image: Tensor, latents: Tensor, generator: torch.Generator | None = None
    ) -> Tensor:
        """Poses A (B, k, dim) of distorted images (B, C, H, W) given latents (B, k, L)."""
        return self.from_frame(image, self.relative_poses(image, latents, generator))

    def from_frame(self, image: Tensor, relative: Tensor) -> Tensor:
        """A = C ∘ relative, with C the frames of the images: (B, k, dim) → (B, k, dim)."""
        if self.frame is None:
            return relative
        C = self.transformation.from_affine(self.frame(image))
        k = relative.shape[1]
        composed = self.transformation.compose(
            C.repeat_interleave(k, dim=0), relative.flatten(0, 1)
        )
        return composed.unflatten(0, (-1, k))

    def to_frame(self, image: Tensor, A: Tensor) -> Tensor:
        """The pose relative to the image's frame, C⁻¹ ∘ A: (B, dim) → (B, dim)."""
        if self.frame is None:
            return A
        inverse = invert(as_matrix(self.frame(image))).flatten(1)
        return self.transformation.compose(self.transformation.from_affine(inverse), A)

    @abstractmethod
    def loss(self, batch: Any) -> dict[str, Tensor]:
        """Loss terms of a training batch; the one named `loss` is minimised."""

    def warp(self, image: Tensor, A: Tensor) -> Tensor:
        """Correct images (B, C, H, W) with poses (B, k, dim): (B, k, C, h, w)."""
        k = A.shape[1]
        repeated = image.repeat_interleave(k, dim=0) if k > 1 else image
        return self.warp_by(self.transformation, repeated, A.flatten(0, 1)).unflatten(0, (-1, k))

    def warp_by(self, family: Transformation, image: Tensor, A: Tensor) -> Tensor:
        """Correct images (B, C, H, W) with poses (B, dim) of any family: (B, C, h, w) in [0, 1].

        A bicubic kernel keeps edges that a bilinear one blurs, but overshoots beside them; what
        leaves the range of images is cut off.
        """
        warped = warp(image, A, family, self.size, self.kernel, self.padding)
        return warped.clamp(0, 1) if self.kernel == "bicubic" else warped

    def judge(self, images: Tensor) -> Tensor:
        """Log-probabilities (B, k, classes) of corrected images (B, k, C, h, w)."""
        logits = in_portions(self.classifier, images.flatten(0, 1)).float()
        return logits.log_softmax(dim=-1).unflatten(0, images.shape[:2])

    def forward(
        self,
        image: Tensor,
        hypotheses: int | None = None,
        latents: Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> Correction:
        """Correct distorted images (B, C, H, W)."""
        if latents is None:
            latents = self.sample_latents(len(image), hypotheses or self.hypotheses, generator)
        A, belief = self.guesses(image, latents.to(image.device), generator)
        near = None
        if self.as_is > 0:
            unturned = self.transformation.from_affine(canvas_frame(image)).to(A.dtype)
            near = nearness(A, unturned, self.transformation)
            A = torch.cat([A, unturned[:, None]], dim=1)
        images = self.warp(image, A)
        return Correction(A, images, self.judge(images).exp(), belief, self.as_is, near)

    def guesses(
        self, image: Tensor, latents: Tensor, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """`poses` and `belief` of the same images, for models that find both in one look."""
        return self.poses(image, latents, generator), self.belief(image)

    def belief(self, image: Tensor) -> Tensor:
        """What the corrector takes distorted images for, (B, classes); uniform: no opinion."""
        return torch.full((image.shape[0], self.classes), 1 / self.classes, device=image.device)

    def weights(self, correction: Correction, hypotheses: int | None = None) -> Tensor:
        """How much each of the first so many hypotheses counts, (B, k), see `Correction.first`."""
        few = correction.first(hypotheses)
        return self.combination(few.probabilities, few.belief, few.odds)

    def representative(self, correction: Correction, hypotheses: int | None = None) -> Tensor:
        """Index (B,) of the hypothesis that stands for the combined opinion: among those with
        weight, the one whose own opinion is nearest to it.

        What wins by its reading is as far from the middle of its mode as any draw, or farther. So
        where the first hypothesis starts at the centre (`centre_first`) and reads the same, it
        stands for a pose that was drawn: of 10 000 digits of `full`, sixteen poses each, the median
        error of the angle is then 5.0° and not 9.4°, and every reading as it was.
        """
        weights = self.weights(correction, hypotheses)
        opinions = correction.first(hypotheses).probabilities
        likeness = (opinions * self.combine(correction, hypotheses)[:, None]).sum(dim=-1)
        found = (weights * (1 + likeness)).argmax(dim=1)
        if self.centre_first:
            read = opinions.argmax(dim=-1)
            alike = read[:, 0] == read.gather(1, found[:, None])[:, 0]
            drawn = found < opinions.shape[1] - (correction.as_is > 0)
            found = found.masked_fill(alike & drawn, 0)
        if correction.as_is > 0:
            last = correction.A.shape[1] - 1
            found = torch.where(found == opinions.shape[1] - 1, last, found)
        return found

    def combine(self, correction: Correction, hypotheses: int | None = None) -> Tensor:
        """The combined opinion on the first so many hypotheses, probabilities (B, classes)."""
        weights = self.weights(correction, hypotheses)
        return (weights[..., None] * correction.first(hypotheses).probabilities).sum(dim=1)

    def opinions(self, correction: Correction, combined: Tensor) -> tuple[Tensor, Tensor]:
        """What `posterior` is made of, twice (B, classes): the corrector's own belief, and what the
        classifier reads on average over the hypotheses.

        The belief is taught by labels of distorted images and so knows what cannot be known. The
        classifier was never shown a wrong pose, and is too sure of what it makes of one. Where the
        corrector has no belief the combined opinion (B, classes) stands in.
        """
        has_belief = type(self).belief is not PoseCorrector.belief
        return correction.belief if has_belief else combined, correction.probabilities.mean(dim=1)

    def confidence(self, correction: Correction, combined: Tensor) -> Tensor:
        """How probable the class is that the combined opinion (B, classes) reads, (B,).

        It is the `posterior` of `opinions` with the powers `calibration`; (1, 0), the default, is
        the belief alone.
        """
        source = posterior(*self.opinions(correction, combined), self.calibration)
        return source.gather(1, combined.argmax(dim=1, keepdim=True))[:, 0]

    @torch.no_grad()
    def correct(
        self,
        images: Any,
        hypotheses: int | None = None,
        seed: int = 0,
        abstain_below: float = 0.8,
    ) -> Corrected:
        """Turn images upright; see `Given` for what images may be.

        Args:
            images: distorted ones, single or in a batch.
            hypotheses: poses sampled for each, of which the best is taken; None: the model's own
                number.
            seed: of the poses. All images start from the same latents, so that an answer depends on
                its image and the seed, and not on what else is in the batch.
            abstain_below: the confidence under which `abstain` is set.

        Raises:
            ValueError: fewer hypotheses than one, or images as `Given` refuses them.
        """
        if hypotheses is not None and hypotheses < 1:
            raise ValueError(f"hypotheses={hypotheses}: at least 1")
        given = Given(images, self.facts, self.facts.canvas, self.device, self.reads_writing)
        generator = torch.Generator().manual_seed(seed)
        latents = self.sample_latents(1, hypotheses or self.hypotheses, generator)
        latents = latents.expand(len(given.images), -1, -1)
        correction = self(given.images, latents=latents, generator=generator)
        shares = self.combination.shares(
            correction.probabilities, correction.belief, correction.odds
        )
        chosen = self.representative(correction)[:, None]
        order = shares.scatter(1, chosen, 2.0).argsort(dim=1, descending=True, stable=True)
        rows = torch.arange(len(order), device=order.device)[:, None]
        opinions = [
            self.combine(correction),
            *correction.probabilities[rows, order[:, 1:]].unbind(1),
        ]
        confidence = [self.confidence(correction, opinion) for opinion in opinions]

        def answer(place: int, alternatives: tuple[Corrected, ...] = ()) -> Corrected:
            at = rows[:, 0], order[:, place]
            return Corrected(
                given.like(correction.images[at], pixels=True),
                given.like(correction.A[at]),
                given.like(opinions[place]),
                given.like(confidence[place]),
                given.like(confidence[place] < abstain_below),
                given.like(shares[at]),
                self.transformation,
                given.placement,
                alternatives,
            )

        return answer(0, tuple(answer(place) for place in range(1, order.shape[1])))

    def classify(self, images: Any, hypotheses: int | None = None, seed: int = 0) -> Tensor:
        """What the classifier reads in the corrected images: probabilities (B, classes)."""
        return self.correct(images, hypotheses, seed).probabilities

    def classification_loss(self, images: Tensor, label: Tensor) -> Tensor:
        """Negative log-likelihood of the labels (B,) given corrected images (B, k, C, h, w)."""
        log_probabilities = self.judge(images)
        target = label[:, None].expand(log_probabilities.shape[:2])
        return F.nll_loss(log_probabilities.flatten(0, 1), target.flatten())

    def training_step(self, batch: Any, batch_index: int) -> Tensor:
        terms = self.loss(batch)
        self.log_dict(
            {f"train/{name}": value.detach() for name, value in terms.items()},
            on_step=False,
            on_epoch=True,
            batch_size=len(batch.label),
        )
        return terms["loss"]

    def validation_step(self, batch: Any, batch_index: int) -> None:
        generator = torch.Generator().manual_seed(batch_index)
        latents = latents_for(self, batch.image, generator)
        correction = self(batch.image, latents=latents, generator=generator)
        self.validation_accuracy(self.combine(correction), batch.label)
        nll = F.nll_loss(correction.probabilities[:, 0].clamp_min(1e-12).log(), batch.label)
        families = self.transformation, self.target_transformation
        corner = corner_distance(correction.A[:, 0], batch.A, *families).mean()
        self.log_dict(
            {
                "val/accuracy": self.validation_accuracy,
                "val/nll": nll,
                "val/corner_distance": corner,
            },
            on_epoch=True,
            batch_size=len(batch.label),
        )


def check_sampling(kernel: str, padding: str) -> None:
    """Refuse kernels and paddings that warps do not know.

    Raises:
        ValueError: the message lists those they know.
    """
    for name, value, known in (("kernel", kernel, KERNELS), ("padding", padding, PADDINGS)):
        if value not in known:
            raise ValueError(f"{name}={value}: choose {', '.join(known)}")
