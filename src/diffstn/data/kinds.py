"""What batches can hold, by the names under which models say what they need."""

KINDS = {
    "upright": "images as they are",
    "distorted": "distorted images with their pose",
    "points": "single points",
    "clouds": "clouds of points",
}
