import torch

from diffstn.diffusion.importance import LossSecondMoment


def taught(steps=10):
    """A sampler that has seen the loss t² at every t."""
    sampler = LossSecondMoment(steps, memory=3, uniform=0.0)
    for _ in range(3):
        t = torch.arange(1, steps + 1)
        sampler.observe(t, t.float().square())
    return sampler


def test_it_is_uniform_until_it_has_seen_enough():
    sampler = LossSecondMoment(5, memory=2)
    t, weights = sampler.draw(1000, torch.Generator().manual_seed(0))
    assert set(t.tolist()) == {1, 2, 3, 4, 5}
    assert (weights == 1).all()
    sampler.observe(torch.tensor([1, 1, 1]), torch.tensor([9.0, 9.0, 9.0]))
    assert torch.allclose(sampler.probabilities, torch.full((5,), 0.2))


def test_timesteps_come_in_proportion_to_their_losses():
    sampler, n = taught(), 100_000
    expected = torch.arange(1.0, 11).square() / torch.arange(1.0, 11).square().sum()
    torch.testing.assert_close(sampler.probabilities, expected)
    t, _ = sampler.draw(n, torch.Generator().manual_seed(0))
    found = torch.bincount(t, minlength=11)[1:] / n
    assert (found - expected).abs().max() < 4 * (0.25 / n) ** 0.5


def test_the_weighted_loss_has_the_uniform_mean_and_no_variance():
    t, weights = taught().draw(500, torch.Generator().manual_seed(0))
    weighted = weights * t.float().square()
    torch.testing.assert_close(weighted, torch.full((500,), 38.5))  # mean of t², t = 1…10


def test_it_forgets_the_oldest_and_its_memory_is_state():
    sampler = taught()
    for _ in range(3):
        sampler.observe(torch.arange(1, 11), torch.ones(10))
    torch.testing.assert_close(sampler.probabilities, torch.full((10,), 0.1))
    other = LossSecondMoment(10, memory=3, uniform=0.0)
    other.load_state_dict(taught().state_dict())
    torch.testing.assert_close(other.probabilities, taught().probabilities)


def test_a_batch_is_remembered_as_if_it_came_one_by_one():
    generator = torch.Generator().manual_seed(0)
    at_once, one_by_one = (LossSecondMoment(4, memory=3) for _ in range(2))
    for _ in range(5):
        t = torch.randint(1, 5, (16,), generator=generator)  # more of each t than are remembered
        losses = torch.rand(16, generator=generator)
        at_once.observe(t, losses)
        for step, loss in zip(t.split(1), losses.split(1), strict=True):
            one_by_one.observe(step, loss)
    assert torch.equal(at_once.losses, one_by_one.losses)
    assert torch.equal(at_once.seen, one_by_one.seen)
