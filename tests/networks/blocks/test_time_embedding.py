import math

import pytest
import torch

from diffstn.networks.blocks.time_embedding import TimeEmbedding


def test_is_the_sines_and_cosines_of_the_formula():
    embedding = TimeEmbedding(6)(torch.tensor([0, 7]))
    frequencies = [10000 ** (-2 * i / 6) for i in range(3)]
    expected = [
        [math.sin(t * w) for w in frequencies] + [math.cos(t * w) for w in frequencies]
        for t in (0, 7)
    ]
    torch.testing.assert_close(embedding, torch.tensor(expected))


def test_takes_timesteps_of_any_shape_and_tells_them_apart():
    t = torch.arange(1, 1001).reshape(10, 100)
    embedding = TimeEmbedding(64)(t)
    assert embedding.shape == (10, 100, 64)
    assert torch.pdist(embedding.flatten(0, 1)[::50]).min() > 1e-2


def test_is_not_stored_with_the_weights():
    assert TimeEmbedding(8).state_dict() == {}


@pytest.mark.parametrize("features", [0, 1, 7])
def test_odd_lengths_are_refused(features: int):
    with pytest.raises(ValueError, match="even number of features"):
        TimeEmbedding(features)
