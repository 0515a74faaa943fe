"""Search for the pose at which a classifier is surest: nothing is trained for it."""

import math
from typing import Annotated, Any

import torch
from torch import Tensor

from diffstn.annotations import Count, NotNegative, OneOf
from diffstn.data.facts import Facts
from diffstn.errors import UserError
from diffstn.models.nothing_to_train import NothingToTrain
from diffstn.models.pose_corrector import PoseCorrector
from diffstn.spatial import Affine, affine_matrix

REACH = (0.35, 0.35, 0.3, 0.15, 0.15)
"""Of log k_x, log k_y, the shear and the translations, to either side, before it is halved."""

nothing = NothingToTrain("pose_search")


class PoseSearch(PoseCorrector):
    r"""Tries poses and keeps those of which the classifier is surest.

    A pose relative to the image's frame is (φ, log k_x, log k_y, s, t_x, t_y). The search begins at
    `angles` rotations, keeps the `beams` best, and goes through the numbers one after another:
    each beam is varied at `points` places along one of them, and of all that come of it the best
    stay. A round over all six is followed by one with half the reach, `rounds` in all.

    The score is the classifier's largest logit (`logit`), its free energy
    $\log \sum_y e^{\ell_y}$ (`energy`) or its largest log-probability (`confidence`), which is
    flat where it is sure.

    What limits it is the classifier: it was never told what is *not* a digit, and is as sure of a 6
    on its head, a 9, as of a 6. There is no prior of poses and no second opinion.

    Source: Schmidt and Stober, "Tilt your Head: Activating the Hidden Spatial-Invariance of
    Classifiers", 2024, whose search goes through rotation, scale and shear level by level.

    Args:
        facts: of the data.
        rotation: the first angles lie in ±rotation degrees.
        angles, beams, points, rounds: see above.
        size: of upright content in units of its frame: 0.90 ± 0.09 of MNIST's digits in their
            `moment_frame`; 1 of a canvas.
        reach: of all but the angles, in units of `REACH`; 0: rotations alone are searched.
        score: see above.
        common: see `PoseCorrector`.

    Raises:
        ValueError: the rotation or the size is out of range.
        UserError: the poses of the data are not affine.
    """

    fixed_hypotheses = 1

    def __init__(
        self,
        facts: Facts,
        rotation: float = 180.0,
        angles: Count = 36,
        beams: Count = 4,
        points: Count = 5,
        rounds: Count = 2,
        size: float = 0.9,
        reach: NotNegative = 1.0,
        score: Annotated[str, OneOf(("logit", "energy", "confidence"))] = "logit",
        **common: Any,
    ) -> None:
        if not 0 <= rotation <= 180:
            raise ValueError(f"rotation is ± so many degrees, 0 to 180, not {rotation}")
        if not size > 0:
            raise ValueError(f"size is that of content in its frame, above 0, not {size}")
        super().__init__(facts=facts, optimizer=nothing, lr_scheduler=nothing, **common)
        if not isinstance(self.transformation, Affine):
            raise UserError("model=pose_search looks for affine poses: choose another distortion")
        self.rotation, self.angles, self.beams = math.radians(rotation), angles, beams
        self.points, self.rounds, self.score = points, rounds, score
        self.content, self.reach = size, tuple(reach * most for most in REACH)

    def relative_poses(
        self, image: Tensor, latents: Tensor, generator: torch.Generator | None = None
    ) -> Tensor:
        start = torch.zeros(self.angles, 6, device=image.device)
        start[:, 0] = (
            self.rotation * (2 * torch.arange(self.angles) + 1 - self.angles) / self.angles
        )
        start[:, 1:3] = math.log(self.content)
        found = self.best(image, start.expand(len(image), -1, -1))
        reach = torch.tensor([2 * self.rotation / self.angles, *self.reach], device=image.device)
        steps = torch.linspace(-1, 1, self.points, device=image.device)
        for _ in range(self.rounds):
            for along in reach.diag()[reach > 0]:
                tried = found[:, :, None] + steps[:, None] * along
                found = self.best(image, tried.flatten(1, 2))
            reach = reach / 2
        return poses(found[:, :1]).expand(-1, latents.shape[1], -1)

    def best(self, image: Tensor, tried: Tensor) -> Tensor:
        """The beams (B, beams, 6) that score highest among those tried (B, n, 6)."""
        images = self.warp(image, self.from_frame(image, poses(tried)))
        logits = self.classifier(images.flatten(0, 1)).float().unflatten(0, tried.shape[:2])
        score = {
            "logit": logits.amax(-1),
            "energy": logits.logsumexp(-1),
            "confidence": logits.log_softmax(-1).amax(-1),
        }[self.score]
        first = score.topk(min(self.beams, tried.shape[1]), dim=1).indices
        return tried.gather(1, first[..., None].expand(-1, -1, 6))

    def loss(self, batch: Any) -> dict[str, Tensor]:
        nothing()


def poses(numbers: Tensor) -> Tensor:
    """(φ, log k_x, log k_y, s, t_x, t_y) (*, 6) → affine poses (*, 6)."""
    phi, x, y, shear, t_x, t_y = numbers.unbind(-1)
    return affine_matrix(phi, x.exp(), y.exp(), t_x, t_y, shear).flatten(-2)
