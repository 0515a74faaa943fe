import pytest
import torch

from diffstn.metrics.images import inception_score, kernel_distance, precision_recall


def cloud(seed, n=600, shift=0.0, scale=1.0):
    return shift + scale * torch.randn(n, 8, generator=torch.Generator().manual_seed(seed))


def test_the_kernel_distance_is_unbiased_and_grows_with_the_shift():
    near = [kernel_distance(cloud(i), cloud(100 + i), 1, 600)[0] for i in range(20)]
    values = torch.stack(near)
    assert abs(float(values.mean())) < 3 * float(values.std()) / 20**0.5
    assert (values < 0).any()
    far = [float(kernel_distance(cloud(0), cloud(1, shift=s), 5, 500)[0]) for s in (0.2, 0.5, 1.0)]
    assert 0 < far[0] < far[1] < far[2]


def test_the_kernel_distance_agrees_with_a_plain_loop():
    x, y = cloud(0, 6), cloud(1, 6)

    def k(a, b):
        return float((a.double() @ b.double() / 8 + 1) ** 3)

    same = sum(k(s[i], s[j]) for s in (x, y) for i in range(6) for j in range(6) if i != j) / 30
    other = sum(k(a, b) for a in x for b in y) / 36
    assert float(kernel_distance(x, y, 1, 6)[0]) == pytest.approx(same - 2 * other)


def test_precision_sees_outliers_and_recall_sees_what_is_missing():
    real = cloud(0)
    precision, recall = precision_recall(real, cloud(1))
    assert min(precision, recall) > 0.75
    narrow = precision_recall(real, cloud(1, scale=0.3))
    assert narrow[0] > 0.95
    assert narrow[1] < 0.3
    wide = precision_recall(real, cloud(1, scale=3.0))
    assert wide[0] < 0.3


def test_tiles_change_nothing():
    assert precision_recall(cloud(0), cloud(1), tile=7) == precision_recall(cloud(0), cloud(1))


def test_the_inception_score_is_the_number_of_classes_at_best_and_one_at_worst():
    sure = 50 * torch.eye(10).repeat(100, 1)[torch.randperm(1000)]
    assert float(inception_score(sure, 1)[0]) == pytest.approx(10, rel=1e-6)
    assert float(inception_score(torch.zeros(1000, 10))[0]) == pytest.approx(1)
    assert float(inception_score(sure[:1].expand(1000, -1))[0]) == pytest.approx(1)


@pytest.mark.parametrize("measure", [kernel_distance, precision_recall])
def test_too_few_vectors_are_refused(measure):
    with pytest.raises(ValueError, match="need"):
        measure(cloud(0, 1), cloud(1))
