import torch

from diffstn.diffusion.pictures import as_data, as_pictures


def test_the_ranges_meet_at_their_ends_and_what_lies_outside_is_cut_off():
    pictures = torch.tensor([0.0, 0.25, 1.0])
    assert as_data(pictures).tolist() == [-1, -0.5, 1]
    torch.testing.assert_close(as_pictures(as_data(pictures)), pictures)
    assert as_pictures(torch.tensor([-3.0, 3.0])).tolist() == [0, 1]
