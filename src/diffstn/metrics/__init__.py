"""What is measured: torchmetrics classes with small states that add up over batches and devices."""

from diffstn.metrics.images.image_error import ImageError
from diffstn.metrics.labels.class_accuracy import ClassAccuracy
from diffstn.metrics.poses.corner_error import CornerError
from diffstn.metrics.poses.pose_error import PoseError

__all__ = ["ClassAccuracy", "CornerError", "ImageError", "PoseError"]
