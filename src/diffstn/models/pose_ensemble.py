"""Several trained pose diffusion models as one corrector."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from diffstn.annotations import Count, NotNegative
from diffstn.build import Factory, Kept, kept_of
from diffstn.data.facts import Facts
from diffstn.errors import UserError
from diffstn.models.frozen_corrector import SETTING, FrozenCorrector
from diffstn.models.nothing_to_train import NothingToTrain
from diffstn.models.pose_corrector import PoseCorrector

nothing = NothingToTrain("pose_ensemble")


class PoseEnsemble(PoseCorrector):
    r"""Hypotheses shared out among M models, and the mean of what these believe.

    Hypothesis i is sampled by member i mod M, so the first M are the members' first ones, each from
    the centre of its latents, and k hypotheses cost what they cost of one model, beside M encodings
    of the image. They are samples of the mixture

    $$p(A \mid I) = \tfrac1M \sum_m p_m(A \mid I), \qquad
      b(y) = \tfrac1M \sum_m b_m(y),$$

    and one judge, the ensemble's own, reads them all: combining is as for any corrector. Every
    member looks through its own frame with its own sampler.

    Nothing is trained: `python evaluate.py model=pose_ensemble` measures it, and with `keep=FOLDER`
    makes it a run, which holds its members' configurations and weights and does not look for their
    folders again.

    Args:
        facts: of the data.
        classifier: makes the judge, see `PoseCorrector`.
        members: folders of runs of `model=diff_in_stn`, or `pretrained/NAME`.
        hypotheses: how many poses to sample for an image; None: one for each member.
        combine: see `PoseCorrector`.
        kernel, padding, as_is, calibration: see `PoseCorrector`.
        kept: what `self_contained` put there, for each member; of another run it counts for
            nothing.

    Raises:
        UserError: there are no members, one is no run of such a model, or its poses, classes or
            images are not those of the data.

    Source: Lakshminarayanan et al., Simple and Scalable Predictive Uncertainty Estimation using
    Deep Ensembles, 2017.
    """

    def __init__(
        self,
        facts: Facts,
        classifier: Factory,
        members: Sequence[str] = (),
        hypotheses: Count | None = None,
        combine: str = "agreement",
        kernel: str = "bicubic",
        padding: str = "zeros",
        as_is: NotNegative = 0.0,
        calibration: Sequence[float] = (1.0, 0.0),
        kept: Sequence[Kept] | None = None,
    ) -> None:
        if not members:
            raise UserError(
                "model=pose_ensemble is made of trained runs: pass 'model.members=[RUN,RUN]'"
            )
        super().__init__(
            facts=facts,
            classifier=classifier,
            hypotheses=hypotheses or len(members),
            combine=combine,
            kernel=kernel,
            padding=padding,
            as_is=as_is,
            calibration=calibration,
            optimizer=nothing,
            lr_scheduler=nothing,
        )
        known = {one["run"]: one for one in kept or ()}
        self.members = nn.ModuleList(FrozenCorrector(facts, run, known.get(run)) for run in members)
        self.centre_first = all(self.member(m).centre_first for m in range(len(members)))
        self.latent = max(self.drawn(m, 1, 1, None).shape[-1] for m in range(len(members)))

    @staticmethod
    def self_contained(node: Mapping[str, Any]) -> dict[str, Any]:
        """The node with all that it takes to build the members without their folders."""
        known = {one["run"]: one for one in node.get("kept") or ()}
        kept = [known.get(run) or kept_of(run, SETTING) for run in node["members"]]
        return {**node, "kept": kept}

    @property
    def reads_writing(self) -> bool:
        return all(self.member(m).reads_writing for m in range(len(self.members)))

    def member(self, m: int) -> Any:
        """The m-th model."""
        return self.members[m].network

    def drawn(
        self, m: int, images: int, hypotheses: int, generator: torch.Generator | None
    ) -> Tensor:
        """Latents of the m-th model, (images, hypotheses, L_m)."""
        return self.member(m).sample_latents(images, hypotheses, generator)

    def sample_latents(
        self, images: int, hypotheses: int, generator: torch.Generator | None = None
    ) -> Tensor:
        """Latents of the members in turn, (images, hypotheses, L); L is the longest's."""
        latents = torch.zeros(images, hypotheses, self.latent)
        every = len(self.members)
        for m in range(min(every, hypotheses)):
            own = self.drawn(m, images, len(range(m, hypotheses, every)), generator)
            latents[:, m::every, : own.shape[-1]] = own
        return latents

    def guesses(
        self, image: Tensor, latents: Tensor, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        k, every = latents.shape[1], len(self.members)
        A = image.new_empty(len(image), k, self.transformation.dim, dtype=torch.float32)
        beliefs = []
        for m in range(every):
            member = self.member(m)
            if m < k:
                A[:, m::every], belief = member.guesses(image, latents[:, m::every], generator)
            else:
                belief = member.belief(image)
            beliefs.append(belief)
        return A, torch.stack(beliefs).mean(dim=0)

    def relative_poses(
        self, image: Tensor, latents: Tensor, generator: torch.Generator | None = None
    ) -> Tensor:
        """The poses themselves, for an ensemble has no frame."""
        return self.guesses(image, latents, generator)[0]

    def belief(self, image: Tensor) -> Tensor:
        """The mean of the members' beliefs."""
        beliefs = [self.member(m).belief(image) for m in range(len(self.members))]
        return torch.stack(beliefs).mean(dim=0)

    def loss(self, batch: Any) -> dict[str, Tensor]:
        nothing()
