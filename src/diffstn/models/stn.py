"""Spatial transformers, single, cascaded, parallel and inverse-compositional."""

from typing import Any

import torch
from torch import Tensor, nn

from diffstn.build import Factory
from diffstn.models.pose_corrector import PoseCorrector
from diffstn.networks.heads.regressor import PoseRegressor
from diffstn.spatial import warp


class STN(PoseCorrector):
    r"""Localisation net → grid → sampler → classifier, trained by the classifier's loss alone.

    A cascade refines: stage i sees the image warped by the pose so far and its answer is composed
    with it, $\theta_{i+1} = \theta_i \circ \Delta_i$; the original image is resampled once, by
    the composed pose, so nothing is blurred twice and nothing cut off at a border is lost
    ("Inverse Compositional Spatial Transformer Networks", Lin and Lucey, 2017, section 3). With
    `shared` weights in every stage this is their IC-STN; with weights of its own for each stage, a
    compositional cascade. `parallel` transformers look at the image side by side and each gives
    one hypothesis, combined like any others. Every regressor starts at the identity.

    "Spatial Transformer Networks", Jaderberg et al., 2015. The pose is never shown to the model:
    `batch.A` is not used.

    Args:
        encoder: makes the localisation networks, one for each stage and branch.
        cascade: number of stages.
        parallel: number of branches.
        shared: one network for all stages of a branch.
        others: see `PoseCorrector`.
    """

    def __init__(
        self,
        encoder: Factory,
        cascade: int = 1,
        parallel: int = 1,
        shared: bool = False,
        **common: Any,
    ) -> None:
        super().__init__(**common)
        if cascade < 1 or parallel < 1:
            raise ValueError(
                f"cascade and parallel must be at least 1, got {cascade} and {parallel}"
            )
        self.cascade, self.fixed_hypotheses = cascade, parallel

        def stage() -> nn.Module:
            localisation = self.encoder_for(encoder)
            regressor = PoseRegressor(
                int(localisation.features),  # type: ignore[arg-type]
                self.transformation.identity(),
                hidden=32,
            )
            return nn.Sequential(localisation, regressor)

        self.branches = nn.ModuleList(
            nn.ModuleList(stage() for _ in range(1 if shared else cascade)) for _ in range(parallel)
        )

    def branch_pose(self, stages: nn.ModuleList, image: Tensor) -> Tensor:
        """Pose (B, dim) relative to the image's frame, after all stages of one branch."""
        relative = stages[0](image).float()
        for i in range(1, self.cascade):
            view = warp(image, self.from_frame(image, relative[:, None])[:, 0], self.transformation)
            step = self.from_frame(view, stages[i % len(stages)](view).float()[:, None])[:, 0]
            relative = self.transformation.compose(relative, step)
        return relative

    def relative_poses(
        self, image: Tensor, latents: Tensor, generator: torch.Generator | None = None
    ) -> Tensor:
        """(B, parallel, dim), whatever the number of hypotheses asked for."""
        return torch.stack([self.branch_pose(s, image) for s in self.branches], dim=1)  # type: ignore[arg-type]

    def loss(self, batch: Any) -> dict[str, Tensor]:
        A = self.poses(batch.image, latents=torch.empty(0))
        return {"loss": self.classification_loss(self.warp(batch.image, A), batch.label)}
