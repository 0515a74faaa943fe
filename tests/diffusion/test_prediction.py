import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from diffstn.diffusion.prediction import PREDICTIONS, X0, Eps, V


@given(
    name=st.sampled_from(sorted(PREDICTIONS)),
    angle=st.floats(0.05, 1.5),
    seed=st.integers(0, 2**31),
)
def test_a_perfect_output_gives_back_data_and_noise(name, angle, seed):
    generator = torch.Generator().manual_seed(seed)
    x_0, eps = torch.randn(2, 4, 6, generator=generator, dtype=torch.float64)
    angle = torch.tensor(angle, dtype=torch.float64)
    alpha, sigma = angle.cos(), angle.sin()
    x_t = alpha * x_0 + sigma * eps
    prediction = PREDICTIONS[name]
    output = prediction.target(x_0, eps, alpha, sigma)
    torch.testing.assert_close(prediction.to_x0(output, x_t, alpha, sigma), x_0)
    torch.testing.assert_close(prediction.to_eps(output, x_t, alpha, sigma), eps)


@pytest.mark.parametrize("prediction", PREDICTIONS.values(), ids=PREDICTIONS)
def test_target_undoes_the_reading_of_any_output(prediction):
    torch.manual_seed(0)
    output, x_t = torch.randn(2, 5, dtype=torch.float64)
    alpha, sigma = torch.tensor([0.6, 0.8], dtype=torch.float64)
    x_0 = prediction.to_x0(output, x_t, alpha, sigma)
    eps = prediction.to_eps(output, x_t, alpha, sigma)
    torch.testing.assert_close(prediction.target(x_0, eps, alpha, sigma), output)
    torch.testing.assert_close(alpha * x_0 + sigma * eps, x_t)


def test_zero_signal_stays_finite():
    x_t, nothing, everything = torch.randn(3), torch.tensor(0.0), torch.tensor(1.0)
    for prediction in (Eps(), X0(), V()):
        assert prediction.to_x0(torch.randn(3), x_t, nothing, everything).isfinite().all()
    output = torch.randn(3)
    torch.testing.assert_close(V().to_x0(output, x_t, nothing, everything), -output)
