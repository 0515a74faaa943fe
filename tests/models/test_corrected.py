"""The way back from upright images, against digits whose distortion is known."""

import math

import pytest
import torch

from diffstn.models.corrected import Corrected
from diffstn.models.placement import Placement, placed
from diffstn.spatial import (
    Affine,
    Projective,
    ThinPlateSpline,
    Transformation,
    affine_matrix,
    warp,
)

HERE = Placement((28, 28), (28, 28), (28, 28))
TURNED = affine_matrix(
    torch.tensor([0.5, -2.0]), 0.8, 1.1, torch.tensor([0.2, -0.1]), 0.05, 0.1
).flatten(1)


def corrected(
    A: torch.Tensor,
    transformation: Transformation | None = None,
    placement: Placement = HERE,
    size: tuple[int, int] = (28, 28),
) -> Corrected:
    images = torch.zeros(*A.shape[:-1], 1, *size)
    unknown = torch.zeros(1)
    family = transformation or Affine()
    return Corrected(images, A, unknown, unknown, unknown, unknown, family, placement)


def middle(images: torch.Tensor) -> torch.Tensor:
    """Centre of mass of images (B, 1, H, W), (x, y) in pixels, (B, 2)."""
    mass = images[:, 0] / images.sum((1, 2, 3), keepdim=True)[:, 0]
    y, x = (torch.arange(side) + 0.5 for side in images.shape[2:])
    return torch.stack([(mass.sum(1) * x).sum(1), (mass.sum(2) * y).sum(1)], dim=1)


def spot(x: float, y: float) -> torch.Tensor:
    """A smooth spot around a point, in pixels, (1, 1, 28, 28)."""
    at = torch.arange(28) + 0.5
    return torch.exp(-((at - x) ** 2 + (at[:, None] - y) ** 2) / 4)[None, None]


def test_points_go_where_the_content_was():
    upright = spot(17.0, 12.0).expand(2, -1, -1, -1)
    distorted = warp(upright, Affine().inverse(TURNED))
    points = torch.tensor([[[17.0, 12.0]]]).expand(2, -1, -1)
    found = corrected(TURNED).invert(points=points)
    torch.testing.assert_close(found[:, 0], middle(distorted), atol=0.05, rtol=0)
    alone = corrected(TURNED[0]).invert(points=points[0])
    torch.testing.assert_close(alone, found[0])


@pytest.mark.parametrize("shape", [(56, 56), (50, 20), (7, 9)])
def test_an_image_of_another_size_is_followed_to_its_own_pixels(shape: tuple[int, int]):
    place = placed(shape, (28, 28))
    identity = Affine().identity()[None]
    top, left = place.corner
    height, width = place.inner
    corners = torch.tensor([[[left, top], [left + width, top + height]]]).float()
    found = corrected(identity, placement=place).invert(points=corners)
    torch.testing.assert_close(found, torch.tensor([[[0.0, 0.0], [shape[1], shape[0]]]]))
    back = place.normalised(2 * found / torch.tensor(shape).flip(0) - 1)
    torch.testing.assert_close(14 * (back + 1), corners)


@pytest.mark.parametrize("family", [Affine(), Projective(), ThinPlateSpline(4)])
def test_masks_and_points_agree_in_every_family(family: Transformation):
    A = family.from_affine(TURNED[:1])
    if family.dim > 6:
        A = A + 0.03 * torch.randn(A.shape, generator=torch.Generator().manual_seed(0))
    found = corrected(A, family, placed((56, 56), (28, 28)))
    mask = found.invert(masks=spot(17.0, 12.0))
    assert mask.shape == (1, 1, 56, 56)
    point = found.invert(points=torch.tensor([[[17.0, 12.0]]]))[:, 0]
    torch.testing.assert_close(middle(mask), point, atol=0.15, rtol=0)


def test_masks_keep_their_kind():
    mask = torch.zeros(2, 3, 28, 28, dtype=torch.long)
    mask[..., 10:18, 10:18] = 7
    found = corrected(TURNED).invert(masks=mask)
    assert found.dtype == torch.long
    assert set(found.unique().tolist()) == {0, 7}
    assert corrected(TURNED).invert(masks=mask > 0).dtype == torch.bool


def test_boxes_hold_their_content():
    box = torch.tensor([[[9.0, 8.0, 19.0, 20.0]]]).expand(2, -1, -1)
    left, top, right, bottom = corrected(TURNED).invert(boxes=box)[:, 0].unbind(1)
    mask = torch.zeros(2, 1, 28, 28)
    mask[..., 8:20, 9:19] = 1
    for i, inside in enumerate(corrected(TURNED).invert(masks=mask)[:, 0] > 0.5):
        y, x = inside.nonzero().T
        assert float(left[i]) - 0.5 <= int(x.min()) <= float(left[i]) + 1.5
        assert float(right[i]) - 2 <= int(x.max()) <= float(right[i])
        assert float(top[i]) - 0.5 <= int(y.min()) <= float(top[i]) + 1.5
        assert float(bottom[i]) - 2 <= int(y.max()) <= float(bottom[i])
    a_turn = corrected(affine_matrix(torch.tensor([math.pi / 2])).flatten(1))
    torch.testing.assert_close(
        a_turn.invert(boxes=torch.tensor([[[0.0, 0.0, 10.0, 4.0]]])),
        torch.tensor([[[24.0, 0.0, 28.0, 10.0]]]),
        atol=1e-4,
        rtol=0,
    )


