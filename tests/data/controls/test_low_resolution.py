import pytest
import torch

from diffstn.data.controls import LowResolution
from diffstn.data.facts import Facts
from diffstn.errors import UserError

SIZE = (12, 16)


def test_few_pixels_are_means_of_squares():
    images = torch.rand(2, 3, 12, 16)
    few = LowResolution(4)(images, SIZE)
    torch.testing.assert_close(few[0, 1, 4:8, 8:12], images[0, 1, 4:8, 8:12].mean().expand(4, 4))
    assert float(LowResolution(4).fidelity(images, few)["low resolution PSNR dB"].min()) == 60
    with pytest.raises(UserError, match="divide the sides, 12 x 16"):
        LowResolution(5).channels(Facts("upright", ("a",), 3, SIZE, SIZE))
