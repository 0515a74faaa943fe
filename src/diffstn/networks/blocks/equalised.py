"""Layers whose weights all learn at the same pace."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SLOPE, GAIN = 0.2, math.sqrt(2)
"""Of the leaky ReLU, and what keeps the variance of its output at that of its input, nearly."""


def activated(h: Tensor) -> Tensor:
    """√2 · leaky ReLU, of slope 0.2 below zero."""
    return F.leaky_relu(h, SLOPE).mul_(GAIN)


class EqualisedLinear(nn.Module):
    r"""Linear with weights N(0, 1), scaled by $\text{pace}/\sqrt{\text{inputs}}$ when used.

    Adam's steps are of one size for all weights; with this scale they are also alike relative to
    them ("equalised learning rate", Karras et al., Progressive Growing of GANs, 2018).

    Args:
        inputs, outputs: features.
        bias: at the start.
        pace: learning rate relative to that of others.
    """

    def __init__(self, inputs: int, outputs: int, bias: float = 0.0, pace: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / pace)
        self.bias = nn.Parameter(torch.full((outputs,), float(bias) / pace))
        self.scale, self.pace = pace / math.sqrt(inputs), pace

    def forward(self, h: Tensor) -> Tensor:
        return F.linear(h, self.weight * self.scale, self.bias * self.pace)


class EqualisedConv(nn.Module):
    """Convolution of odd `kernel` with the same scaling, sides unchanged: (B, C, H, W)."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.scale = 1 / math.sqrt(inputs * kernel**2)
        self.padding, self.stride = kernel // 2, stride

    def forward(self, h: Tensor) -> Tensor:
        weight = self.weight * self.scale
        return F.conv2d(h, weight, self.bias, padding=self.padding, stride=self.stride)
