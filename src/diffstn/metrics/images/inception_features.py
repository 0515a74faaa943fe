"""The Inception network of the usual FID."""

import hashlib
from pathlib import Path

import torch
from torch import Tensor

from diffstn.errors import UserError
from diffstn.metrics.images.features import Seen, check_images


class InceptionFeatures:
    """torch-fidelity's Inception v3, 2048 features; grey images are shown as colour.

    Args:
        weights: path of `weights-inception-2015-12-05-6726825d.pth`; None lets torch-fidelity fetch
            it (91 MB) into its cache. Nothing in a file that is given is ever executed.
        channels: of the images.

    Raises:
        UserError: torch-fidelity is not installed, or the weights cannot be had.

    Source: Szegedy et al., Rethinking the Inception Architecture for Computer Vision, 2016, with
    the weights of Heusel et al., 2017.
    """

    name = "inception"
    size = 2048
    classes: tuple[str, ...] = ()

    def __init__(self, weights: str | None = None, channels: int = 3) -> None:
        try:
            from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
        except ImportError:
            raise UserError(
                "task.features=inception needs: pip install 'diffstn[fidelity]'"
            ) from None
        if weights is not None:
            check_weights(weights)
        self.channels = channels
        own = Path(weights).read_bytes() if weights else b""
        self.digest = hashlib.sha256(own).hexdigest()[:16] if weights else "fetched"
        try:
            self.network = FeatureExtractorInceptionV3(
                "inception-v3-compat", ["2048", "logits_unbiased"], weights
            ).eval()
        except Exception as error:  # no network, a damaged file, whatever the package raises
            raise UserError(
                "the Inception weights cannot be had"
                f" ({str(error).splitlines()[0] if str(error) else type(error).__name__}): fetch"
                " weights-inception-2015-12-05-6726825d.pth from torch-fidelity's releases on a"
                " machine with a network and pass task.inception_weights=<path>, or choose"
                " task.features=judge or cifar_judge"
            ) from None

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Seen:
        check_images(images, self.channels)
        with torch.autocast(images.device.type, enabled=False):
            whole = (images.float().clamp(0, 1) * 255).round().to(torch.uint8)
            network = self.network.to(images.device)
            features, logits = network(whole.expand(-1, 3, -1, -1))
        return Seen(features.float(), logits.float())


def check_weights(path: str) -> None:
    """Refuse a file that holds anything but tensors by name, without executing what it holds.

    Raises:
        UserError: one line.
    """
    if not Path(path).is_file():
        raise UserError(f"task.inception_weights={path}: there is no such file")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        plain = isinstance(state, dict) and all(isinstance(v, Tensor) for v in state.values())
    except Exception:  # whatever unpickling meets in a file that is none of ours
        plain = False
    if not plain or not state:
        raise UserError(
            f"task.inception_weights={path} is no plain state dict, a mapping of names to tensors:"
            " pass weights-inception-2015-12-05-6726825d.pth as torch-fidelity releases it"
        )
