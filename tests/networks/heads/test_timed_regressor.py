import torch

from diffstn.networks.heads.timed_regressor import TimedRegressor


def test_it_starts_at_zero_and_hears_both_image_and_time():
    head, e, t = TimedRegressor(8, 6, hidden=16), torch.randn(4, 8), torch.arange(4)
    assert not head(e, t).any()
    torch.nn.init.normal_(head.output.weight)
    said = head(e, t)
    assert said.shape == (4, 6)
    assert not torch.allclose(said, head(e, t + 1))
    assert not torch.allclose(said, head(e + 1, t))
