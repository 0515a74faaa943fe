"""Several trained models as one corrector, and a run that needs none of their folders."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import diffstn
from diffstn.build import Built, load_model
from diffstn.cli.of_a_run import run_command
from diffstn.errors import UserError
from diffstn.store.run_folder import PRETRAINED

Build = Callable[..., Built]
SHIPPED = "pretrained/diff_in_stn_full"
FULL = ("model=pose_ensemble", "data/distortion=full")


def members(*runs: str) -> str:
    return f"model.members=[{','.join(runs)}]"


@pytest.fixture
def pair(built: Build) -> Built:
    """The shipped model twice, of which the second has another label head and other poses."""
    parts = built(*FULL, members(SHIPPED, SHIPPED), tiny=False)
    torch.manual_seed(1)
    second = parts.model.eval().member(1)
    torch.nn.init.normal_(second.label_head.linear.weight, std=0.3)
    second.standardiser.mean += 0.1
    return parts


def test_hypotheses_are_shared_out_and_beliefs_averaged(pair: Built):
    model, batch = pair.model, pair.data.batch("val", torch.arange(4))
    latents = model.sample_latents(4, 5, torch.Generator().manual_seed(0))
    assert latents.shape == (4, 5, 6)
    assert not latents[:, :2].any()  # both begin at their centres
    assert (latents[:, 2:].std(dim=0) > 0.1).all()
    with torch.no_grad():
        A, belief = model.guesses(batch.image, latents)
        first = model.member(0).guesses(batch.image, latents[:, 0::2])
        second = model.member(1).guesses(batch.image, latents[:, 1::2])
    torch.testing.assert_close(A[:, 0::2], first[0])
    torch.testing.assert_close(A[:, 1::2], second[0])
    torch.testing.assert_close(belief, (first[1] + second[1]) / 2)
    assert (A[:, 0] - A[:, 1]).abs().max() > 0.05
    assert (first[1] - second[1]).abs().max() > 0.05


def test_of_fewer_hypotheses_than_members_all_believe(pair: Built):
    model, batch = pair.model, pair.data.batch("val", torch.arange(4))
    with torch.no_grad():
        one = model(batch.image, hypotheses=1)
        beliefs = [model.member(0).guesses(batch.image, torch.zeros(4, 1, 6))[1]]
        beliefs.append(model.member(1).belief(batch.image))
        assert torch.equal(one.A, model.member(0).poses(batch.image, torch.zeros(4, 1, 6)))
        own = model(batch.image)
    torch.testing.assert_close(one.belief, torch.stack(beliefs).mean(0))
    assert own.A.shape == (4, 2, 6)  # one of each


def test_of_one_member_it_answers_what_the_member_answers(built: Build):
    parts = built(*FULL, members(SHIPPED), "classifier.run=pretrained/digit_judge", tiny=False)
    images = parts.data.batch("val", torch.arange(4)).image
    own = parts.model.eval().correct(images, hypotheses=3, seed=5)
    its = load_model(SHIPPED).correct(images, hypotheses=3, seed=5)
    assert torch.equal(own.A, its.A)
    assert torch.equal(own.confidence, its.confidence)


def test_there_is_nothing_to_train(built: Build):
    model = built(*FULL, members(SHIPPED), tiny=False).model
    assert not any(p.requires_grad for p in model.parameters())
    with pytest.raises(UserError, match="nothing to train"):
        model.optimizer_factory([])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("model.members=[]",), r"pass 'model.members=\[RUN,RUN\]'"),
        ((members("pretrained/judge"),), "a run of ImageClassifier; an ensemble is made of"),
        ((members("nowhere"),), "model.members=nowhere: no run there"),
        ((members(SHIPPED), "data/distortion=projective"), "other poses than the data"),
        ((members(SHIPPED), "data/distortion=rts"), "other sizes than the data"),
        ((members(SHIPPED), "data.classes=[1,7]", "classifier=joint"), "other classes than the"),
    ],
)
def test_members_that_do_not_fit_are_refused(built: Build, words: tuple[str, ...], said: str):
    with pytest.raises(UserError, match=said):
        built("model=pose_ensemble", *words, tiny=False)


def test_a_kept_ensemble_needs_its_members_no_more(
    workplace: Path, capsys: pytest.CaptureFixture[str]
):
    shutil.copytree(PRETRAINED / "diff_in_stn_full", "one")
    words = [*FULL, members("one", SHIPPED), "limit=20", "hypotheses=[1,4]", "accelerator=cpu"]
    assert run_command("evaluate", [*words, "keep=both"]) == 0
    [first] = Path("evaluations/pose_ensemble").glob("*.json")
    shutil.rmtree("one")
    assert run_command("evaluate", ["run=both", "accelerator=cpu"]) == 0
    [again] = Path("both/evaluations").glob("*.json")
    found, kept, shown = (
        json.loads(path.read_text())["k"] for path in (first, Path("both/metrics.json"), again)
    )
    assert found == kept == shown
    assert set(found) == {"1", "2", "4"}
    answer = diffstn.load("both").correct(torch.zeros(28, 28))
    assert answer.images.shape == (1, 28, 28)
    assert run_command("evaluate", [*FULL, members(SHIPPED), "limit=2", "keep=both"]) == 2
    assert run_command("evaluate", ["run=both", "keep=another"]) == 2
    said = capsys.readouterr().err
    assert "keep=both: no place for a new run; choose another folder" in said
    assert "keep=another is for a model that has nothing to learn" in said
    assert (
        run_command("evaluate", ["run=both", members("one", SHIPPED)]) == 0
    )  # kept by their names
    assert run_command("evaluate", ["run=both", members("two", SHIPPED)]) == 2
    assert "model.members=two: no run there" in capsys.readouterr().err
