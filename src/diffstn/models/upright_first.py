"""Any classifier behind any corrector."""

import inspect
from typing import Any

from torch import Tensor, nn

from diffstn.errors import UserError
from diffstn.networks.frozen import Frozen


class UprightFirst(nn.Module):
    """Images → turned upright in their own resolution → the classifier's answer.

    The corrector finds the pose on its own canvas and stays as it is; the images are warped by that
    pose once, as finely and in the colours that they have, onto their paper (see `upright`). What
    the classifier sees has the shape of the corrector's canvas, so it is square where that is. The
    classifier may go on learning: gradients reach its weights, and the images through the warp, but
    not the pose.

    Args:
        classifier: of upright images (B, C, h, w) in [0, 1].
        corrector: a model with `correct` that answers with poses, such as `DiffInSTN`.
        hypotheses: poses sampled for each image; None: the corrector's own number.
        seed: of the poses.

    Raises:
        UserError: the corrector answers without poses.

    Shapes: (B, C, H, W) → the classifier's.
    """

    def __init__(
        self,
        classifier: nn.Module,
        corrector: Any,
        hypotheses: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if not hasattr(corrector, "correct") or not hasattr(corrector, "transformation"):
            raise UserError(
                f"{type(corrector).__name__} finds no poses; use a run of model=diff_in_stn"
            )
        self.classifier = classifier
        self.corrector = Frozen(corrector)
        takes = inspect.signature(corrector.correct).parameters
        asked = {"hypotheses": hypotheses, "seed": seed}
        self.asked = {name: value for name, value in asked.items() if name in takes}

    def forward(self, images: Tensor) -> Any:
        if not isinstance(images, Tensor) or images.ndim != 4 or not images.is_floating_point():
            raise ValueError("a wrapped classifier takes floats (B, C, H, W) in [0, 1], a tensor")
        model: Any = self.corrector.network.to(images.device)
        return self.classifier(model.correct(images, **self.asked).upright(images))
