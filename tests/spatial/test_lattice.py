import torch

from diffstn.spatial import lattice, pixel_centres


def test_lattice_holds_the_pixel_centres():
    centres = lattice(2, 4).view(2, 4, 2)
    assert centres[0, :, 0].tolist() == [-0.75, -0.25, 0.25, 0.75]
    assert centres[:, 0, 1].tolist() == [-0.5, 0.5]
    assert lattice(3, 3, dtype=torch.float64).dtype == torch.float64


def test_the_outer_pixels_end_at_one():
    for side in (1, 7, 28):
        centres = pixel_centres(side)
        torch.testing.assert_close(centres[-1] + 1 / side, torch.tensor(1.0))
        torch.testing.assert_close(centres, -centres.flip(0))
