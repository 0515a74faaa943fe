"""One flat group of settings feeds a source and a module."""

import pytest

from diffstn.data.modules.distorted import DistortedData
from diffstn.data.modules.from_source import distorted, options, streamed, upright
from diffstn.data.modules.upright import UprightData
from diffstn.data.sources.image_folder import ImageFolder
from diffstn.data.sources.mnist import MNIST
from diffstn.errors import UserError

from ..conftest import configured, preset


def test_settings_go_to_whom_names_them():
    data = upright(MNIST, root="somewhere", batch_size=7)
    assert type(data) is UprightData
    assert data.images.root == "somewhere"
    assert data.batch_size == 7


def test_a_setting_that_both_name_goes_to_both(digit_folder):
    data = distorted(ImageFolder, root=digit_folder, distortion=preset("rts"), data_seed=5)
    assert type(data) is DistortedData
    assert data.data_seed == data.images.data_seed == 5
    assert data.facts.canvas == (42, 42)


def test_settings_that_nobody_names_are_refused_with_the_nearest():
    with pytest.raises(UserError, match=r"no setting 'data\.rot'; there is root"):
        upright(MNIST, rot="somewhere")


def test_the_kind_and_the_options_are_known_without_a_call():
    assert (upright.kind, distorted.kind, streamed.kind) == ("upright", "distorted", "upright")
    assert {"images", "distortion", "data_seed", "limit_val", "seed"} <= options(
        DistortedData
    ).keys()


@pytest.mark.parametrize(
    ("words", "attributes"),
    [
        (("cifar10", "source=a.npz"), {"source": "a.npz", "download": False}),
        (("fashion_mnist", "download=true", "root=here"), {"download": True, "root": "here"}),
        (("affine_mnist", "root=here"), {"root": "here"}),
    ],
)
def test_words_of_the_command_line_reach_the_source(words, attributes):
    name, *rest = words
    data = configured(f"+data={name}", *(f"data.{word}" for word in rest))
    assert {key: getattr(data.images, key) for key in attributes} == attributes


def test_words_of_an_image_folder_reach_it(digit_folder):
    data = configured(
        "+data=image_folder",
        f"data.root={digit_folder}",
        "data.image_size=[20,24]",
        "data.channels=1",
        "data.val=0.3",
        "data.test=0.2",
    )
    assert (data.size, data.channels, data.classes) == ((20, 24), 1, ["0", "1"])
    assert (data.images.val, data.images.test) == (0.3, 0.2)


def test_sixty_images_are_enough_for_the_default_settings(digit_folder):
    data = configured("+data=image_folder", f"data.root={digit_folder}")
    sizes = [data.count(split) for split in ("train", "val", "test")]
    assert sum(sizes) == 60
    assert len(list(data.train_dataloader())) == 1
    assert next(data.batches("test")).items.shape == (sizes[2], 3, 32, 32)
