"""The first Diff-in-STN: diffusion over a learned latent of the pose, taught by the classifier."""

from typing import Any

import torch
from torch import Tensor, nn

from diffstn.build import Factory
from diffstn.data.facts import Facts
from diffstn.diffusion import Gaussian, uniform_timesteps
from diffstn.diffusion.samplers import Sampler
from diffstn.diffusion.schedules import Schedule
from diffstn.models.denoiser import denoiser_for
from diffstn.models.noise import noise_for
from diffstn.models.pose_corrector import PoseCorrector
from diffstn.ranks import common


class LatentDiffInSTN(PoseCorrector):
    r"""θ-encoder → z_0, noise to z_t, denoise in one step, regressor → θ̂ → warp → classifier.

    Training draws one timestep for the whole batch, $z_t = \alpha_t z_0 + \sigma_t \epsilon$, takes
    the denoiser's one-step estimate ẑ_0 given the image's embedding, regresses θ̂ from it and
    minimises the classifier's negative log-likelihood on the image warped with θ̂. There is no
    denoising loss: nothing ties the latents to N(0, I), from which sampling starts. Kept to the
    letter as the reference of the ablation ladder; `DiffInSTN` is the model that works.

    "Diff+STN architectures for external orientation correction", model 1.

    Args:
        facts: of the data.
        encoder: makes the network image → embedding (B, features).
        network: makes the one over latents (B, latent), called with embedding=.
        schedule: of the noise.
        sampler: z_T → z_0.
        prediction, variance: see `Denoiser`.
        latent: length of the latent; null diffuses θ itself, without θ-encoder and regressor.
        common: see `PoseCorrector`.
    """

    def __init__(
        self,
        facts: Facts,
        encoder: Factory,
        network: Factory,
        schedule: Schedule,
        sampler: Sampler,
        prediction: str = "eps",
        variance: str = "fixed_small",
        latent: int | None = 20,
        **common: Any,
    ) -> None:
        super().__init__(facts=facts, **common)
        dim = self.transformation.dim
        self.encoder = self.encoder_for(encoder)
        told = {"dim": latent or dim, "embedding": self.encoder.features}
        self.denoiser = denoiser_for(
            network, Gaussian(schedule), prediction, variance, tuple(told), **told
        )
        self.sampler = sampler
        sampler.timesteps(schedule)  # refuses more steps than there are
        self.latent = latent or dim
        self.theta_encoder: nn.Module = nn.Identity()
        self.regressor: nn.Module = nn.Identity()
        if latent:
            self.theta_encoder = nn.Sequential(
                nn.Linear(dim, latent), nn.ReLU(inplace=True), nn.Linear(latent, latent)
            )
            last = nn.Linear(latent, dim)
            nn.init.zeros_(last.weight)
            last.bias.data.copy_(self.transformation.identity())
            self.regressor = nn.Sequential(nn.Linear(latent, latent), nn.ReLU(inplace=True), last)

    def sample_latents(
        self, images: int, hypotheses: int, generator: torch.Generator | None = None
    ) -> Tensor:
        """z_T ~ N(0, I), (images, hypotheses, latent)."""
        return torch.randn(images, hypotheses, self.latent, generator=generator)

    def relative_poses(
        self, image: Tensor, latents: Tensor, generator: torch.Generator | None = None
    ) -> Tensor:
        k = latents.shape[1]
        embedding = self.encoder(image).float().repeat_interleave(k, dim=0)
        z_T = self.denoiser.process.prior(latents.flatten(0, 1))
        z_0 = self.sampler(self.denoiser, z_T, generator, embedding=embedding)
        return self.regressor(z_0).float().unflatten(0, (-1, k))

    def loss(self, batch: Any) -> dict[str, Tensor]:
        embedding = self.encoder(batch.image).float()
        z_0 = self.theta_encoder(self.to_frame(batch.image, batch.A)).float()
        schedule = self.denoiser.schedule
        t = uniform_timesteps(1, schedule.steps, common(z_0.device), z_0.device).expand(len(z_0))
        z_t = schedule.add_noise(z_0, t, noise_for(z_0))
        estimate = self.denoiser(z_t, t, embedding=embedding).x_0
        A = self.from_frame(batch.image, self.regressor(estimate).float()[:, None])
        return {"loss": self.classification_loss(self.warp(batch.image, A), batch.label)}
