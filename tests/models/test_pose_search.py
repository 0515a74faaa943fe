"""The search, on real digits that the judge alone decides about."""

import math
from collections.abc import Callable

import pytest
import torch

from diffstn.build import Built
from diffstn.errors import UserError
from diffstn.models.pose_search import poses
from diffstn.spatial import Affine, affine_matrix, as_matrix, decompose, warp

Build = Callable[..., Built]
QUICK = ("model.angles=12", "model.beams=2", "model.points=3", "model.rounds=1")
SEARCH = ("model=pose_search", *QUICK)


def test_numbers_are_poses():
    numbers = torch.tensor([[0.3, math.log(0.8), math.log(1.2), 0.1, -0.2, 0.3]])
    found = decompose(as_matrix(poses(numbers)))
    torch.testing.assert_close(torch.stack(found[:4]).T, torch.tensor([[0.3, 0.8, 1.2, 0.1]]))
    torch.testing.assert_close(found.translation, torch.tensor([[-0.2, 0.3]]))


def test_the_best_of_a_list_is_that_of_which_the_judge_is_surest(built: Build):
    parts = built(*SEARCH, "data/distortion=none", tiny=False)
    model, batch = parts.model.eval(), parts.data.batch("val", torch.arange(6))
    tried = torch.zeros(6, 12, 6)
    tried[..., 0] = torch.arange(12) * math.pi / 6
    for score in ("logit", "energy", "confidence"):
        model.score = score
        with torch.no_grad():
            found = model.best(batch.image, tried)
            images = model.warp(batch.image, model.from_frame(batch.image, poses(tried)))
            logits = model.classifier(images.flatten(0, 1)).unflatten(0, (6, 12))
        of = {"logit": logits.amax(-1), "energy": logits.logsumexp(-1)}
        of["confidence"] = logits.softmax(-1).amax(-1).log()
        highest = of[score].argmax(1)
        assert found.shape == (6, 2, 6)
        torch.testing.assert_close(found[:, 0, 0], highest * math.pi / 6)


def test_turned_digits_are_read_that_the_judge_alone_cannot_read(built: Build):
    parts = built(*SEARCH, "data/distortion=none", tiny=False)
    model, batch = parts.model.eval(), parts.data.batch("test", torch.arange(30))
    turn = affine_matrix(torch.linspace(0.5, 5.5, 30)).flatten(1)
    turned = warp(batch.image, Affine().inverse(turn))
    with torch.no_grad():
        plain = model.classifier(turned).argmax(1)
        found = model(turned)
    assert (plain == batch.label).float().mean() < 0.6
    read = model.combine(found).argmax(1)
    assert (read == batch.label).float().mean() > 0.7
    again = model.correct(turned).A
    assert torch.equal(again, model.correct(turned).A)


def test_rotations_alone_are_searched_of_what_fills_its_canvas(built: Build):
    words = ("frame=canvas", "model.size=1", "model.reach=0", "data/distortion=none")
    parts = built(*SEARCH, *words, tiny=False)
    model, batch = parts.model.eval(), parts.data.batch("test", torch.arange(8))
    turn = affine_matrix(torch.arange(8) * math.pi / 6).flatten(1)
    with torch.no_grad():
        found = decompose(as_matrix(model(warp(batch.image, turn)).A[:, 0]))
    torch.testing.assert_close(
        torch.stack(found[1:4]), torch.tensor([[1.0], [1], [0]]).expand(3, 8)
    )
    torch.testing.assert_close(found.translation, torch.zeros(8, 2))
    assert (found.rotation.remainder(math.pi / 6) != 0).any()
    with pytest.raises(UserError, match="above 0"):
        built(*SEARCH, "model.size=0", tiny=False)


def test_there_is_nothing_to_train(built: Build):
    model = built(*SEARCH, tiny=False).model
    assert not any(p.requires_grad for p in model.parameters())
    with pytest.raises(UserError, match="nothing to train"):
        model.optimizer_factory([])
    with pytest.raises(UserError, match="affine poses"):
        built(*SEARCH, "data/distortion=projective", tiny=False)
