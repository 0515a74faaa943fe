import pytest
import torch

from diffstn.data.batches import DistortedBatch
from diffstn.data.distortions import AffineDistortion, ElasticDistortion
from diffstn.data.modules.distorted import DistortedData
from diffstn.errors import UserError
from diffstn.spatial import Affine, warp

from ..conftest import configured, preset
from .test_upright import Recorder, quiet_trainer


def collect(batches):
    return DistortedBatch(*(torch.cat(tensors) for tensors in zip(*batches, strict=True)))


def test_what_a_batch_holds(few):
    data = DistortedData(few, preset("rts"))
    assert data.canvas == (42, 42)
    assert isinstance(data.transformation, Affine)
    batch = data.batch("train", torch.arange(5))
    image, label, A, upright = batch
    assert batch.items is image
    assert image.shape == (5, 1, 42, 42)
    assert upright.shape == (5, 1, 28, 28)
    assert A.shape == (5, 6)
    assert torch.equal(label, few.splits["train"].labels[:5])
    assert torch.equal(upright, few.splits["train"].items[:5] / 255)
    torch.testing.assert_close(image, warp(upright, Affine().inverse(A), size=(42, 42)))
    assert image.min() >= 0
    assert image.max() <= 1


@pytest.mark.parametrize("split", ["val", "test"])
def test_evaluation_is_the_same_for_any_batch_size(few, split):
    data = DistortedData(few, AffineDistortion())
    expected = collect(data.batches(split, 1000))
    for batch_size in (1, 7, 256, 1002):
        again = DistortedData(few, AffineDistortion())
        torch.manual_seed(batch_size)  # nor does the global generator matter
        given = collect(again.batches(split, batch_size))
        assert torch.equal(given.A, expected.A)
        assert torch.equal(given.label, expected.label)
        torch.testing.assert_close(given.image, expected.image, atol=1e-6, rtol=0)


def test_evaluation_draws_nothing_from_the_global_generator(few):
    data = DistortedData(few, AffineDistortion())
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    list(data.batches("val"))
    assert torch.equal(torch.rand(1), expected)


def test_poses_belong_to_the_images(few):
    """A limit keeps them, another data_seed changes them, val and test have their own."""
    for distortion in (AffineDistortion(), preset("projective"), ElasticDistortion()):
        poses = DistortedData(few, distortion).poses("val")
        limited = DistortedData(few, distortion, limit_val=7).poses("val")
        assert torch.equal(limited, poses[:7])
    assert torch.equal(DistortedData(few, distortion, seed=9).poses("val"), poses)
    assert not torch.equal(DistortedData(few, distortion, data_seed=1).poses("val"), poses)
    assert not torch.equal(DistortedData(few, distortion).poses("test")[:7], poses[:7])
    assert poses.unique(dim=0).shape == poses.shape


def test_training_images_are_read_by_one_of_the_kernels_each(few):
    kernels = ["nearest", "bicubic", "bilinear"]
    data = DistortedData(few, AffineDistortion(), kernels=kernels)
    torch.manual_seed(0)
    image, _, A, upright = data.batch("train", torch.arange(60))
    inverse = Affine().inverse(A)
    each = torch.stack([warp(upright, inverse, kernel=name).clamp(0, 1) for name in kernels])
    apart = (each - image).abs().amax((2, 3, 4))
    assert apart.amin(dim=0).max() < 1e-6  # every image is one of the three
    counts = apart.argmin(dim=0).bincount(minlength=3)
    assert counts.sum() == 60
    assert counts.min() >= 10
    torch.manual_seed(0)
    assert torch.equal(data.batch("train", torch.arange(60)).image, image)
    first = DistortedData(few, AffineDistortion(), kernels=["nearest"])
    assert torch.equal(
        data.batch("val", torch.arange(9)).image, first.batch("val", torch.arange(9)).image
    )


def test_one_kernel_for_all_images_of_a_batch_of_one(few):
    data = DistortedData(few, AffineDistortion(), kernels=["bicubic", "nearest"])
    for _ in range(4):
        assert data.batch("train", torch.arange(1)).image.shape == (1, 1, 28, 28)


@pytest.mark.parametrize("kernels", [[], ["lanczos"], ["bilinear", "best"]])
def test_kernels_that_warps_do_not_know_are_refused(few, kernels):
    with pytest.raises(UserError, match="name some of bilinear, nearest, bicubic"):
        DistortedData(few, AffineDistortion(), kernels=kernels)


def test_a_test_image_has_as_many_poses_as_asked(few):
    data = DistortedData(few, AffineDistortion(), test_poses=3)
    assert (data.count("val"), data.count("test")) == (1001, 3 * 1002)
    assert torch.equal(data.labels("test"), few.splits["test"].labels.repeat(3))
    whole = collect(data.batches("test"))
    rounds = [DistortedBatch(*(tensor[i::1002] for tensor in whole)) for i in (0, 5)]
    for one in rounds:
        assert torch.equal(one.upright[0], one.upright[2])
        assert not torch.equal(one.A[0], one.A[1])
        assert not torch.equal(one.image[1], one.image[2])
    assert DistortedData(few, AffineDistortion(), test_poses=3, limit_test=7).count("test") == 7


def test_training_draws_afresh_each_time(few):
    data = DistortedData(few, AffineDistortion())
    indices = torch.arange(50)
    first, second = (data.batch("train", indices) for _ in range(2))
    assert not (first.A == second.A).all(1).any()
    assert torch.equal(first.upright, second.upright)
    assert not torch.equal(first.image, second.image)
    torch.manual_seed(1)
    third = data.batch("train", indices)
    torch.manual_seed(1)
    assert torch.equal(third.A, data.batch("train", indices).A)


def test_with_a_trainer(few):
    model, data = Recorder(), DistortedData(few, AffineDistortion(), batch_size=100)
    trainer = quiet_trainer(max_epochs=2)
    trainer.fit(model, data)
    trainer.test(model, data, verbose=False)
    train, val, test = (collect(model.seen[split]) for split in ("train", "val", "test"))
    assert train.A.unique(dim=0).shape == (2200, 6)
    assert not train.image.is_inference()
    assert torch.equal(val.A[1001:2002], data.poses("val"))  # after as many of the sanity check
    assert torch.equal(test.A, data.poses("test"))
    without_trainer = collect(DistortedData(few, AffineDistortion()).batches("test"))
    torch.testing.assert_close(test.image, without_trainer.image, atol=1e-6, rtol=0)


def test_gradients_pass_after_evaluation_in_inference_mode(few):
    data = DistortedData(few, AffineDistortion())
    with torch.inference_mode():
        data.batch("val", torch.arange(3))
    theta = data.batch("val", torch.arange(3)).A.requires_grad_()
    warp(torch.rand(3, 1, 28, 28), theta).sum().backward()
    assert theta.grad is not None


def test_the_configuration():
    data = configured("+data=affine_mnist", "data.data_seed=4")
    assert isinstance(data, DistortedData)
    assert data.data_seed == 4
    assert data.distortion.rotation == 45
    full = configured("+data=affine_cifar10", "data/distortion=full")
    assert full.distortion.rotation == 180
    assert full.channels == 3
