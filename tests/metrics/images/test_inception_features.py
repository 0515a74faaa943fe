"""The Inception network, with random weights: its own cannot be fetched everywhere."""

import pathlib

import pytest
import torch
from torch_fidelity import feature_extractor_inceptionv3 as fidelity

from diffstn.errors import UserError
from diffstn.metrics.images import InceptionFeatures


def test_grey_and_colour_become_what_the_network_reads(monkeypatch):
    network = fidelity.FeatureExtractorInceptionV3
    monkeypatch.setattr(fidelity, "load_state_dict_from_url", lambda *a, **k: {})
    monkeypatch.setattr(network, "load_state_dict", lambda self, state: None)
    torch.manual_seed(0)
    features = InceptionFeatures(channels=1)
    grey = torch.rand(2, 1, 28, 28)
    seen = features(grey)
    assert seen.features.shape == (2, features.size)
    assert seen.logits.shape == (2, 1008)
    assert seen.features.dtype == torch.float32
    features.channels = 3
    colour = features(grey.expand(-1, 3, -1, -1))
    torch.testing.assert_close(colour.features, seen.features)
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        features(255 * grey.expand(-1, 3, -1, -1))


def test_weights_that_cannot_be_had_are_explained(monkeypatch, tmp_path):
    def offline(*args, **kwargs):
        raise OSError("no route to host")

    monkeypatch.setattr(fidelity, "load_state_dict_from_url", offline)
    with pytest.raises(UserError, match=r"no route to host.*inception_weights=<path>"):
        InceptionFeatures()
    with pytest.raises(UserError, match="no such file"):
        InceptionFeatures(str(tmp_path / "nowhere.pth"))


class Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return pathlib.Path.touch, (self.path,)


def test_a_file_that_is_no_state_dict_is_refused_and_nothing_in_it_runs(tmp_path):
    path, burst = tmp_path / "weights.pth", tmp_path / "burst"

    def refused():
        with pytest.raises(UserError, match="is no plain state dict") as caught:
            InceptionFeatures(str(path))
        assert "\n" not in str(caught.value)
        assert not burst.exists()

    path.write_bytes(b"no weights")
    refused()
    for content in ({"a": Bomb(burst)}, Bomb(burst), [torch.zeros(2)], {"a": 3}, {}):
        torch.save(content, path)
        refused()


def test_a_state_dict_of_another_network_is_explained(tmp_path):
    path = tmp_path / "weights.pth"
    torch.save({"weight": torch.zeros(2)}, path)
    with pytest.raises(UserError, match=r"cannot be had.*task\.features=judge"):
        InceptionFeatures(str(path))
