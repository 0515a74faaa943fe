"""What torchvision's labelled image sets hold, as far as it does not depend on their files."""

from typing import NamedTuple

DIGITS = tuple("0123456789")

CIFAR100_CLASSES = (
    "apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle", "bottle",
    "bowl", "boy", "bridge", "bus", "butterfly", "camel", "can", "castle", "caterpillar", "cattle",
    "chair", "chimpanzee", "clock", "cloud", "cockroach", "couch", "crab", "crocodile", "cup",
    "dinosaur", "dolphin", "elephant", "flatfish", "forest", "fox", "girl", "hamster", "house",
    "kangaroo", "keyboard", "lamp", "lawn_mower", "leopard", "lion", "lizard", "lobster", "man",
    "maple_tree", "motorcycle", "mountain", "mouse", "mushroom", "oak_tree", "orange", "orchid",
    "otter", "palm_tree", "pear", "pickup_truck", "pine_tree", "plain", "plate", "poppy",
    "porcupine", "possum", "rabbit", "raccoon", "ray", "road", "rocket", "rose", "sea", "seal",
    "shark", "shrew", "skunk", "skyscraper", "snail", "snake", "spider", "squirrel", "streetcar",
    "sunflower", "sweet_pepper", "table", "tank", "telephone", "television", "tiger", "tractor",
    "train", "trout", "tulip", "turtle", "wardrobe", "whale", "willow_tree", "wolf", "woman",
    "worm",
)  # fmt: skip


class KnownSet(NamedTuple):
    """Images of one shape.

    Args:
        channels: C.
        side: H = W.
        classes: names in the order of the labels; None where torchvision's class has them.
    """

    channels: int
    side: int
    classes: tuple[str, ...] | None = None


KNOWN_SETS = {
    "CIFAR10": KnownSet(
        *(3, 32),
        ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    ),
    "CIFAR100": KnownSet(3, 32, CIFAR100_CLASSES),
    "EMNIST": KnownSet(1, 28),
    "FashionMNIST": KnownSet(1, 28),
    "KMNIST": KnownSet(1, 28),
    "MNIST": KnownSet(1, 28, DIGITS),
    "QMNIST": KnownSet(1, 28, DIGITS),
    "SEMEION": KnownSet(1, 16, DIGITS),
    "STL10": KnownSet(
        *(3, 96),
        ("airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck"),
    ),
    "SVHN": KnownSet(3, 32, DIGITS),
    "USPS": KnownSet(1, 16, DIGITS),
}
"""By the names of torchvision's classes."""
