"""A small classifier that is trained along with the model in front of it."""

from diffstn.build import Factory, fitted
from diffstn.data.facts import Facts
from diffstn.networks.classifiers.classifier import Classifier


class JointClassifier(Classifier):
    """A `Classifier` of upright-sized images.

    Args:
        facts: of the data.
        encoder: makes its encoder.
    """

    def __init__(self, facts: Facts, encoder: Factory) -> None:
        body = fitted(encoder, channels=facts.channels, size=facts.size)
        super().__init__(body, len(facts.classes))
