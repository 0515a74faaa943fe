from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from diffstn.build import Built
from diffstn.models.stn import STN
from diffstn.spatial import warp

Build = Callable[..., Built]


def stn(built: Build, *overrides: str) -> STN:
    model = built("model=stn", *overrides).model
    assert isinstance(model, STN)
    return model.eval()


def leave_the_identity(model: STN) -> STN:
    """Regressors whose answer depends on the image, by about a tenth."""
    torch.manual_seed(1)
    for stage in (stage for branch in model.branches for stage in branch):  # type: ignore[union-attr]
        nn.init.normal_(stage[1].layers[-1].weight, std=0.05)
    return model


@pytest.mark.parametrize("transformation", ["affine", "projective", "tps"])
@pytest.mark.parametrize("shape", [[], ["model.cascade=3"], ["model=ic_stn"]])
def test_untrained_it_leaves_images_as_they_are(
    built: Build, transformation: str, shape: list[str]
):
    model = stn(built, f"model.transformation={transformation}", *shape)
    image = torch.rand(3, 1, 28, 28)
    correction = model(image)
    expected = model.transformation.identity().expand(3, 1, -1)
    torch.testing.assert_close(correction.A, expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(correction.images[:, 0], image, atol=1e-4, rtol=0)


@pytest.mark.parametrize(("shared", "networks"), [("false", 3), ("true", 1)])
def test_a_cascade_composes_poses_and_resamples_the_image_once(
    built: Build, shared: str, networks: int
):
    model = leave_the_identity(stn(built, "model.cascade=3", f"model.shared={shared}"))
    [stages] = model.branches
    assert len(stages) == networks  # type: ignore[arg-type]
    image = torch.rand(4, 1, 28, 28)
    A = model.transformation.identity().expand(4, -1)
    for i in range(3):
        step = stages[i % networks](warp(image, A))  # type: ignore[index]
        A = model.transformation.compose(A, step)
    correction = model(image)
    torch.testing.assert_close(correction.A[:, 0], A, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(correction.images[:, 0], warp(image, A), atol=1e-4, rtol=1e-3)


def test_parallel_branches_give_a_hypothesis_each_whatever_is_asked(built: Build):
    model = leave_the_identity(stn(built, "model.parallel=3"))
    image = torch.rand(4, 1, 28, 28)
    correction = model(image, hypotheses=1)
    assert correction.A.shape == (4, 3, 6)
    assert correction.probabilities.shape == (4, 3, 10)
    assert model.fixed_hypotheses == 3
    for k, branch in enumerate(model.branches):
        torch.testing.assert_close(correction.A[:, k], branch[0](image))  # type: ignore[index]
    assert torch.pdist(correction.A[0]).min() > 1e-4


def test_the_inverse_compositional_network_is_as_large_as_a_single_one(built: Build):
    def size(model: STN) -> int:
        return sum(p.numel() for p in model.branches.parameters())

    single, cascade = stn(built), stn(built, "model.cascade=4")
    assert size(stn(built, "model=ic_stn")) == size(single)
    assert size(cascade) == 4 * size(single)


def test_the_label_alone_moves_the_pose(built: Build):
    parts = built("model=stn")
    batch = parts.data.batch("train", torch.arange(8))
    model = parts.model.train()
    model.loss(batch._replace(A=torch.full_like(batch.A, torch.nan)))["loss"].backward()
    last: Tensor = model.branches[0][0][1].layers[-1].bias.grad
    assert torch.isfinite(last).all()
    assert last.abs().sum() > 0


@pytest.mark.parametrize(
    ("family", "distortion"), [("projective", "projective"), ("tps", "elastic")]
)
@pytest.mark.parametrize(
    "shape", [["model=stn"], ["model=ic_stn"], ["model.cascade=2"], ["model.parallel=2"]]
)
def test_every_shape_learns_poses_that_are_not_affine(
    built: Build, family: str, distortion: str, shape: list[str]
):
    own = [f"model.transformation={family}", f"data/distortion={distortion}", "classifier=frozen"]
    parts = built("model=stn", *own, *shape)
    model, batch = parts.model.train(), parts.data.batch("train", torch.arange(32))
    learns = [p for p in model.parameters() if p.requires_grad]
    optimizer, losses = torch.optim.Adam(learns, lr=3e-3), []
    for _ in range(12):
        losses.append(model.loss(batch)["loss"])
        optimizer.zero_grad()
        losses[-1].backward()
        assert all(p.grad.isfinite().all() for p in learns)  # type: ignore[union-attr]
        optimizer.step()
    assert losses[-1] < 0.8 * losses[0]


@pytest.mark.parametrize("name", ["cascade", "parallel"])
def test_less_than_one_stage_or_branch_is_refused(built: Build, name: str):
    with pytest.raises(ValueError, match="must be at least 1"):
        stn(built, f"model.{name}=0")
