import torch

from diffstn.codecs.standardised_pose import SMALLEST_STD, StandardisedPose


def test_encodes_to_mean_zero_and_deviation_one_and_back():
    torch.manual_seed(0)
    poses = torch.randn(500, 3) * torch.tensor([2.0, 0.1, 5.0]) + torch.tensor([1.0, -3.0, 0.0])
    standardiser = StandardisedPose(3)
    standardiser.fit(poses)
    encoded = standardiser.encode(poses)
    torch.testing.assert_close(encoded.mean(0), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(encoded.std(0), torch.ones(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(standardiser.decode(encoded), poses)


def test_an_entry_that_never_varies_is_not_blown_up():
    standardiser = StandardisedPose(1)
    standardiser.fit(torch.full((10, 1), 0.7))
    assert standardiser.std.item() == torch.tensor(SMALLEST_STD).item()
    assert standardiser.encode(torch.full((1, 1), 0.7)).abs() < 1e-3


def test_travels_with_the_weights():
    assert set(StandardisedPose(6).state_dict()) == {"mean", "std"}
