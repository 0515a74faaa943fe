"""Convolutions over the plane and its rotations."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def steerable_basis(size: int, turns: int) -> Tensor:
    r"""Kernels of size × size, each turned by j · 2π/turns: (turns, functions, size, size).

    Ring r, of 0 to half the size, has a Gaussian profile about its radius times the circular
    harmonics up to frequency r + 1, as many as its pixels tell apart at any angle:

    $$\psi(\rho, \phi) = e^{-(\rho - r)^2 / 2 \sigma_r^2} \{1, \cos m\phi, \sin m\phi\},
      \quad 1 \le m \le r + 1,$$

    with σ = 0.6 px, and 0.4 on the last ring, which the window would cut otherwise. A turn by
    $\theta$ takes $\phi$ to $\phi - \theta$, and a harmonic to a combination of the two of its
    frequency. So what is spanned at one angle is spanned at any, and no kernel has to be resampled.
    The root mean square of a function's norm over all turns is 1.

    Raises:
        ValueError: an even size, which has no centre.
    """
    if size % 2 == 0:
        raise ValueError(f"a kernel that is turned needs an odd size, not {size}")
    half = size // 2
    y, x = torch.meshgrid(*[torch.arange(-half, half + 1.0)] * 2, indexing="ij")
    radius = torch.hypot(x, y)
    angle = torch.atan2(y, x) - 2 * math.pi / turns * torch.arange(turns)[:, None, None]
    functions = []
    for ring in range(half + 1):
        width = 0.4 if ring == half else 0.6
        profile = torch.exp(-((radius - ring) / width).square() / 2)
        functions.append(profile.expand_as(angle))
        profile = profile * (radius > 0)  # the centre has no angle
        for m in range(1, ring + 2 if ring else 1):
            functions += [profile * (m * angle).cos(), profile * (m * angle).sin()]
    basis = torch.stack(functions, dim=1)
    norm = basis.square().sum((2, 3)).mean(dim=0).sqrt()
    return basis / norm[:, None, None]


class GroupConvolution(nn.Module):
    r"""Features of the plane and of N turns → the same; batch norm, ReLU.

    $$h_j(x) = \sum_i \sum_u f_i(u)\, \psi_{i - j}\!\left(R_j^{-1}(u - x)\right), \quad
      i - j \bmod N,$$

    with $R_j$ the turn by 2π j/N and $\psi_0 \dots \psi_{N-1}$ learnt, in `steerable_basis`.
    Turning the input by a step turns each map and passes it on to the next j, exactly where the
    turn is one by 90°. An image has no turns yet: it is as if ψ did not depend on i. A weight
    serves all N turns, so a stroke learnt at one angle is known at all. What it computes is an
    ordinary convolution of N times the channels, and takes as long.

    The norm's statistics are of all turns of a feature together when it is used, and of each when
    it trains, where they are alike on average.

    Args:
        inputs, outputs: features, each at all turns; channels of an image where it lifts.
        size: of the kernels, odd.
        turns: N.
        lifts: the input is an image.

    Shapes: (B, inputs · N, H, W) → (B, outputs · N, H, W); (B, inputs, H, W) where it lifts.
    Channel c · N + j is feature c at turn j.

    Source: Cohen and Welling, Group Equivariant Convolutional Networks, 2016; the basis after
    Weiler et al., Learning Steerable Filters for Rotation Equivariant CNNs, 2018.
    """

    def __init__(
        self, inputs: int, outputs: int, size: int, turns: int, lifts: bool = False
    ) -> None:
        super().__init__()
        basis = steerable_basis(size, turns)
        self.register_buffer("basis", basis, persistent=False)
        self.inputs, self.outputs, self.turns = inputs, outputs, turns
        self.relative = 1 if lifts else turns
        fan_in = inputs * self.relative * basis.shape[1]
        self.weight = nn.Parameter(torch.randn(outputs, fan_in) * math.sqrt(2 / fan_in))
        self.scale = nn.Parameter(torch.ones(outputs))
        self.shift = nn.Parameter(torch.zeros(outputs))
        self.register_buffer("mean", torch.zeros(outputs * turns))
        self.register_buffer("variance", torch.ones(outputs * turns))

    def kernel(self) -> Tensor:
        """Of the ordinary convolution: (outputs · N, inputs [· N], size, size)."""
        basis = self.get_buffer("basis")
        weight = self.weight.view(self.outputs, self.inputs, self.relative, -1)
        turned = torch.einsum("oigb,jbyx->jogiyx", weight, basis)
        if self.relative > 1:
            turned = torch.stack([one.roll(j, dims=1) for j, one in enumerate(turned)])
        kernel = turned.permute(1, 0, 3, 2, 4, 5)
        return kernel.reshape(self.outputs * self.turns, -1, *basis.shape[2:])

    def forward(self, x: Tensor) -> Tensor:
        kernel = self.kernel().contiguous(memory_format=torch.channels_last)
        h = F.conv2d(x, kernel, padding=kernel.shape[-1] // 2)
        mean, variance = self.get_buffer("mean"), self.get_buffer("variance")
        if not self.training:
            mean, variance = self.shared(mean), self.shared(variance)
        scale, shift = (p.repeat_interleave(self.turns) for p in (self.scale, self.shift))
        return F.relu(F.batch_norm(h, mean, variance, scale, shift, self.training), inplace=True)

    def shared(self, statistics: Tensor) -> Tensor:
        """The mean over the turns of each feature, at every turn: (outputs · N,) → the same."""
        return statistics.view(-1, self.turns).mean(dim=1).repeat_interleave(self.turns)
