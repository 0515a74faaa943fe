from collections.abc import Callable

import pytest
import torch

from diffstn.build import Built


@pytest.mark.parametrize("data", ["mnist", "affine_mnist"])
def test_gives_probabilities_of_images_as_they_come(built: Callable[..., Built], data: str):
    parts = built("model=classifier", f"data={data}", tiny=False)
    batch = parts.data.batch("val", torch.arange(4))
    probabilities = parts.model.eval()(batch.image)
    torch.testing.assert_close(probabilities, parts.model.network(batch.image).softmax(-1))
    assert probabilities.shape == (4, 10)
