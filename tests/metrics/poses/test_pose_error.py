import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from diffstn.metrics.poses.pose_error import PoseError
from diffstn.spatial import affine_matrix


def pose(degrees=0.0, k_x=1.0, k_y=1.0, t_x=0.0, t_y=0.0, shear=0.0) -> Tensor:
    phi = torch.deg2rad(torch.as_tensor(degrees, dtype=torch.float64)).reshape(-1)
    return affine_matrix(phi, k_x, k_y, t_x, t_y, shear).flatten(1)


def measure(guess: Tensor, truth: Tensor, **options) -> dict[str, float]:
    metric = PoseError(**({"size": (28, 28)} | options))
    metric.update(guess, truth)
    return {name: value.item() for name, value in metric.compute().items()}


def test_a_perfect_pose_has_no_error():
    theta = pose([30.0, -170.0], 0.8, 1.2, 0.1, -0.2, 0.3)
    errors = measure(theta, theta)
    assert errors.pop("rotation_deg_median") <= 0.05
    assert set(errors) == {"rotation_deg", "scale_percent", "translation_px", "corner", "corner_px"}
    assert all(abs(error) < 1e-9 for error in errors.values())


@given(st.floats(-180, 180), st.floats(-180, 180))
def test_rotation_goes_the_short_way_round(a: float, b: float):
    errors = measure(pose(a), pose(b))
    expected = min(abs(a - b), 360 - abs(a - b))
    assert errors["rotation_deg"] == pytest.approx(expected, abs=1e-6)
    assert errors["rotation_deg_median"] == pytest.approx(expected, abs=0.0501)
    # Corners are √2 from the centre: a turn moves each along a chord of 2 √2 sin(Δ/2).
    chord = 2 * math.sqrt(2) * math.sin(math.radians(expected / 2))
    assert errors["corner"] == pytest.approx(chord, abs=1e-6)
    assert errors["corner_px"] == pytest.approx(14 * chord, abs=1e-5)


def test_each_factor_is_measured_by_itself():
    truth = pose(40.0, 0.8, 1.1, 0.1, 0.05)
    assert measure(pose(52.0, 0.8, 1.1, 0.1, 0.05), truth)["rotation_deg"] == pytest.approx(12)
    scaled = measure(pose(40.0, 0.8 * 1.1, 1.1 * 0.7, 0.1, 0.05), truth)
    assert scaled["scale_percent"] == pytest.approx((10 + 30) / 2)
    assert scaled["rotation_deg"] == pytest.approx(0, abs=1e-9)
    moved = measure(pose(40.0, 0.8, 1.1, 0.4, 0.45), truth)
    assert moved["translation_px"] == pytest.approx(0.5 * 14)
    assert moved["scale_percent"] == pytest.approx(0, abs=1e-9)


def test_the_median_ignores_the_tail_and_matches_torch():
    degrees = torch.rand(1001, generator=torch.Generator().manual_seed(0)).double() * 20
    degrees[:300] = 170.0
    errors = measure(pose(degrees), pose(torch.zeros(1001)))
    assert errors["rotation_deg"] == pytest.approx(degrees.mean().item(), abs=1e-6)
    assert errors["rotation_deg_median"] == pytest.approx(degrees.median().item(), abs=0.05)


@pytest.mark.parametrize("degrees", [0.0, 180.0])
def test_the_median_at_the_ends_of_its_range(degrees: float):
    errors = measure(pose([degrees]), pose([0.0]))
    assert errors["rotation_deg_median"] == pytest.approx(degrees, abs=0.05)


def test_a_larger_canvas_changes_neither_angle_nor_scale():
    # A 28-pixel digit on a 42-pixel canvas: A holds the factor 28/42.
    ratio = 28 / 42
    truth = pose(10.0, ratio, ratio)
    guess = pose(35.0, 1.2 * ratio, 1.2 * ratio, 0.1, 0.0)
    errors = measure(guess, truth, size=(42, 42), upright_size=(28, 28))
    assert errors["rotation_deg"] == pytest.approx(25)
    assert errors["scale_percent"] == pytest.approx(20)
    assert errors["translation_px"] == pytest.approx(2.1)


def test_oblong_images_turn_rigidly_in_pixels():
    # D_canvas⁻¹ R D_image: a rigid turn in pixels looks like a shear in normalised coordinates.
    canvas, upright = (30, 60), (20, 28)
    to_normalised = torch.tensor([[2 / 60], [2 / 30]]).double()
    from_normalised = torch.tensor([28 / 2, 20 / 2, 1.0]).double()

    def theta(degrees: float, scale: float) -> Tensor:
        rigid = pose(degrees, scale, scale).unflatten(1, (2, 3))
        return (to_normalised * rigid * from_normalised).flatten(1)

    errors = measure(theta(70.0, 1.5), theta(-20.0, 1.0), size=canvas, upright_size=upright)
    assert errors["rotation_deg"] == pytest.approx(90)
    assert errors["scale_percent"] == pytest.approx(50)


def test_batches_and_devices_add_up():
    generator = torch.Generator().manual_seed(0)
    guess, truth = (pose(20 * torch.randn(100, generator=generator), 0.9) for _ in range(2))
    whole, parts = PoseError((28, 28)), [PoseError((28, 28)) for _ in range(2)]
    whole.update(guess, truth)
    parts[0].update(guess[:30], truth[:30])
    parts[1].update(guess[30:60], truth[30:60])
    parts[1].update(guess[60:], truth[60:])
    for name in whole.metric_state:  # what a sum over two processes does
        setattr(parts[0], name, getattr(parts[0], name) + getattr(parts[1], name))
    for name, value in parts[0].compute().items():
        assert torch.allclose(value, whole.compute()[name], rtol=1e-12)


def test_autocast_and_half_inputs_keep_float64_sums():
    guess, truth = pose([30.0, 50.0], 0.9).float(), pose([10.0, 20.0]).float()
    expected = measure(guess, truth)
    with torch.autocast("cpu", torch.bfloat16):
        assert measure(guess, truth) == expected
        metric = PoseError((28, 28))
        metric.update(guess.bfloat16(), truth)
    assert all(value.dtype == torch.float64 for value in metric.compute().values())


def test_a_prediction_that_diverged_shows():
    guess = pose([0.0, 10.0])
    guess[1] = math.nan
    errors = measure(guess, pose([0.0, 0.0]))
    assert math.isnan(errors["rotation_deg"])
    assert math.isnan(errors["corner"])


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"must both be \(B, 6\)"):
        PoseError((28, 28)).update(torch.zeros(2, 2, 3), torch.zeros(2, 2, 3))
