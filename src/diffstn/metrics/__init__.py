"""What is measured: torchmetrics classes with small states that add up over batches and devices."""

from diffstn.metrics.class_accuracy import ClassAccuracy
from diffstn.metrics.corner_error import CornerError
from diffstn.metrics.picture_error import PictureError
from diffstn.metrics.pose_error import PoseError

__all__ = ["ClassAccuracy", "CornerError", "PictureError", "PoseError"]
