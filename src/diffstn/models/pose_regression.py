"""The baseline a diffusion model must beat: the encoder's embedding regressed to the pose."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from diffstn.annotations import NotNegative
from diffstn.build import Factory
from diffstn.codecs.standardised_pose import StandardisedPose
from diffstn.data.facts import Facts
from diffstn.models.fit_to_data import fit_to_data
from diffstn.models.pose_corrector import PoseCorrector
from diffstn.networks.heads.auxiliary_classifier import AuxiliaryClassifier
from diffstn.networks.heads.regressor import PoseRegressor


class PoseRegression(PoseCorrector):
    r"""$\hat A = \mu + s \odot f(\text{image})$, trained by $\|f - (A - \mu)/s\|^2$.

    μ and s standardise the poses. The minimiser is the posterior mean E[A | image]: right where
    the posterior has one mode, between the modes where it has several.

    The encoder has the same auxiliary label loss as Diff-in-STN's, so the two differ in nothing but
    how the pose is predicted.

    Args:
        facts: of the data.
        encoder: makes the network image → embedding.
        label_weight: of the auxiliary label loss; 0 leaves the labels unused.
        common: see `PoseCorrector`.
    """

    fixed_hypotheses = 1

    def __init__(
        self, facts: Facts, encoder: Factory, label_weight: NotNegative = 0.5, **common: Any
    ) -> None:
        super().__init__(facts=facts, **common)
        self.encoder = self.encoder_for(encoder)
        features: Any = self.encoder.features
        self.regressor = PoseRegressor(features, torch.zeros(self.transformation.dim))
        self.label_head = AuxiliaryClassifier(features, self.classes)
        self.label_weight = label_weight
        self.standardiser = StandardisedPose(self.transformation.dim)

    def setup(self, stage: str) -> None:
        super().setup(stage)
        if stage == "fit":
            fit_to_data(self.standardiser, self, self.trainer.datamodule)  # type: ignore[attr-defined]

    def relative_poses(
        self, image: Tensor, latents: Tensor, generator: torch.Generator | None = None
    ) -> Tensor:
        relative = self.standardiser.decode(self.regressor(self.encoder(image)).float())
        return relative[:, None].expand(-1, latents.shape[1], -1)

    def loss(self, batch: Any) -> dict[str, Tensor]:
        features = self.encoder(batch.image)
        estimate = self.regressor(features).float()
        pose = F.mse_loss(estimate, self.standardiser.encode(self.to_frame(batch.image, batch.A)))
        label = self.label_head(features, batch.label)
        loss = pose + self.label_weight * label
        terms = {"loss": loss, "pose": pose, "label": label}
        if not self.trains_classifier:
            return terms
        A = self.from_frame(batch.image, self.standardiser.decode(estimate.detach())[:, None])
        nll = self.classification_loss(self.warp(batch.image, A), batch.label)
        return {**terms, "loss": loss + nll, "nll": nll}
