import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from diffstn.diffusion.schedules import Constant, Cosine, Linear
from diffstn.diffusion.spacing import SPACINGS, cubic, log_snr, quadratic, trailing, uniform

SCHEDULES = [Linear(), Cosine(), Linear(37), Constant(), Constant(1000), Cosine(50, max_beta=1.0)]


@given(
    st.sampled_from(sorted(SPACINGS)), st.sampled_from(SCHEDULES), st.floats(0, 1, exclude_min=True)
)
def test_it_strictly_decreases_from_the_last_timestep_to_zero(name, schedule, share):
    n = max(1, round(share * schedule.steps))
    timesteps = SPACINGS[name](schedule, n)
    assert timesteps.dtype == torch.long
    assert timesteps.shape == (n + 1,)
    assert timesteps[0] == schedule.steps
    assert timesteps[-1] == 0
    assert (timesteps.diff() < 0).all()


def test_known_values():
    assert uniform(Linear(), 4).tolist() == [1000, 667, 334, 1, 0]
    assert trailing(Linear(), 4).tolist() == [1000, 750, 500, 250, 0]
    assert quadratic(Linear(), 4).tolist() == [1000, 562, 250, 62, 0]
    assert cubic(Linear(), 4).tolist() == [1000, 422, 125, 16, 0]
    assert quadratic(Linear(10), 6).tolist() == [10, 7, 4, 3, 2, 1, 0]


@pytest.mark.parametrize("spacing", SPACINGS.values(), ids=SPACINGS)
def test_all_timesteps(spacing):
    assert spacing(Cosine(30), 30).tolist() == list(range(30, -1, -1))


def test_log_snr_takes_equal_strides_in_log_snr():
    schedule = Linear()
    strides = schedule.log_snr(log_snr(schedule, 8)[:-1]).diff()
    torch.testing.assert_close(strides, strides.mean().expand(7), rtol=0.1, atol=0)


@pytest.mark.parametrize("spacing", SPACINGS.values(), ids=SPACINGS)
@pytest.mark.parametrize("n", [0, 51])
def test_impossible_numbers_of_steps_are_refused(spacing, n):
    with pytest.raises(ValueError, match=f"cannot take {n} sampling steps .* choose 1 to 50"):
        spacing(Constant(50), n)
