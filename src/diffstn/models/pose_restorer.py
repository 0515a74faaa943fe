"""What undoes `Carried`: a network that sees how far an image is upright already."""

from typing import Any

import torch
from torch import Tensor, nn

from diffstn.codecs.standardised_pose import StandardisedPose
from diffstn.diffusion import Restored
from diffstn.models.carried import Carried
from diffstn.networks.heads.timed_regressor import TimedRegressor
from diffstn.spatial import (
    Frame,
    as_matrix,
    compose,
    exponential,
    invert,
    velocity,
    warp,
)


class PoseRestorer(nn.Module):
    r"""Says the remaining pose B of an image that was warped by P_t, and so $\hat A = P_t \circ B$.

    The network sees x_t = warp(image, P_t), one warp of the original whatever came before, and t,
    and answers six numbers, the standardised logarithm of B relative to the frame C of x_t:
    $B = C \exp(\mu + s f)$. Any answer is a regular map, for exponentials are.

    The velocity that goes with it is that of what remains, (T / t) log B, so that the way from Â
    back to t leads through P_t, or that of the whole pose, log Â, as if the image had come there
    along Â's own geodesic.

    Args:
        encoder: image (B, C, H, W) → embedding, with `.features`.
        frame: images → affine maps (B, 6), or None.
        process: what is undone.
        whole: the velocity is that of Â.
    """

    def __init__(
        self, encoder: nn.Module, frame: Frame | None, process: Carried, whole: bool
    ) -> None:
        super().__init__()
        features: Any = encoder.features
        self.encoder, self.frame = encoder, frame
        self.process, self.whole = process, whole
        self.regressor = TimedRegressor(features, 6)
        self.standardiser = StandardisedPose(6)

    def relative(self, seen: Tensor, B: Tensor) -> Tensor:
        """C⁻¹ ∘ B, (B, 2, 3), with C the frames of images (B, C, H, W)."""
        matrix = as_matrix(B)
        return (
            matrix if self.frame is None else compose(invert(as_matrix(self.frame(seen))), matrix)
        )

    def remaining(self, seen: Tensor, features: Tensor, t: Tensor) -> Tensor:
        """B, (B, 2, 3), of images (B, C, H, W) at t ≥ 1 (B,) with their features."""
        with torch.autocast(seen.device.type, enabled=False):
            said = self.standardiser.decode(self.regressor(features.float(), t))
            left = exponential(as_matrix(said))
            return left if self.frame is None else compose(as_matrix(self.frame(seen)), left)

    def forward(
        self,
        x_t: Tensor,
        t: Tensor,
        s: Tensor | None = None,
        image: Tensor | None = None,
        eps: Tensor | None = None,
    ) -> Restored:
        """Estimate A and its velocity, both (B, 6), of poses x_t = P_t (B, 6) and the images."""
        assert image is not None
        seen = warp(image, x_t)
        B = self.remaining(seen, self.encoder(seen), t)
        A = compose(as_matrix(x_t), B)
        v = velocity(A) if self.whole else (self.process.steps / t)[:, None, None] * velocity(B)
        return Restored(A.flatten(1), v.flatten(1))
