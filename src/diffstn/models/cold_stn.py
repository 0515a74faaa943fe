"""Un-turn an image step by step: cold diffusion of its pose."""

import math
from collections.abc import Iterator
from typing import Annotated, Any

import torch
from torch import Generator, Tensor

from diffstn.annotations import Count, NotNegative, OneOf
from diffstn.build import Factory
from diffstn.data.facts import Facts
from diffstn.diffusion import shuffled_timesteps
from diffstn.diffusion.samplers import Sampler
from diffstn.models.carried import Carried
from diffstn.models.fit_to_data import EXAMPLES
from diffstn.models.noise import noise_for, timesteps_for
from diffstn.models.pose_corrector import PoseCorrector
from diffstn.models.pose_restorer import PoseRestorer
from diffstn.networks.heads.auxiliary_classifier import AuxiliaryClassifier
from diffstn.spatial import (
    Affine,
    as_matrix,
    compose,
    exponential,
    geodesic,
    has_logarithm,
    invert,
    logarithm,
    warp,
)


class ColdSTN(PoseCorrector):
    r"""Walks a distorted image back along the geodesic that distorted it.

    The content of an upright image is carried along $\exp(\tau \log A)$ from τ = 0 to 1: at
    t = τT it has come as far as the pose $A_t = \exp(\tfrac tT \log A)$. The network is shown an
    image at any t and says what remains, A_t; a walk from T to 0 undoes a little of it in every
    step. Poses are composed and the original is warped once, so nothing is blurred twice and
    nothing is lost at a border on the way (compare `STN`). There is no chance in it, and one
    hypothesis.

    Images of a walk are not quite where a geodesic would have them, for the estimates err. Trained
    on geodesics alone, the network takes an image at t = 1 for nearly upright, whatever it sees.
    With `jitter` P_t is moved by a random map in training, $\exp(\text{jitter} \cdot z)$ with
    z ~ N(0, I) in the Lie algebra, and the remaining pose is what leads from there to A.

    A map without a real logarithm (a half turn with unequal scales) goes by its polar factors;
    where what remains has none, or one beyond bounds, the image is left out of the loss.

    Args:
        facts: of the data.
        encoder: makes the network image → embedding (B, features).
        sampler: of the walk, one that asks for no more than the process.
        steps: T.
        jitter: deviation of the random maps in training; 0 is none.
        velocity: along what the walk goes on, `remaining` or `whole`, see `PoseRestorer`.
        label_weight: of the auxiliary label loss; 0 leaves the labels unused.
        common: see `PoseCorrector`.

    Raises:
        ValueError: the poses are not affine, the sampler needs noise, or a number is out of range.

    Source: Bansal et al., Cold Diffusion, 2022, for the walk; the transformation as what diffuses:
    Diff+STN architectures for external orientation correction, section 8.
    """

    fixed_hypotheses = 1

    def __init__(
        self,
        facts: Facts,
        encoder: Factory,
        sampler: Sampler,
        steps: Count = 10,
        jitter: NotNegative = 0.1,
        velocity: Annotated[str, OneOf(("remaining", "whole"))] = "remaining",
        label_weight: NotNegative = 0.5,
        **common: Any,
    ) -> None:
        super().__init__(facts=facts, **common)
        families = self.transformation, self.target_transformation
        if not all(isinstance(family, Affine) for family in families):
            raise ValueError(
                "model=cold_stn follows geodesics of affine maps, and these poses are of another"
                " family: choose data/distortion=paper or another affine one"
            )
        if not sampler.cold:
            raise ValueError(
                f"{type(sampler).__name__} walks along noise, and poses here have none: choose"
                " sampler=cold or sampler=cold_naive"
            )
        process = Carried(steps)
        sampler.timesteps(process)  # refuses more steps than there are
        self.denoiser = PoseRestorer(
            self.encoder_for(encoder), self.frame, process, velocity == "whole"
        )
        features: Any = self.denoiser.encoder.features
        self.label_head = AuxiliaryClassifier(features, self.classes)
        self.sampler, self.jitter, self.label_weight = sampler, jitter, label_weight

    def setup(self, stage: str) -> None:
        """Fit the scale of the answers to seeded distortions at all t."""
        super().setup(stage)
        if stage != "fit":
            return
        generator, found = Generator().manual_seed(0), []
        with torch.no_grad():
            for batch in self.trainer.datamodule.examples(EXAMPLES):  # type: ignore[attr-defined]
                steps = self.denoiser.process.steps
                t = shuffled_timesteps(len(batch.A), steps, generator)
                z = torch.randn(batch.A.shape, generator=generator)
                seen, left = self.carried(batch.image, batch.A, t, z)
                log, known = moderate_logarithm(self.denoiser.relative(seen, left))
                found.append(log[known])
        self.denoiser.standardiser.fit(torch.cat(found))

    def carried(self, image: Tensor, A: Tensor, t: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        """Distorted images (B, C, H, W) as they are at t (B,), moved by z (B, 6) ~ N(0, I), and
        what remains of A (B, 6) there, (B, 2, 3).
        """
        matrix = as_matrix(A)
        P = geodesic(matrix, 1 - t / self.denoiser.process.steps)
        P = compose(P, exponential(self.jitter * as_matrix(z)))
        return warp(image, P), compose(invert(P), matrix)

    def loss(self, batch: Any) -> dict[str, Tensor]:
        restorer = self.denoiser
        t = timesteps_for(batch.A, restorer.process.steps)
        seen, left = self.carried(batch.image, batch.A, t, noise_for(batch.A))
        log, known = moderate_logarithm(restorer.relative(seen, left))
        features = restorer.encoder(seen)
        error = restorer.regressor(features, t).float() - restorer.standardiser.encode(log)
        pose = (error.square().mean(1) * known).mean()
        label = self.label_head(features, batch.label)
        loss = pose + self.label_weight * label
        terms = {"loss": loss, "pose": pose, "label": label}
        if not self.trains_classifier:
            return terms
        with torch.no_grad():
            start = self.transformation.identity().to(batch.A).expand_as(batch.A)
            last = torch.full_like(t, restorer.process.steps)
            A = restorer(start, last, image=batch.image).x_0
        nll = self.classification_loss(self.warp(batch.image, A[:, None]), batch.label)
        return {**terms, "loss": loss + nll, "nll": nll}

    def relative_poses(
        self, image: Tensor, latents: Tensor, generator: Generator | None = None
    ) -> Tensor:
        *_, (_, relative, _) = self.reverse_process(image, latents, generator)
        return relative

    def reverse_process(
        self,
        image: Tensor,
        latents: Tensor,
        generator: Generator | None = None,
        sampler: Sampler | None = None,
    ) -> Iterator[tuple[int, Tensor, Tensor]]:
        """Yield (t, P_t, Â), relative to the images' frames, (B, 1, 6), from T down to 0."""
        start = self.transformation.identity().to(image.device).expand(len(image), -1)
        restorer: Any = self.denoiser
        walk = (sampler or self.sampler).trajectory(restorer, start, generator, image=image)
        for t, *poses in walk:
            now, foreseen = (self.to_frame(image, pose)[:, None] for pose in poses)
            yield t, now, foreseen


def moderate_logarithm(A: Tensor) -> tuple[Tensor, Tensor]:
    """Logarithms (B, 6) of maps (B, 2, 3), and which of them (B,) can be learned.

    Near half turns with unequal scales a logarithm grows without bound. Those that are none, or
    have an entry above a full turn, are 0 here and are not learned.
    """
    known = has_logarithm(A)
    identity = torch.eye(2, 3, device=A.device)
    log = logarithm(torch.where(known[:, None, None], A, identity)).flatten(1)
    known = known & (log.abs().amax(1) <= 2 * math.pi)
    return torch.where(known[:, None], log, torch.zeros_like(log)), known
