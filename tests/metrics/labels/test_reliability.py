import torch

from diffstn.metrics.labels.reliability import Reliability


def found(confidence: torch.Tensor, right: torch.Tensor) -> dict[str, float]:
    metric = Reliability()
    for some in torch.arange(len(right)).split(700):
        metric.update(confidence[some], right[some])
    return {name: float(value) for name, value in metric.compute().items()}


def test_an_honest_confidence_has_no_calibration_error():
    generator = torch.Generator().manual_seed(0)
    confidence = 0.5 + 0.5 * torch.rand(200_000, generator=generator)
    right = torch.rand(200_000, generator=generator) < confidence
    numbers = found(confidence, right)
    assert numbers["ece"] < 0.5  # 15 bins of 13 000: 0.3 of chance alone
    # the surest 95 %: confidence uniform in 0.525 … 1
    assert abs(numbers["error_at_95"] - 23.75) < 0.4
    assert abs(found(confidence, torch.ones(200_000))["ece"] - 25) < 0.2


def test_one_that_is_too_sure_is_off_by_as_much_as_that():
    right = torch.arange(1500) % 4 > 0
    numbers = found(torch.full((1500,), 0.95), right)
    assert abs(numbers["ece"] - 20) < 0.1
    assert abs(numbers["error_at_95"] - 25) < 0.1


def test_wrong_answers_that_are_known_to_be_unsure_are_left_out():
    right = torch.arange(1000) >= 50
    numbers = found(right.double(), right)
    assert numbers == {"ece": 0, "error_at_95": 0}
    assert found(torch.tensor([0.7]), torch.tensor([True]))["error_at_95"] == 0
