import pytest
import torch

from diffstn.data.sources.mnist import load_mnist
from diffstn.metrics.images import classification_score


def test_images_of_their_classes_teach_and_others_do_not():
    images, labels = load_mnist()["test"]
    images, labels = images[:900].float() / 255, labels[:900]
    test = [(images[600:], labels[600:])]
    state = torch.get_rng_state()
    with torch.inference_mode():  # as evaluation has it
        good = classification_score(images[:600], labels[:600], 10, test, epochs=6, batch_size=50)
        again = classification_score(images[:600], labels[:600], 10, test, epochs=6, batch_size=50)
        wrong = labels[torch.randperm(600, generator=torch.Generator().manual_seed(0))]
        bad = classification_score(images[:600], wrong, 10, test, epochs=1, batch_size=50)
    assert good == again > 0.85
    assert bad < 0.3
    assert torch.equal(torch.get_rng_state(), state)
    with pytest.raises(ValueError, match="two images"):
        classification_score(images[:1], labels[:1], 10, test)
