"""Any of torchvision's labelled image sets."""

import functools
import hashlib
import inspect
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

import torch
from torch import Tensor

from diffstn.data.labelled import Labelled
from diffstn.data.sources.fitting import check_background, check_shape, fitted
from diffstn.data.sources.known_sets import KNOWN_SETS
from diffstn.data.sources.stored import StoredImages
from diffstn.data.splits import SPLITS, check_shares, hold_out_share
from diffstn.errors import UserError

KEPT_LABELS = ("targets", "labels", "_labels")
"""Under which names torchvision's sets keep the labels of all images."""


class TorchvisionImages:
    """An image set of `torchvision.datasets` by the name of its class, as an image source.

    Sets that come with their own test (or validation) images keep them; the others hold out shares
    at random. Where there are no test images with labels (ImageNet, Places365), the set's
    validation images are the test.

    Args:
        name: of the class, e.g. KMNIST, EMNIST, SVHN, STL10, CIFAR100, USPS, Food101.
        root: the folder that holds the files as torchvision leaves them.
        download: let torchvision fetch the files into `root` when they are not there.
        split: the word that torchvision's class takes under this name: the variant of EMNIST
            (balanced, letters, …), or the part to train on of others, e.g. extra of SVHN; None:
            the class's own.
        image_size: (height, width) that images are scaled to cover and cropped to around the
            centre; None: as they are, for sets whose images are all of one known size.
        channels: 3 for colour, 1 for grey; None: as the set has them.
        background: what transparent places show: a grey level, or [red, green, blue], in 0 … 1.
        class_names: names in the order of the labels; None: the set's own.
        val, test: shares that are held out where the set has no such images.
        data_seed: fixes what is held out.

    Raises:
        UserError: there is no such set, or a setting is out of range or missing; at `load`, if the
            files are missing, cannot be fetched or have no classes.
    """

    def __init__(
        self,
        name: str = "KMNIST",
        root: str | None = None,
        download: bool = False,
        split: str | None = None,
        image_size: Sequence[int] | None = None,
        channels: int | None = None,
        background: float | Sequence[float] = 1.0,
        class_names: Sequence[str] | None = None,
        val: float = 0.1,
        test: float = 0.1,
        data_seed: int = 0,
    ) -> None:
        from torchvision import datasets

        names = [one for one in datasets.__all__ if inspect.isclass(getattr(datasets, one))]
        if name not in names:
            near = get_close_matches(name, names, cutoff=0.5) or sorted(KNOWN_SETS)
            raise UserError(f"data.name={name}: torchvision has no such set; try {', '.join(near)}")
        self.set: type = getattr(datasets, name)
        self.takes = _parameters(self.set)
        self.name, self.root, self.download, self.variant = name, root, download, split
        known = KNOWN_SETS.get(name)
        if image_size is None:
            if known is None:
                raise UserError(
                    f"data.name={name}: its images may be of any size; pass data.image_size=[64,64]"
                )
            image_size = (known.side, known.side)
        self.channels = channels if channels is not None else known.channels if known else 3
        self.size = check_shape(image_size, self.channels)
        self.background = check_background(background, self.channels)
        if split is not None and "split" not in self.takes:
            raise UserError(f"data.split={split}: {name} takes none; drop data.split")
        if (
            split is None
            and "split" in self.takes
            and self.takes["split"].default is inspect.Parameter.empty
        ):
            variants = ", ".join(getattr(self.set, "classes_split_dict", ()))
            raise UserError(f"data.name={name} has variants: pass data.split=NAME ({variants})")
        if download and "download" not in self.takes:
            raise UserError(
                f"data.download=true: torchvision does not fetch {name}; put its files into"
                " data.root yourself"
            )
        check_shares(val, test)
        self.val, self.test, self.data_seed = val, test, data_seed
        own = known.classes if known else None
        self.classes = tuple(class_names or own or self._names())

    def load(self) -> dict[str, Labelled]:
        """The splits; images that torchvision has in order stay in that order."""
        return {split: images.all(split) for split, images in self.index().items()}

    def index(self) -> dict[str, StoredImages]:
        """The splits with no image read."""
        own = self._parts()
        parts = {split: (opened, torch.arange(len(opened))) for split, opened in own.items()}
        for purpose, (split, share) in enumerate((("test", self.test), ("val", self.val))):
            if split not in parts:
                left, out = hold_out_share(parts["train"][1], share, self.data_seed, purpose)
                parts["train"], parts[split] = (own["train"], left), (own["train"], out)
        stored = {split: self._stored(*parts[split]) for split in SPLITS}
        for split, images in stored.items():
            if not len(images):
                raise UserError(f"{self.name} is too small: the {split} split would be empty")
        return stored

    def _stored(self, opened: Any, rows: Tensor) -> StoredImages:
        labels = self._labels(opened)
        hashed = hashlib.sha256(labels.numpy().tobytes()).hexdigest()
        about = f"{self.name} {self.variant} {self.size} {self.channels} {opened!r} {hashed}"
        about += f" {self.background}"
        read = functools.partial(read_nth, opened, self.size, self.channels, self.background)
        return StoredImages(read, rows, labels[rows], about)

    def _labels(self, opened: Any) -> Tensor:
        """(N,) int64: read off the set, or off every item of it.

        Raises:
            UserError: they are no classes.
        """
        kept = [getattr(opened, name) for name in KEPT_LABELS if hasattr(opened, name)]
        try:
            if kept:
                labels = kept[0]
            elif hasattr(opened, "_samples"):
                labels = [label for _, label in opened._samples]
            else:
                labels = [opened[row][1] for row in range(len(opened))]
            found = torch.as_tensor(labels)
            fits = found.ndim == 1 and not found.is_floating_point()
            fits = fits and 0 <= int(found.min()) <= int(found.max()) < len(self.classes)
        except (TypeError, ValueError, RuntimeError):
            fits = False
        if not fits:
            raise UserError(
                f"data.name={self.name}: its labels are no numbers below {len(self.classes)}, the"
                " count of its classes; name all with data.class_names=[...], or choose a set for"
                " classification"
            )
        return found.long()

    def _names(self) -> Sequence[str]:
        """The set's own names of the classes: its class's, or those that its files give.

        Raises:
            UserError: neither has any.
        """
        variants = getattr(self.set, "classes_split_dict", {})
        if self.variant in variants:
            return variants[self.variant]
        names = getattr(self.set, "classes", None)
        if names is None or variants:
            opened = self._parts()["train"]
            names = getattr(opened, "classes", None) or getattr(opened, "categories", None)
        if not names:
            raise UserError(f"data.name={self.name}: name its classes with data.class_names=[...]")
        return [name if isinstance(name, str) else ", ".join(name) for name in names]

    def _parts(self) -> dict[str, Any]:
        """torchvision's objects by our names of the splits; those that the set lacks are absent.

        Raises:
            UserError: the files are missing, damaged or could not be fetched.
        """
        if "train" in self.takes:
            variant: dict[str, Any] = {} if self.variant is None else {"split": self.variant}
            return {
                "train": self._opened(train=True, **variant),
                "test": self._opened(train=False, **variant),
            }
        if "split" not in self.takes:
            return {"train": self._opened()}
        trained = self.variant or self.takes["split"].default
        names = ("test",) if "val" in trained else ("test", "val", "valid")
        found = {name: self._opened(optional=True, split=name) for name in names}
        evaluated = [opened for opened in found.values() if opened is not None]
        parts = {"train": self._opened(split=trained)}
        return parts | dict(zip(("test", "val"), evaluated, strict=False))

    def _opened(self, optional: bool = False, **words: Any) -> Any:
        """torchvision's object for these words; None if it is `optional` and refuses them.

        Raises:
            UserError: the files are missing, damaged or could not be fetched.
        """
        if self.root is None:
            raise UserError(
                f"{self.name} does not ship with diffstn: pass data.root=FOLDER (with"
                " data.download=true to fetch it there)"
            )
        download = {"download": True} if self.download else {}
        try:
            return self.set(root=str(self.root), **words, **download)
        except Exception as error:  # whatever damaged files make the library raise
            if optional and isinstance(error, ValueError):
                return None
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            raise UserError(
                f"{self.name} cannot be read from data.root={self.root} ({reason}); put its files"
                " there or pass data.download=true"
            ) from error


def read_nth(
    opened: Any, size: tuple[int, int], channels: int, background: Sequence[int], row: int
) -> Tensor:
    """The image at a row of one of torchvision's sets, fitted.

    Raises:
        UserError: it cannot be read.
    """
    try:
        return fitted(opened[row][0], size, channels, background)
    except Exception as error:  # whatever a damaged file makes a reader raise
        reason = " ".join(str(error).split())
        raise UserError(f"{type(opened).__name__}: image {row} is unreadable ({reason})") from None


def _parameters(target: type) -> dict[str, inspect.Parameter]:
    """Those of a constructor and, where it passes keywords on, of its base's."""
    found: dict[str, inspect.Parameter] = {}
    for base in inspect.getmro(target):
        parameters = inspect.signature(base).parameters
        found = {**parameters, **found}
        if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
            break
    return found