def test_a_pose_in_units_of_people():
    images = torch.rand(1, 1, 28, 28)
    clockwise = torch.rot90(images, -1, (2, 3))
    A = affine_matrix(torch.tensor([math.pi / 2])).flatten(1)
    torch.testing.assert_close(warp(clockwise, A), images, atol=1e-4, rtol=0)
    torch.testing.assert_close(corrected(A).pose.turn, torch.tensor([90.0]))
    pose = corrected(TURNED).pose
    torch.testing.assert_close(pose.turn, torch.tensor([0.5, -2.0]).rad2deg())
    torch.testing.assert_close(pose.scale, torch.tensor([[0.8, 1.1]]).expand(2, -1))
    torch.testing.assert_close(pose.shear, torch.tensor([0.1, 0.1]))
    torch.testing.assert_close(pose.shift, torch.tensor([[2.8, 0.7], [-1.4, 0.7]]))
    twice = corrected(TURNED[0], placement=placed((56, 56), (28, 28))).pose
    torch.testing.assert_close(twice.shift, torch.tensor([5.6, 1.4]))
    torch.testing.assert_close(twice.scale, torch.tensor([0.8, 1.1]))
    # of a larger canvas: content that kept its size in pixels is of scale 1
    small = affine_matrix(torch.tensor([0.0]), 28 / 42, 28 / 42).flatten(1)
    larger = corrected(small, placement=Placement((42, 42), (42, 42), (42, 42)))
    torch.testing.assert_close(larger.pose.scale, torch.ones(1, 2))


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({}, "one of points, boxes, masks, not 0"),
        ({"points": torch.zeros(2, 1, 2), "boxes": torch.zeros(2, 1, 4)}, "not 2"),
        ({"points": torch.zeros(2, 2)}, r"points must be \(2, N, 2\), not \(2, 2\)"),
        ({"boxes": torch.zeros(3, 1, 4)}, r"boxes must be \(2, N, 4\)"),
        ({"masks": torch.zeros(2, 1, 14, 28)}, r"masks must be \(2, N, 28, 28\).*size="),
    ],
)
def test_what_cannot_be_taken_back_is_refused(told: dict[str, torch.Tensor], said: str):
    with pytest.raises(ValueError, match=said):
        corrected(TURNED).invert(**told)


def test_given_images_are_turned_upright_in_their_own_size():
    upright = spot(17.0, 12.0).expand(2, -1, -1, -1)
    large = torch.nn.functional.interpolate(upright, (56, 56), mode="bilinear")
    distorted = warp(large, Affine().inverse(TURNED))
    found = corrected(TURNED, placement=placed((56, 56), (28, 28)))
    back = found.upright(distorted)
    assert back.shape == (2, 1, 56, 56)
    torch.testing.assert_close(middle(back), torch.tensor([[34.0, 24.0]] * 2), atol=0.1, rtol=0)
    assert found.upright(distorted, size=(20, 20)).shape == (2, 1, 20, 20)
    alone = corrected(TURNED[0], placement=placed((56, 56), (28, 28))).upright(distorted[0])
    torch.testing.assert_close(alone, back[0])
    with pytest.raises(ValueError, match="must be 2 of 56 × 56 pixels"):
        found.upright(upright)
    with pytest.raises(ValueError, match="tensors, not ndarray"):
        found.upright(distorted.numpy())


def test_what_was_found_in_upright_images_of_any_size_finds_its_way_back():
    distorted = warp(spot(17.0, 12.0).expand(2, -1, -1, -1), Affine().inverse(TURNED))
    found = corrected(TURNED)
    large = found.upright(distorted, size=(84, 56))
    points = torch.tensor([[[2 * 17.0, 3 * 12.0]]]).expand(2, -1, -1)
    torch.testing.assert_close(middle(large)[:, None], points, atol=0.2, rtol=0)
    back = found.invert(points=points, size=(84, 56))
    torch.testing.assert_close(back[:, 0], middle(distorted), atol=0.05, rtol=0)
    boxes = torch.tensor([[[10.0, 8.0, 20.0, 15.0]]]).expand(2, -1, -1)
    finer = boxes * torch.tensor([2, 3, 2, 3])
    expected = found.invert(boxes=boxes)
    torch.testing.assert_close(found.invert(boxes=finer, size=(84, 56)), expected)
    again = found.invert(masks=large, size=(84, 56))
    torch.testing.assert_close(middle(again), middle(distorted), atol=0.1, rtol=0)


def test_paper_goes_on_beyond_the_edges():
    sheet = 1 - spot(14.0, 14.0).expand(2, 3, -1, -1) * torch.tensor([0.9, 0.5, 0.7])[:, None, None]
    sheet = sheet * torch.tensor([1.0, 0.8, 0.6])[:, None, None]
    found = corrected(affine_matrix(torch.full((2,), 0.8), 1.5, 1.5).flatten(1))
    on_paper, on_black = found.upright(sheet), found.upright(sheet, fill=0.0)
    paper = torch.tensor([1.0, 0.8, 0.6]).expand(2, 3)
    torch.testing.assert_close(on_paper[..., 0, 0], paper, atol=1e-3, rtol=0)
    assert on_black[..., 0, 0].abs().max() < 1e-6
    inside = (slice(None), slice(None), slice(12, 16), slice(12, 16))
    torch.testing.assert_close(on_paper[inside], on_black[inside])
