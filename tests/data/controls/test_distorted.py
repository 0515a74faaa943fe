import pytest
import torch

from diffstn.data.controls import Distorted
from diffstn.spatial import affine_matrix, invert, moment_frame, warp


def test_the_frame_undoes_shift_and_size():
    image = torch.zeros(1, 1, 28, 28)
    image[..., 8:20, 11:15] = 1
    A = affine_matrix(torch.tensor([0.0]), 0.8, 0.8, 0.2, -0.1)
    there = warp(image, invert(A).flatten(1))
    plain, framed = Distorted("none"), Distorted("moments")
    assert torch.equal(framed(image, (28, 28)), warp(image, moment_frame(image)))
    torch.testing.assert_close(plain(there, (28, 28)), there)
    apart = {
        name: float((one(there, (28, 28)) - one(image, (28, 28))).square().mean())
        for name, one in (("plain", plain), ("framed", framed))
    }
    assert apart["framed"] < 0.2 * apart["plain"]
    large = torch.nn.functional.pad(image, (7, 7, 7, 7))
    assert plain(large, (28, 28)).shape == framed(large, (28, 28)).shape == image.shape
    with pytest.raises(ValueError, match="choose none, moments"):
        Distorted("mirror")
