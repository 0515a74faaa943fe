"""Fashion-MNIST: grey images of clothes in the format of MNIST (Xiao et al., 2017)."""

from dataclasses import dataclass
from typing import ClassVar

from diffstn.data.labelled import Labelled
from diffstn.data.sources.mnist import load_mnist
from diffstn.errors import UserError

FOLDER = "FashionMNIST"


@dataclass
class FashionMNIST:
    """The clothes as an image source: 55 000 train, 5 000 val and 10 000 test images.

    Args:
        root: the folder that holds torchvision's `FashionMNIST/raw`.
        download: let torchvision fetch the files (30 MB) into `root` when they are not there.

    Raises:
        UserError: at `load`, if the files are missing or damaged, or the download failed.
    """

    root: str | None = None
    download: bool = False

    channels: ClassVar[int] = 1
    size: ClassVar[tuple[int, int]] = (28, 28)
    classes: ClassVar[tuple[str, ...]] = (
        "t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag",
        "boot",
    )  # fmt: skip

    def load(self) -> dict[str, Labelled]:
        if self.root is None:
            raise UserError(
                "Fashion-MNIST does not ship with diffstn: pass data.root=FOLDER (with"
                " data.download=true to fetch it there)"
            )
        if self.download:  # torchvision looks first what is there
            try:
                from torchvision.datasets import FashionMNIST as Torchvision

                Torchvision(self.root, download=True)
            except (ImportError, OSError, RuntimeError) as error:
                raise UserError(
                    f"Fashion-MNIST could not be fetched ({error}): put {FOLDER}/raw under"
                    f" {self.root} yourself"
                ) from error
        return load_mnist(self.root, FOLDER)
