import pytest
import torch

from diffstn.data.sources.mnist import load_mnist
from diffstn.metrics.images import classification_score


def test_images_of_their_classes_teach_and_others_do_not():
    images, labels = load_mnist()["test"]
    images, labels = images[:600].float() / 255, labels[:600]
    images, labels, test = images[:400], labels[:400], [(images[400:], labels[400:])]
    state = torch.get_rng_state()
    with torch.inference_mode():  # as evaluation has it
        good = classification_score(images, labels, 10, test, epochs=6, batch_size=25)
        wrong = labels[torch.randperm(400, generator=torch.Generator().manual_seed(0))]
        bad, again = (classification_score(images, wrong, 10, test, epochs=1) for _ in range(2))
    assert good > 0.8
    assert bad == again < 0.3
    assert torch.equal(torch.get_rng_state(), state)
    with pytest.raises(ValueError, match="two images"):
        classification_score(images[:1], labels[:1], 10, test)
