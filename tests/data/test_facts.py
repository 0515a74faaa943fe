"""Facts survive a file, and every data module answers them before it reads."""

import json
from pathlib import Path

import pytest
import torch

from diffstn.data.distortions import AffineDistortion, ElasticDistortion, ProjectiveDistortion
from diffstn.data.facts import Facts
from diffstn.data.modules.distorted import DistortedData
from diffstn.data.modules.upright import UprightData
from diffstn.spatial import family_of

from .conftest import CONF, composed, configured, preset

DISTORTIONS = {
    "affine": AffineDistortion(180, canvas=(30, 40)),
    "projective": ProjectiveDistortion(AffineDistortion()),
    "tps": ElasticDistortion(points_per_side=3),
}


@pytest.mark.parametrize("family", DISTORTIONS)
def test_facts_of_distorted_images_survive_a_file(few, family):
    facts = DistortedData(few, DISTORTIONS[family]).facts
    again = Facts.from_plain(json.loads(json.dumps(facts.plain())))
    assert again.plain() == facts.plain()
    assert family_of(again.transformation)["family"] == family
    assert again.transformation.settings == facts.transformation.settings
    assert again.transformation.dim == facts.transformation.dim
    assert (again.kind, again.channels, again.size) == ("distorted", 1, (28, 28))
    assert again.canvas == ((30, 40) if family == "affine" else (28, 28))
    assert again.classes == tuple("0123456789")
    assert again.any_rotation == (family == "affine")
    assert few.loads == 0


@pytest.mark.parametrize(
    ("overrides", "facts"),
    [
        (("shapes", "data.shape=moons"), Facts("points", ("moons",), dim=2)),
        (("stars", "data.arms=[4,5]"), Facts("clouds", ("4 arms", "5 arms"), dim=2, points=1024)),
        (
            ("solids", "data.points=9"),
            Facts("clouds", ("sphere", "box", "torus"), dim=3, points=9),
        ),
        (
            ("mnist",),
            Facts("upright", tuple("0123456789"), channels=1, size=(28, 28), canvas=(28, 28)),
        ),
    ],
)
def test_facts_of_configurations_are_known_before_anything_is_read(overrides, facts):
    data = configured(f"+data={overrides[0]}", *overrides[1:])
    assert data.facts == facts
    assert Facts.from_plain(json.loads(json.dumps(facts.plain()))) == facts
    assert not data.is_loaded


def test_items_are_counted_labelled_and_hashed(few):
    """The digest is SHA-256 of the bytes, so it belongs to the items and not to the module."""
    import hashlib

    data = UprightData(few, limit_test=20)
    test = few.splits["test"].first(20)
    assert data.count("test") == 20
    assert torch.equal(data.labels("test"), test.labels)
    assert data.labels("test").dtype == torch.int64
    digest = hashlib.sha256(test.items.numpy().tobytes()).hexdigest()[:24]
    assert data.digest("test") == digest
    assert DistortedData(few, preset("paper"), limit_test=20).digest("test") == digest
    assert data.digest("val") != digest


@pytest.mark.parametrize("path", sorted(Path(CONF, "data").glob("*.yaml")), ids=lambda p: p.stem)
def test_every_configuration_passes_the_check_of_settings(path):
    from omegaconf import OmegaConf

    from diffstn.errors import UserError
    from diffstn.schema import check_node, imported

    node = OmegaConf.to_container(composed(f"+data={path.stem}").data, resolve=True)
    check_node(node, "data", imported)
    with pytest.raises(UserError, match="whole number"):
        check_node({**node, "batch_size": 1.5}, "data", imported)


@pytest.mark.parametrize(
    "wrong",
    [
        {"evil": 1},
        {"size": [0, 3]},
        {"size": [10**9, 10**9]},
        {"canvas": "28x28"},
        {"classes": 10**9},
        {"classes": [1, 2]},
        {"channels": True},
        {"transformation": {"family": "os.system"}},
        {"transformation": "affine"},
    ],
)
def test_what_are_no_facts_are_refused(wrong):
    with pytest.raises((LookupError, TypeError, ValueError)):
        Facts.from_plain({"kind": "upright", **wrong})
