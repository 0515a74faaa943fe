import pytest
import torch
from torchmetrics.functional.classification import multiclass_accuracy

from diffstn.metrics.labels.class_accuracy import ClassAccuracy


def test_shares_and_confusions_by_hand():
    metric = ClassAccuracy(["cat", "dog", "owl"])
    scores = torch.eye(3)[[0, 0, 1, 1, 0]]
    metric.update(scores[:3], torch.tensor([0, 0, 0]))
    metric.update(scores[3:], torch.tensor([1, 1]))
    assert metric.confusion.tolist() == [[2, 1, 0], [1, 1, 0], [0, 0, 0]]
    result = metric.compute()
    assert list(result) == ["cat", "dog", "owl"]
    assert result["cat"].item() == pytest.approx(2 / 3)
    assert result["dog"].item() == 0.5
    assert result["owl"].isnan()


def test_it_agrees_with_torchmetrics():
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(500, 10, generator=generator)
    labels = torch.randint(10, (500,), generator=generator)
    metric = ClassAccuracy([str(digit) for digit in range(10)])
    metric.update(scores, labels)
    expected = multiclass_accuracy(scores, labels, num_classes=10, average=None)
    assert torch.allclose(torch.stack(list(metric.compute().values())).float(), expected)


@pytest.mark.parametrize(
    ("scores", "labels", "message"),
    [
        (torch.zeros(2, 4), torch.zeros(2, dtype=torch.long), r"scores must be \(B, 3\)"),
        (torch.zeros(2, 3), torch.zeros(1, dtype=torch.long), r"scores must be \(B, 3\)"),
        (torch.zeros(2, 3), torch.tensor([0, 3]), "0 … 2"),
    ],
)
def test_what_does_not_fit_is_refused(scores, labels, message):
    with pytest.raises(ValueError, match=message):
        ClassAccuracy("abc").update(scores, labels)
