"""A student in one step where its teacher takes five."""

from functools import partial
from typing import Any

import pytest
import torch
from torch import nn

from diffstn.codecs.as_is import AsIs
from diffstn.codecs.pixels import Pixels
from diffstn.data.facts import Facts
from diffstn.diffusion.samplers import DDIM
from diffstn.diffusion.schedules import Cosine
from diffstn.errors import UserError
from diffstn.models import other_run
from diffstn.models.distilled import Distilled
from diffstn.networks.denoisers.points import PointDenoiser
from diffstn.networks.denoisers.unet import UNet
from diffstn.optim.lr_schedules import constant

from .test_diffusion_model import build, learn, of_images

POINTS = partial(PointDenoiser, width=32, blocks=1, time_features=16)


def student(**settings: Any) -> Distilled:
    torch.manual_seed(1)
    told: dict[str, Any] = {"conditional": True, "teacher": "run", "teacher_steps": 5, **settings}
    return Distilled(
        facts=Facts(kind="points", classes=("a", "b"), dim=2),
        network=POINTS,
        schedule=Cosine(100),
        sampler=DDIM(steps=1),
        codec=AsIs(),
        optimizer=torch.optim.Adam,
        lr_scheduler=constant,
        **told,
    )


@pytest.fixture
def teacher(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Of two classes of points, each of which lies at two places."""
    model = build(POINTS, "ab", conditional=True)
    monkeypatch.setattr(
        other_run, "load_model", {"run": model, "other": nn.Linear(1, 1)}.__getitem__
    )
    return model


def test_it_goes_in_one_step_where_the_teacher_goes_in_five(teacher: Any):
    label = torch.arange(2).repeat(64)
    places = torch.tensor([[0.8, 0.8], [-0.8, -0.8], [0.8, -0.8], [-0.8, 0.8]])
    x_0 = places[label * 2 + torch.arange(128) // 64] + 0.02 * torch.randn(128, 2)
    learn(teacher, x_0, label, 250)
    novice = student()
    novice.load_state_dict(teacher.state_dict())
    noise = torch.randn(128, 2, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        theirs = teacher.denoise(noise, label, sampler=DDIM(steps=5))
        before = novice.denoise(noise, label)
    learn(novice, x_0, label, 100)
    with torch.no_grad():
        after = novice.denoise(noise, label)
    far = [float((made - theirs).norm(dim=1).mean()) for made in (before, after)]
    assert far[0] > 0.5
    assert far[1] < 0.25
    assert not any("teacher" in key for key in novice.state_dict())


def test_strangers_are_refused(teacher: Any):
    with pytest.raises(UserError, match="teacher=other is no run of a diffusion model"):
        student(teacher="other").check_optimisation()
    with pytest.raises(ValueError, match=r"model\.loss=simple"):
        student(loss="vlb")
    teacher.conditional = False
    with pytest.raises(UserError, match="hears no classes"):
        student().check_optimisation()


def test_kinds_are_told_apart_as_the_teacher_does(monkeypatch: pytest.MonkeyPatch):
    teacher = of_images(conditional=True, clusters=4)
    assert teacher.clusters is not None
    source = torch.Generator().manual_seed(0)
    images, label = torch.rand(64, 1, 4, 4, generator=source), torch.arange(64) % 2
    teacher.clusters.fit_to_images([images], [label])
    monkeypatch.setattr(other_run, "load_model", {"run": teacher}.__getitem__)
    settings: dict[str, Any] = {
        "facts": teacher.facts,
        "network": partial(UNet, width=8, multipliers=(1,), blocks=1),
        "schedule": Cosine(100),
        "sampler": DDIM(steps=1),
        "codec": Pixels(),
        "optimizer": torch.optim.Adam,
        "lr_scheduler": constant,
        "teacher": "run",
        "clusters": 4,
    }
    novice = Distilled(conditional=True, **settings)
    novice.check_optimisation()
    assert novice.clusters is not None
    assert torch.equal(novice.clusters(images, label), teacher.clusters(images, label))
    with pytest.raises(UserError, match=r"other kinds: model\.conditional=true"):
        Distilled(conditional=False, **settings).check_optimisation()
    teacher.guidance.guide = nn.Linear(1, 1)  # type: ignore[assignment]
    with pytest.raises(UserError, match="led by a classifier, which knows no kinds"):
        Distilled(conditional=True, **settings).check_optimisation()
