"""How far images are from those they should be."""

from typing import Any

from torch import Tensor
from torchmetrics import Metric
from torchmetrics.image import PeakSignalNoiseRatio, StructuralSimilarityIndexMeasure


class ImageError(Metric):
    """PSNR in dB, of the mean square error over all pixels, and SSIM, the mean over images."""

    full_state_update = False

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.psnr = PeakSignalNoiseRatio(data_range=1.0, **kwargs)
        self.ssim = StructuralSimilarityIndexMeasure(data_range=1.0, **kwargs)

    def update(self, images: Tensor, truth: Tensor) -> None:
        """Take in images (B, C, H, W) in [0, 1] and what they should be."""
        for metric in (self.psnr, self.ssim):
            metric.update(images.float().cpu(), truth.float().cpu())

    def compute(self) -> dict[str, Tensor]:
        return {"psnr_db": self.psnr.compute(), "ssim": self.ssim.compute()}  # type: ignore[dict-item]

    def reset(self) -> None:
        super().reset()
        self.psnr.reset()
        self.ssim.reset()

    def rounded(self) -> dict[str, float]:
        """The numbers for a table."""
        return {name: round(float(value), 4) for name, value in self.compute().items()}
