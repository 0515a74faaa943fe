import torch

from diffstn.codecs.pixels import as_data, as_images


def test_the_ranges_meet_at_their_ends_and_what_lies_outside_is_cut_off():
    images = torch.tensor([0.0, 0.25, 1.0])
    assert as_data(images).tolist() == [-1, -0.5, 1]
    torch.testing.assert_close(as_images(as_data(images)), images)
    assert as_images(torch.tensor([-3.0, 3.0])).tolist() == [0, 1]
