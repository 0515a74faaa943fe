"""How often the sides of an image can be halved."""

SMALLEST = 4
"""Side of the smallest feature map."""


def halved(size: tuple[int, int]) -> list[tuple[int, int]]:
    """Sizes (h, w) of feature maps from the smallest to the image's, each twice the one before.

    28 × 28 gives 7, 14, 28; 64 × 64 gives 4, 8, 16, 32, 64.

    Raises:
        ValueError: the sides cannot be halved once down to 4 or more.
    """
    sizes = [size]
    while all(side % 2 == 0 and side // 2 >= SMALLEST for side in sizes[0]):
        sizes.insert(0, (sizes[0][0] // 2, sizes[0][1] // 2))
    if len(sizes) == 1:
        raise ValueError(
            f"sides of {size[0]} × {size[1]} pixels: this network halves both at least once, down"
            f" to {SMALLEST} or more; use data.image_size=[28,28] or [64,64]"
        )
    return sizes
