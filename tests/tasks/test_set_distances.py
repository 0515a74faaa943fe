"""How far sets of images are from each other."""

from pathlib import Path

import pytest
import torch

from diffstn.metrics.images import real_statistics
from diffstn.tasks.features import choose_features
from diffstn.tasks.set_distances import distance_table, distances


def test_real_images_score_as_their_floor_and_noise_does_not(place: Path, built):
    words = ["model=ddpm_unet", "data.limit_train=3000", "data.limit_test=3000"]
    data = built(*words, tiny=False).data
    features = choose_features(None, data.facts)
    real = {s: real_statistics(data, s, features) for s in ("train", "test")}
    again = real_statistics(data, "test", features)
    torch.testing.assert_close(again.covariance, real["test"].covariance)
    halves = real["train"].features.double().split(1500)
    row = distances(halves[0], real["test"], halves[1], 0)
    assert row["FID"] == pytest.approx(row["FID floor"], rel=0.3)
    other = halves[1]
    assert row["precision %"] > 70
    assert abs(row["KID"] - row["KID floor"]) < 3 * max(row["KID sd"], row["KID floor sd"])
    noise = features(torch.rand(500, 1, 28, 28)).features
    far = distances(noise, real["test"], other, 0)
    assert far["FID"] > 20 * row["FID"]
    assert far["KID"] > 20 * abs(row["KID"])
    assert far["recall %"] < 5
    table = distance_table(real, {"train": noise, "test": halves[0]}, 0)
    assert list(table) == ["train", "test"]
    assert table["test"]["FID"] == row["FID"]
    assert table["train"]["FID"] > 20 * row["FID"]
