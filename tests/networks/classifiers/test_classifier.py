import torch

from diffstn.networks.classifiers.classifier import Classifier
from diffstn.networks.encoders.fc import FCEncoder


def test_logits_are_linear_in_the_penultimate_layer():
    network = Classifier(FCEncoder(1, (8, 8), features=5), classes=3)
    image = torch.rand(4, 1, 8, 8)
    features = network.features(image)
    assert features.shape == (4, 5)
    assert torch.equal(network(image), network.head(features))
    assert network(image).shape == (4, 3)
