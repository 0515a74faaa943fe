import torch

from diffstn.diffusion.schedules import Linear
from diffstn.diffusion.variance import FixedLarge, FixedSmall, LearnedRange


def test_fixed_small_and_large_bracket_each_other():
    schedule, output = Linear(), torch.randn(3, 2, 4, 4)
    t, s = torch.tensor([5, 400, 1000]), torch.tensor([2, 300, 900])
    small, large = (
        one.log_variance(output, schedule, t, s) for one in (FixedSmall(), FixedLarge())
    )
    assert FixedSmall().prediction(output, t) is FixedLarge().prediction(output, t) is output
    assert small.shape == large.shape == (3, 1, 1, 1)
    assert (small < large).all()
    torch.testing.assert_close(small.exp().flatten(), schedule.beta_tilde(t, s))
    torch.testing.assert_close(large.exp().flatten(), schedule.beta(t, s))


def test_the_last_step_has_a_finite_log_variance():
    schedule, output = Linear(), torch.randn(2, 6)
    t, s = torch.tensor([1, 20]), torch.tensor([0, 0])
    small = FixedSmall().log_variance(output, schedule, t, s)
    expected = schedule.beta_tilde(torch.tensor([2, 20]), torch.tensor([1, 1])).log()
    torch.testing.assert_close(small.flatten(), expected)
    assert small.isfinite().all()


def test_a_learned_variance_lies_between_them_where_the_network_says():
    schedule = Linear()
    t, s = torch.tensor([5, 400, 1000]), torch.tensor([4, 300, 900])
    mean, v = torch.randn(3, 2, 4, 4), torch.tensor([-1.0, 0.0, 1.0]).view(3, 1, 1, 1)
    output = torch.cat([mean, v.expand_as(mean)], dim=1)
    assert torch.equal(LearnedRange().prediction(output, t), mean)
    log_variance = LearnedRange().log_variance(output, schedule, t, s)
    small = FixedSmall().log_variance(mean, schedule, t, s).flatten()
    large = FixedLarge().log_variance(mean, schedule, t, s).flatten()
    expected = torch.stack([small[0], (small[1] + large[1]) / 2, large[2]])
    torch.testing.assert_close(log_variance, expected.view(3, 1, 1, 1).expand_as(mean))
