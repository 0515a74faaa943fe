"""What every model that turns images upright has in common."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchmetrics.classification import MulticlassAccuracy

from diffstn.models.combination import agreement, combination
from diffstn.models.optimised import OptimisedModule
from diffstn.spatial import Transformation, as_matrix, corner_distance, invert, warp

Frame = Callable[[Tensor], Tensor]


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


class PoseCorrector(OptimisedModule):
    """Image → pose hypotheses → corrected images → classifier.

    A subclass says how poses come about (`relative_poses`) and what to minimise (`loss`); warping,
    judging, combining hypotheses and the training loop are here. A hypothesis is a function of the
    image and of a latent vector: `draw_latents` gives the latents, empty for a regressor, so
    evaluating a whole split draws all randomness up front and does not depend on the batch size.

    Args:
        classifier: images (B, C, h, w) → logits (B, classes); wrap it in `Frozen` to keep it.
        transformation: family of the poses.
        target_transformation: family of the data's poses, the same unless chosen otherwise.
        size: (height, width) of a corrected image.
        classes: number of classes.
        hypotheses: how many poses to draw for an image.
        combine: `mean`, `most_confident` or `agreement`, see `combination`.
        frame: images (B, C, H, W) → affine maps (B, 6) into them, such as `moment_frame`; poses
            are predicted relative to them. None for the image itself. The encoder must look at
            the image through the same frame, see `FramedEncoder`.
        kernel, padding: of the warps that correct, see `diffstn.spatial.warp_points`.
    """

    needs = ("distorted",)
    fixed_hypotheses: int | None = None
    """How many poses an image gets where that is no choice; None where it is."""

    def __init__(
        self,
        classifier: nn.Module,
        transformation: Transformation,
        target_transformation: Transformation,
        size: tuple[int, int],
        classes: int,
        hypotheses: int = 1,
        combine: str = "mean",
        frame: Frame | None = None,
        kernel: str = "bilinear",
        padding: str = "zeros",
        **optimisation: Any,
    ) -> None:
        super().__init__(**optimisation)
        if hypotheses < 1:
            raise ValueError(f"hypotheses must be at least 1, got {hypotheses}")
        self.classifier = classifier
        self.transformation = transformation
        self.target_transformation = target_transformation
        self.size = size
        self.hypotheses = hypotheses
        if combine == "agreement" and type(self).belief is PoseCorrector.belief:
            raise ValueError(
                f"combine=agreement asks what the corrector takes an image for, and"
                f" {type(self).__name__} has no opinion: choose mean or most_confident"
            )
        self.combination = combination(combine)
        self.classes = classes
        self.frame = frame
        self.kernel, self.padding = kernel, padding
        self.validation_accuracy = MulticlassAccuracy(classes, average="micro")

    @property
    def trains_classifier(self) -> bool:
        return any(p.requires_grad for p in self.classifier.parameters())

    def draw_latents(
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
        logits = self.classifier(images.flatten(0, 1)).float()
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
            latents = self.draw_latents(len(image), hypotheses or self.hypotheses, generator)
        A = self.poses(image, latents.to(image.device), generator)
        images = self.warp(image, A)
        asked = self.combination is agreement and A.shape[1] > 1
        belief = self.belief(image) if asked else PoseCorrector.belief(self, image)
        return Correction(A, images, self.judge(images).exp(), belief)

    def belief(self, image: Tensor) -> Tensor:
        """What the corrector takes distorted images for, (B, classes); uniform: no opinion."""
        return torch.full((len(image), self.classes), 1 / self.classes, device=image.device)

    def weights(self, correction: Correction, hypotheses: int | None = None) -> Tensor:
        """How much each of the first so many hypotheses counts, (B, k)."""
        return self.combination(correction.probabilities[:, :hypotheses], correction.belief)

    def representative(self, correction: Correction, hypotheses: int | None = None) -> Tensor:
        """Index (B,) of the hypothesis that stands for the combined opinion: among those with
        weight, the one whose own opinion is nearest to it.
        """
        weights = self.weights(correction, hypotheses)
        opinions = correction.probabilities[:, :hypotheses]
        likeness = (opinions * self.combine(correction, hypotheses)[:, None]).sum(dim=-1)
        return (weights * (1 + likeness)).argmax(dim=1)

    def combine(self, correction: Correction, hypotheses: int | None = None) -> Tensor:
        """The combined opinion on the first so many hypotheses, probabilities (B, classes)."""
        weights = self.weights(correction, hypotheses)
        return (weights[..., None] * correction.probabilities[:, :hypotheses]).sum(dim=1)

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
        correction = self(batch.image, hypotheses=1, generator=generator)
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
