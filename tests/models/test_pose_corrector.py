"""What all models of poses share, seen on the models that ship."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn

from diffstn.build import Built, load_model
from diffstn.data.sources.mnist import load_mnist
from diffstn.models.pose_corrector import Correction, PoseCorrector
from diffstn.models.upright_already import evidence, nearness
from diffstn.networks.frozen import Frozen
from diffstn.spatial import warp

Build = Callable[..., Built]
MODELS = ["stn", "ic_stn", "pose_regression", "diff_in_stn", "latent_diff_in_stn"]


def common_latents(model: PoseCorrector, hypotheses: int, images: int) -> torch.Tensor:
    """Those from which `correct` starts for every image, by its default seed."""
    generator = torch.Generator().manual_seed(0)
    return model.sample_latents(1, hypotheses, generator).expand(images, -1, -1)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("distortion", ["paper", "rts", "projective", "elastic"])
def test_corrects_images_of_every_family_and_canvas(built: Build, name: str, distortion: str):
    steps = ["sampler.steps=3"] if "diff" in name else []
    parts = built(f"model={name}", f"data/distortion={distortion}", *steps)
    model, batch = parts.model.eval(), parts.data.batch("val", torch.arange(5))
    with torch.no_grad():
        correction = model(batch.image, hypotheses=2)
    k = model.fixed_hypotheses or 2
    if name in ("pose_regression", "diff_in_stn", "latent_diff_in_stn"):
        assert correction.A.shape == (5, 2, batch.A.shape[1])
        k = 2
    assert correction.images.shape == (5, k, 1, 28, 28)
    assert correction.probabilities.shape == (5, k, 10)
    torch.testing.assert_close(correction.probabilities.sum(-1), torch.ones(5, k))
    assert torch.isfinite(correction.A).all()


@pytest.mark.parametrize("name", ["stn", "pose_regression", "diff_in_stn"])
@pytest.mark.parametrize("classifier", ["joint", "frozen"])
def test_every_trainable_weight_learns_and_no_frozen_one_does(
    built: Build, name: str, classifier: str
):
    parts = built(f"model={name}")
    model, batch = parts.model.train(), parts.data.batch("train", torch.arange(16))
    if classifier == "frozen":
        model.classifier = Frozen(model.classifier).train()
    assert model.trains_classifier == (classifier == "joint")
    torch.manual_seed(0)
    for _ in range(2):  # the second step reaches below last layers that start at zero
        model.zero_grad()
        model.loss(batch)["loss"].backward()
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.grad is not None:
                    parameter -= 0.1 * parameter.grad
    for path, parameter in model.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, path
            assert torch.isfinite(parameter.grad).all(), path
        else:
            assert path.startswith("classifier.")
            assert parameter.grad is None
    learned = [path for path, p in model.named_parameters() if p.grad is not None and p.grad.any()]
    assert any(path.startswith("classifier.") for path in learned) == (classifier == "joint")


def test_the_frozen_judge_teaches_a_transformer_through_itself(built: Build):
    parts = built("model=stn")
    model, batch = parts.model.train(), parts.data.batch("train", torch.arange(8))
    model.classifier = Frozen(nn.Sequential(model.classifier, nn.BatchNorm1d(10)))
    before = {k: v.clone() for k, v in model.classifier.state_dict().items()}
    model.train()
    model.loss(batch)["loss"].backward()
    assert not any(module.training for module in model.classifier.modules())
    assert all(torch.equal(v, before[k]) for k, v in model.classifier.state_dict().items())
    assert model.branches[0][0][1].layers[-1].weight.grad.abs().sum() > 0


def test_the_classifiers_loss_does_not_reach_a_supervised_pose(built: Build):
    """A regressor and a diffusion model learn the pose from A, not from the classifier."""
    for name in ("pose_regression", "diff_in_stn"):
        parts = built(f"model={name}")
        model, batch = parts.model.train(), parts.data.batch("train", torch.arange(8))
        model.loss(batch)["nll"].backward()
        moved = [
            path for path, p in model.named_parameters() if p.grad is not None and p.grad.any()
        ]
        assert moved
        assert all(path.startswith("classifier.") for path in moved), name


@pytest.mark.parametrize("kernel", ["bilinear", "bicubic"])
def test_warp_and_judge_treat_hypotheses_one_by_one(built: Build, kernel: str):
    parts = built("model=diff_in_stn", f"model.kernel={kernel}")
    model: PoseCorrector = parts.model.eval()
    batch = parts.data.batch("val", torch.arange(3))
    A = torch.stack([batch.A, model.transformation.identity().expand(3, -1)], dim=1)
    images = model.warp(batch.image, A)
    expected = warp(batch.image, batch.A, size=(28, 28), kernel=kernel).clamp(0, 1)
    torch.testing.assert_close(images[:, 0], expected)
    torch.testing.assert_close(images[:, 1], batch.image, atol=1e-4, rtol=0)
    log_probabilities = model.judge(images)
    for k in range(2):
        expected = model.classifier(images[:, k]).log_softmax(-1)
        torch.testing.assert_close(log_probabilities[:, k], expected)


def test_the_same_latents_give_the_same_correction_whatever_the_batch(built: Build):
    parts = built("model=diff_in_stn", "sampler.steps=4")
    model, batch = parts.model.eval(), parts.data.batch("val", torch.arange(8))
    nn.init.normal_(model.denoiser.network.output.weight, std=0.1)
    latents = model.sample_latents(8, 3, torch.Generator().manual_seed(5))
    with torch.no_grad():
        whole = model(batch.image, latents=latents)
        part = model(batch.image[2:5], latents=latents[2:5])
    torch.testing.assert_close(part.A, whole.A[2:5], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(part.probabilities, whole.probabilities[2:5], atol=1e-4, rtol=1e-3)


def test_an_answer_is_the_same_alone_and_in_a_batch(built: Build):
    parts = built("model=diff_in_stn", "sampler.steps=4")
    model, image = parts.model.eval(), parts.data.batch("val", torch.arange(6)).image
    nn.init.normal_(model.denoiser.network.output.weight, std=0.1)
    together, alone = model.correct(image, 3, seed=7), model.correct(image[4], 3, seed=7)
    for one, other in zip(
        (together, *together.alternatives), (alone, *alone.alternatives), strict=True
    ):
        torch.testing.assert_close(one.A[4], other.A, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(one.probabilities[4], other.probabilities, atol=1e-4, rtol=1e-3)
    with pytest.raises(ValueError, match="hypotheses=-1: at least 1"):
        model.correct(image, -1)


def test_bytes_come_back_as_bytes_a_single_image_as_one_and_twice_as_once(built: Build):
    """`correct` as a user calls it: no gradients, the same answer for the same seed."""
    parts = built("model=diff_in_stn", "sampler.steps=3")
    model, image = parts.model.eval(), parts.data.batch("val", torch.arange(3)).image
    nn.init.normal_(model.denoiser.network.output.weight, std=0.1)
    corrected = model.correct(image, hypotheses=2)
    assert not corrected.images.requires_grad
    assert corrected.images.shape == (3, 1, 28, 28)
    torch.testing.assert_close(model.warp(image, corrected.A[:, None])[:, 0], corrected.images)
    torch.testing.assert_close(model.classify(image, 2), corrected.probabilities)
    assert torch.equal(model.correct(image, 2).A, corrected.A)
    poses = corrected.A, corrected.alternatives[0].A
    others = model.correct(image, 2, seed=1)
    assert not torch.equal(torch.cat([others.A, others.alternatives[0].A]), torch.cat(poses))
    as_bytes = (image * 255).round().byte()
    again = model.correct(as_bytes.numpy(), hypotheses=2).images
    assert again.dtype == torch.uint8
    assert (again.float() / 255 - corrected.images).abs().max() < 0.02
    single = model.correct(image[0, 0])
    assert single.images.shape == (1, 28, 28)
    assert single.A.shape == (6,)
    assert single.probabilities.shape == (10,)


def test_confidence_is_the_correctors_own_belief_in_what_is_read(built: Build):
    parts = built("model=diff_in_stn", "data/distortion=full", "sampler.steps=2")
    model, image = parts.model.eval(), parts.data.batch("val", torch.arange(6)).image
    for k in (1, 5):
        found = model.correct(image, hypotheses=k)
        with torch.no_grad():
            belief = model.read(model.embeddings(image)) if k == 1 else model.belief(image)
        read = found.probabilities.argmax(1)
        torch.testing.assert_close(found.confidence, belief[torch.arange(6), read])
    least = float(found.confidence.sort().values[2])
    assert model.correct(image, hypotheses=5, abstain_below=least).abstain.sum() == 2
    assert model.correct(image[0, 0]).abstain.shape == ()
    plain = built("model=stn").model.eval()
    found = plain.correct(image)
    torch.testing.assert_close(found.confidence, found.probabilities.amax(1))


def test_alternatives_are_the_other_hypotheses_by_their_weight(built: Build):
    parts = built("model=diff_in_stn", "data/distortion=full", "sampler.steps=2")
    model, image = parts.model.eval(), parts.data.batch("val", torch.arange(6)).image
    nn.init.normal_(model.denoiser.network.output.weight, std=0.1)
    found = model.correct(image, hypotheses=4)
    latents = common_latents(model, 4, 6)
    with torch.no_grad():
        everything = model(image, latents=latents)
    together = torch.stack([found.A, *(one.A for one in found.alternatives)], dim=1)
    assert torch.equal(together.sort(dim=1).values, everything.A.sort(dim=1).values)
    weights = torch.stack([found.weight, *(one.weight for one in found.alternatives)], dim=1)
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(6))
    assert (weights[:, 1:-1] >= weights[:, 2:]).all()
    for one in found.alternatives:
        torch.testing.assert_close(model.warp(image, one.A[:, None])[:, 0], one.images)
        torch.testing.assert_close(one.probabilities, model.judge(one.images[:, None])[:, 0].exp())
        belief = everything.belief.gather(1, one.probabilities.argmax(1, keepdim=True))[:, 0]
        torch.testing.assert_close(one.confidence, belief)
        assert one.pose.turn.shape == (6,)
        assert one.alternatives == ()
    (single,) = model.correct(image[0, 0], hypotheses=2).alternatives
    assert single.A.shape == (6,)
    assert model.correct(image).alternatives == ()


def test_the_answer_comes_first_where_all_weigh_the_same(built: Build):
    parts = built("model=diff_in_stn", "model.combine=mean", "sampler.steps=2")
    model, image = parts.model.eval(), parts.data.batch("val", torch.arange(3)).image
    nn.init.normal_(model.denoiser.network.output.weight, std=0.1)
    found = model.correct(image, hypotheses=3)
    with torch.no_grad():
        correction = model(image, latents=common_latents(model, 3, len(image)))
    shown = correction.A[torch.arange(3), model.representative(correction)]
    assert torch.equal(found.A, shown)
    assert not any(torch.equal(one.A, shown) for one in found.alternatives)


def test_the_image_shown_is_the_one_whose_reading_is_nearest_to_the_answer(built: Build):
    model = built("model=diff_in_stn", "model.combine=mean").model
    probabilities = torch.tensor([[[0.9, 0.1], [0.1, 0.9], [0.2, 0.8]]])
    correction = Correction(torch.zeros(1, 3, 6), torch.zeros(1), probabilities, torch.zeros(1, 2))
    torch.testing.assert_close(model.combine(correction), torch.tensor([[0.4, 0.6]]))
    assert model.representative(correction).tolist() == [1]


@pytest.mark.parametrize(("first", "shown"), [([0.6, 0.4], 0), ([0.4, 0.6], 1)])
def test_the_pose_from_the_centre_is_shown_if_it_is_read_alike(
    built: Build, first: list[float], shown: int
):
    model = built("model=diff_in_stn").model
    probabilities = torch.tensor([[first, [0.9, 0.1], [0.1, 0.9]]])
    belief = torch.tensor([[0.9, 0.1]])
    correction = Correction(torch.zeros(1, 3, 6), torch.zeros(1), probabilities, belief)
    torch.testing.assert_close(model.combine(correction), probabilities[:, 1])
    assert model.representative(correction).tolist() == [shown]
    model.centre_first = False
    assert model.representative(correction).tolist() == [1]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("model=stn", "model.combine=agreement"), "STN has no opinion: choose mean"),
        (("model=stn", "model.kernel=cubic"), "kernel=cubic: choose bilinear, nearest, bicubic"),
        (("model=stn", "model.padding=wrap"), "padding=wrap: choose zeros, border, reflection"),
        (("model=diff_in_stn", "model.hypotheses=0"), "hypotheses must be at least 1, got 0"),
        (("model=stn", "model.calibration=[1]"), r"calibration=\[1\]: two powers, neither below 0"),
        (("model=stn", "model.calibration=[1,-1]"), "two powers, neither below 0"),
    ],
)
def test_what_no_corrector_can_do_is_refused(built: Build, words: tuple[str, ...], message: str):
    with pytest.raises(ValueError, match=message):
        built(*words)


def test_the_image_as_it_is_is_a_hypothesis_of_its_own_odds(
    built: Build, monkeypatch: pytest.MonkeyPatch
):
    words = ("model=diff_in_stn", "data/distortion=rts", "sampler.steps=2")
    parts = built(*words)
    model, image = parts.model.eval(), parts.data.batch("val", torch.arange(6)).image
    identity = model.transformation.identity().expand(6, -1)

    def guesses(image: torch.Tensor, latents: torch.Tensor, generator: object = None):
        return identity[:, None] + 0.2 * latents, model.belief(image)

    monkeypatch.setattr(model, "guesses", guesses)
    with torch.no_grad():
        as_it_is = model.warp(image, identity[:, None])
        read = model.judge(as_it_is).exp()
        latents = model.sample_latents(6, 3, torch.Generator().manual_seed(0))
        plain = model(image, latents=latents)
        model.as_is = 2.0
        more = model(image, latents=latents)
    assert plain.odds.tolist() == [[1, 1, 1]] * 6
    near = nearness(plain.A, identity, model.transformation)
    assert near.min() < 0.5 < near.max()
    odds = torch.cat([torch.ones(6, 3), 2 * evidence(near)[:, None]], dim=1)
    torch.testing.assert_close(more.odds, odds)
    for name, last in (("A", None), ("images", as_it_is), ("probabilities", read)):
        torch.testing.assert_close(getattr(more, name)[:, :3], getattr(plain, name))
        if last is not None:
            torch.testing.assert_close(getattr(more, name)[:, 3:], last)
    two = more.first(2)
    assert torch.equal(two.A, more.A[:, [0, 1, 3]])
    odds = torch.cat([torch.ones(6, 2), 2 * evidence(near[:, :2])[:, None]], dim=1)
    torch.testing.assert_close(two.odds, odds)
    scores = (two.probabilities**4 * (more.belief * two.probabilities.mean(1))[:, None]).sum(-1)
    best = (scores * odds).argmax(1)
    reads = two.probabilities.argmax(-1)
    shown = best.masked_fill((reads[:, 0] == reads[torch.arange(6), best]) & (best < 2), 0)
    assert torch.equal(model.representative(more, 2), torch.tensor([0, 1, 3])[shown])
    assert torch.equal(model.combine(more, 2), two.probabilities[torch.arange(6), best])
    model.as_is = 1e30
    found = model.correct(image)
    assert torch.equal(found.pose.turn, torch.zeros(6))
    torch.testing.assert_close(found.images, as_it_is[:, 0])
    assert len(found.alternatives) == model.hypotheses


@pytest.mark.parametrize("name", ["diff_in_stn", "pose_regression"])
def test_confidence_is_made_of_two_opinions(built: Build, name: str):
    parts = built(f"model={name}")
    model, image = parts.model.eval(), parts.data.batch("val", torch.arange(6)).image
    k = 3 if name == "diff_in_stn" else 1
    with torch.no_grad():
        found = model(image, hypotheses=k, generator=torch.Generator().manual_seed(0))
        combined = model.combine(found)
        read = combined.argmax(1, keepdim=True)
        first = found.belief if name == "diff_in_stn" else combined
        second = found.probabilities.mean(1)
        alone = model.confidence(found, combined)
        model.calibration = (0.5, 2.0)
        both = model.confidence(found, combined)
    torch.testing.assert_close(alone, first.gather(1, read)[:, 0])
    product = first**0.5 * second**2
    expected = (product / product.sum(1, keepdim=True)).gather(1, read)[:, 0]
    torch.testing.assert_close(both, expected)
    answered = model.correct(image, hypotheses=k).confidence
    model.calibration = (0.0, 0.0)
    assert not torch.allclose(answered, model.correct(image, hypotheses=k).confidence)
    assert torch.allclose(model.correct(image).confidence, torch.tensor(0.1))


def test_several_threads_may_ask_one_model():
    model, images = load_model("pretrained/diff_in_stn_full"), load_mnist()["test"].items[:12]

    def asked(i: int) -> torch.Tensor:
        return model.correct(images[i : i + 3], hypotheses=4, seed=i).A

    alone = [asked(i) for i in range(9)]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(asked, range(9)))
    for one, other in zip(alone, together, strict=True):
        torch.testing.assert_close(one, other)
