"""The one way through which every image is warped."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from diffstn.spatial.affine import Affine
from diffstn.spatial.transformation import Transformation

KERNELS = ("bilinear", "nearest", "bicubic")
PADDINGS = ("zeros", "border", "reflection", "disc")

_AFFINE = Affine()
_FAR = 1e4


def grid(theta: Tensor, transformation: Transformation, size: tuple[int, int]) -> Tensor:
    """Where each pixel of an output of `size` (h, w) looks in the input: (B, h, w, 2) as (x, y).

    θ is (B, dim), or any shape that flattens to it, such as (B, 2, 3). Computed in float32
    (float64 if θ is), whatever autocast says.
    """
    if min(size) < 1:
        raise ValueError(f"size is (height, width), both positive, not {size}")
    theta = theta.flatten(1)
    if theta.shape[1] != transformation.dim:
        raise ValueError(
            f"{type(transformation).__name__} takes θ of {transformation.dim} numbers per image,"
            f" not {theta.shape[1]}"
        )
    dtype = torch.promote_types(theta.dtype, torch.float32)
    with torch.autocast(theta.device.type, enabled=False):
        return transformation.grid(theta.to(dtype), size)


def into_disc(xy: Tensor) -> Tensor:
    r"""Points (…, 2) outside the unit disc reflected at its rim; those inside stay.

    A point at radius r goes to 2 − r on the same ray, and from r = 2 on to the middle. An image
    that is read this way shows by no corner how it was turned, and none of its corners is empty.
    """
    r = xy.norm(dim=-1, keepdim=True)
    return torch.where(r > 1, xy * ((2 - r).clamp_min(0) / r.clamp_min(1)), xy)


def warp_points(
    images: Tensor, xy: Tensor, kernel: str = "bilinear", padding: str = "zeros"
) -> Tensor:
    """Read images (B, C, H, W) at the points xy (B, h, w, 2): (B, C, h, w), the images' dtype.

    The arithmetic is float32 (float64 for float64 images), whatever autocast says. Points
    that are not finite or lie further than 10⁴ away count as that far outside the image and pass
    no gradient. `bicubic` may overshoot the images' range. Beyond its edges an image shows nothing
    (`zeros`), its outermost pixels (`border`), itself reflected there (`reflection`) or reflected
    at its inscribed circle (`disc`), see `into_disc`. On CUDA the gradient with respect to
    the images is summed in no fixed order, so it is not reproducible to the last bit.

    Raises:
        ValueError: a shape does not fit, the images are integers, or the kernel or the padding is
            not one of `KERNELS` and `PADDINGS`.
    """
    if kernel not in KERNELS:
        raise ValueError(f"unknown kernel {kernel!r}; choose from {', '.join(KERNELS)}")
    if padding not in PADDINGS:
        raise ValueError(f"unknown padding {padding!r}; choose from {', '.join(PADDINGS)}")
    if images.ndim != 4 or not images.is_floating_point():
        raise ValueError(
            "images must be a floating-point tensor (B, C, H, W),"
            f" not {images.dtype} of shape {tuple(images.shape)}"
        )
    if xy.ndim != 4 or xy.shape[0] != images.shape[0] or xy.shape[-1] != 2:
        raise ValueError(
            f"{len(images)} images need points ({len(images)}, h, w, 2), not {tuple(xy.shape)}"
        )
    dtype = torch.promote_types(images.dtype, torch.float32)
    with torch.autocast(images.device.type, enabled=False):
        near = xy.to(dtype).clamp(-_FAR, _FAR).nan_to_num_(_FAR)
        if padding == "disc":
            beyond = near.abs().amax(dim=-1, keepdim=True) > 1
            near, padding = torch.where(beyond, into_disc(near), near), "border"
        warped = F.grid_sample(
            images.to(dtype), near, mode=kernel, padding_mode=padding, align_corners=False
        )
    return warped.to(images.dtype)


def warp(
    images: Tensor,
    theta: Tensor,
    transformation: Transformation = _AFFINE,
    size: tuple[int, int] | None = None,
    kernel: str = "bilinear",
    padding: str = "zeros",
) -> Tensor:
    """Warp images (B, C, H, W) with θ (B, dim): the output at point p shows the input at T_θ(p).

    If A says where the content of an upright image goes, then

        distorted = warp(upright, A⁻¹)   and   corrected = warp(distorted, A).

    `size` (h, w) is the output's, by default the input's. Coordinates are normalised on each side
    by itself: a 28-pixel digit keeps its size on a 42-pixel canvas when A contains the factor
    28/42. The kernels are `bilinear`, `bicubic` and `nearest` (the integer sampling kernel of
    spatial transformers, which passes no gradient to θ). Precision and errors: `warp_points`.

    Jaderberg et al., Spatial Transformer Networks, 2015 (arXiv:1506.02025), section 3.
    """
    if theta.shape[0] != images.shape[0]:
        raise ValueError(f"{len(images)} images need as many rows of θ, not {len(theta)}")
    size = (images.shape[-2], images.shape[-1]) if size is None else size
    return warp_points(images, grid(theta, transformation, size), kernel, padding)
