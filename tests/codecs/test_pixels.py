import torch

from diffstn.codecs.pixels import Pixels


def test_the_ranges_meet_at_their_ends_and_what_lies_outside_is_cut_off():
    pixels = Pixels()
    images = torch.tensor([0.0, 0.25, 1.0])
    assert pixels.encode(images).tolist() == [-1, -0.5, 1]
    torch.testing.assert_close(pixels.decode(pixels.encode(images)), images)
    assert pixels.decode(torch.tensor([-3.0, 3.0])).tolist() == [0, 1]
    assert pixels.decode(torch.zeros(1, dtype=torch.bfloat16)).dtype == torch.float32
