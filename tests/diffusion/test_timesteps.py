import pytest
import torch

from diffstn.diffusion.timesteps import (
    shuffled_timesteps,
    stratified_timesteps,
    uniform_timesteps,
)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(
    "draw",
    [lambda: uniform_timesteps(60_000, 10, generator()),
     lambda: stratified_timesteps((20_000, 3), 10, generator()).flatten()],
    ids=["uniform", "stratified"],
)  # fmt: skip
def test_every_timestep_is_as_likely_and_none_is_zero(draw):
    counts = torch.bincount(draw(), minlength=11)
    assert len(counts) == 11
    assert counts[0] == 0
    assert ((counts[1:] - 6_000).abs() < 4 * 6_000**0.5).all()


def test_each_stratum_is_visited_once():
    t = stratified_timesteps((500, 4), 1000, generator())
    assert t.shape == (500, 4)
    assert t.dtype == torch.long
    assert torch.equal((t - 1) // 250, torch.arange(4).expand(500, 4))


def test_more_strata_than_timesteps():
    t = stratified_timesteps((50, 8), 4, generator())
    assert torch.equal(t, torch.tensor([1, 1, 2, 2, 3, 3, 4, 4]).expand(50, 8))


def test_shapes_and_seeds():
    assert uniform_timesteps((2, 3), 5).shape == (2, 3)
    assert torch.equal(
        uniform_timesteps(9, 99, generator(4)), uniform_timesteps(9, 99, generator(4))
    )
    assert not torch.equal(
        stratified_timesteps((9, 2), 99, generator(4)),
        stratified_timesteps((9, 2), 99, generator(5)),
    )


def test_a_power_above_one_visits_low_noise_more_often():
    """P(t ≤ T / 4) = (1/4)^(1/p)."""
    t = stratified_timesteps((200, 64), 1000, generator=torch.Generator().manual_seed(0), power=2.0)
    assert int(t.min()) == 1
    assert int(t.max()) > 950
    assert float((t <= 250).float().mean()) == pytest.approx(0.5, abs=0.01)


def test_logit_normal_visits_the_middle_more_often():
    """P(t ≤ T / 4) = Φ(logit 1/4) = Φ(−1.0986) = 0.1360, and as often above 3 T / 4."""
    t = stratified_timesteps((200, 64), 1000, generator(), logit_normal=True)
    assert float((t <= 250).float().mean()) == pytest.approx(0.1360, abs=0.005)
    assert float((t <= 500).float().mean()) == pytest.approx(0.5, abs=0.005)
    assert float((t > 750).float().mean()) == pytest.approx(0.1360, abs=0.005)
    assert 1 <= int(t.min()) < int(t.max()) <= 1000


def test_shuffling_permutes_one_timestep_of_each_stratum():
    t = shuffled_timesteps(400, 1000, generator(1), power=2.0)
    assert t.shape == (400,)
    assert torch.equal(t.sort().values, stratified_timesteps((400,), 1000, generator(1), power=2.0))
    place = torch.stack([torch.arange(400.0), t.float()])
    assert abs(float(place.corrcoef()[0, 1])) < 4 / 400**0.5


def test_shuffling_takes_the_timesteps_before_their_order_from_the_generator():
    """A run's numbers depend on what is consumed, and when."""
    one, other = generator(3), generator(3)
    shuffled = shuffled_timesteps(64, 50, one)
    expected = stratified_timesteps((64,), 50, other)[torch.randperm(64, generator=other)]
    assert torch.equal(shuffled, expected)
    assert torch.equal(one.get_state(), other.get_state())
