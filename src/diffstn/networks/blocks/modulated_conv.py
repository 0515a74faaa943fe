"""Convolutions whose kernels depend on the image."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from diffstn.networks.blocks.equalised import EqualisedLinear


class ModulatedConv(nn.Module):
    r"""Convolution with a kernel of its own for each image, scaled by styles.

    The kernel of image b is $k_{boi} = d_{bo}\,w_{oi}\,s_{bi}$ with styles
    $s_b = 1 + A w_b$ for the inputs and, if it demodulates,
    $d_{bo} = \big(\sum_i s_{bi}^2 \sum_\text{taps} w_{oi}^2\big)^{-1/2}$, which gives outputs unit
    variance where inputs have it. As k is w between two diagonal matrices, the whole batch is one
    convolution: inputs times s before it, outputs times d after it. That is equal to k, and many
    times as fast on a CPU as a kernel for each image. s and d are float32 whatever autocast says.

    Args:
        inputs, outputs: channels.
        style: features of w.
        kernel: side, odd.
        demodulate: see above.

    Shapes: h (B, inputs, H, W), w (B, style) → (B, outputs, H, W).

    Source: Karras et al., Analyzing and Improving the Image Quality of StyleGAN, 2020, section 2.2.
    """

    def __init__(
        self, inputs: int, outputs: int, style: int, kernel: int = 3, demodulate: bool = True
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.scale = 1 / math.sqrt(inputs * kernel**2)
        self.to_style = EqualisedLinear(style, inputs, bias=1.0)
        self.padding, self.demodulates = kernel // 2, demodulate

    def forward(self, h: Tensor, w: Tensor) -> Tensor:
        with torch.autocast(h.device.type, enabled=False):
            weight = self.weight.float() * self.scale
            s = self.to_style(w.float())
            d = None
            if self.demodulates:
                d = (s.square() @ weight.square().sum((2, 3)).T + 1e-8).rsqrt()
        h = F.conv2d(h * s[:, :, None, None].to(h.dtype), weight, padding=self.padding)
        return h if d is None else h * d[:, :, None, None].to(h.dtype)
