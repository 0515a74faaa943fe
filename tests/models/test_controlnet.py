"""A control image beside a trained model of digits."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import nn

from diffstn.build import Built, load_model
from diffstn.data.batches import DistortedBatch
from diffstn.errors import UserError
from diffstn.models.controlnet import ControlNet, digest_of_base
from diffstn.models.redrawer import Redrawer

Build = Callable[..., Built]
DISTORTED = ["experiment=control/distorted", "task.watch=0"]


@pytest.fixture
def edges(built: Build) -> ControlNet:
    return built("model=controlnet", "sampler.steps=1", tiny=False).model.eval()  # type: ignore


def digits(built: Build, count: int) -> Any:
    data = built("model=controlnet", tiny=False).data
    data.setup()
    return data.batch("test", torch.arange(count))


@pytest.mark.parametrize("sampler", ["ddim", "ddpm", "dpm_solver"])
def test_untrained_it_samples_what_its_base_samples_to_the_bit(built: Build, sampler: str):
    parts = built("model=controlnet", f"sampler={sampler}", "sampler.steps=2", tiny=False)
    model: Any = parts.model.eval()
    base: Any = load_model("pretrained/mnist_unet").to(memory_format=torch.channels_last)
    noise, label = torch.randn(3, 1, 28, 28), torch.tensor([1, 4, 7])
    image = torch.rand(3, 1, 28, 28)
    with torch.no_grad():
        for told in (None, label):
            wanted = base.denoise(
                noise, told, torch.Generator().manual_seed(1), sampler=model.sampler
            )
            made = model(
                image,
                latents=noise[:, None],
                generator=torch.Generator().manual_seed(1),
                label=told,
            )
            assert torch.equal(made.images[:, 0], base.codec.decode(wanted))


def test_it_has_of_its_base_nothing_but_its_digest(edges: ControlNet):
    base = load_model("pretrained/mnist_unet")
    state, theirs = edges.state_dict(), base.denoiser.network.state_dict()
    assert torch.equal(edges.base_digest, digest_of_base(base))
    own = sum(p.numel() for p in edges.parameters() if p.requires_grad)
    judge = sum(v.numel() for v in edges.classifier.state_dict().values())
    assert sum(v.numel() for v in state.values()) == own + judge + 16
    assert own < 0.6 * sum(v.numel() for v in theirs.values())
    assert not any(name.startswith("denoiser.network.base") for name in state)
    assert not any(".up." in name or ".last." in name for name in state)
    assert edges.denoiser.process is not base.denoiser.process
    assert edges.denoiser.prediction is base.denoiser.prediction
    edges.load_state_dict(state)
    with pytest.raises(UserError, match="base=pretrained/mnist_unet is not what these weights"):
        edges.load_state_dict({**state, "base_digest": state["base_digest"] + 1})


def test_the_digest_tells_weights_and_schedules_apart():
    base: Any = load_model("pretrained/mnist_unet")
    first = digest_of_base(base)
    assert torch.equal(first, digest_of_base(load_model("pretrained/mnist_unet")))
    base.denoiser.schedule.log_alpha_bar[5] += 1e-3
    second = digest_of_base(base)
    with torch.no_grad():
        base.denoiser.network.last.bias[0] += 1e-3
    assert len({tuple(one.tolist()) for one in (first, second, digest_of_base(base))}) == 3


def test_it_learns_to_heed_the_control(built: Build):
    """On three digits, at high noise, where edges tell what is to be drawn."""
    parts = built("model=controlnet", tiny=False)
    model: Any = parts.model
    parts.data.setup()
    batch = parts.data.batch("train", torch.arange(3))
    t = torch.full((3,), 950)
    x_0 = model.codec.encode(batch.image)
    eps = torch.randn(x_0.shape, generator=torch.Generator().manual_seed(0))

    def loss(image: torch.Tensor) -> torch.Tensor:
        return model.loss(model.denoiser, x_0, t, eps, **model.condition(image)).mean()

    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(trained, 5e-3)
    before = {k: v.clone() for k, v in model.denoiser.network.base.network.state_dict().items()}
    start = float(loss(batch.image).detach())
    for _ in range(9):
        optimizer.zero_grad()
        loss(batch.image).backward()
        optimizer.step()
    with torch.no_grad():
        own, other = float(loss(batch.image)), float(loss(batch.image.roll(1, 0)))
    assert own < 0.7 * start
    assert own < 0.8 * other
    for name, value in model.denoiser.network.base.network.state_dict().items():
        assert torch.equal(value, before[name])


def test_labels_are_withheld_in_their_share(built: Build, monkeypatch: pytest.MonkeyPatch):
    parts = built("model=controlnet", "model.label_dropout=0.25", tiny=False)
    model: Any = parts.model
    batch = digits(built, 2)
    batch = batch._replace(
        image=batch.image[:1].expand(2000, -1, -1, -1), label=torch.ones(2000).long()
    )
    seen: list[Any] = []

    def losses(batch: Any, label: Any) -> Any:
        seen.append(label)
        return {"loss": torch.zeros((), requires_grad=True)}

    monkeypatch.setattr(model, "losses", losses)
    monkeypatch.setattr(model, "log_dict", lambda *_, **__: None)
    model.training_step(batch, 0)
    assert set(seen[0].tolist()) == {1, 10}
    assert float((seen[0] == 10).float().mean()) == pytest.approx(0.25, abs=0.04)
    model.label_dropout = 1.0
    model.training_step(batch, 0)
    assert seen[1] is None


def test_a_sample_for_each_control(edges: ControlNet, built: Build):
    for p in edges.denoiser.network.parameters():
        nn.init.normal_(p, std=0.03)
    image = digits(built, 3).image
    control = edges.control(image, (28, 28))
    made = edges.sample(control, seed=3)
    assert made.shape == (3, 1, 28, 28)
    assert 0 <= made.min() <= made.max() <= 1
    assert torch.equal(made, edges.sample(control, seed=3))
    assert not torch.equal(made, edges.sample(control, seed=4))
    assert not torch.equal(made, edges.sample(control.roll(1, 0), seed=3))
    assert not torch.equal(made, edges.sample(control, torch.arange(3), seed=3))
    corrected = edges.correct(image[0, 0], hypotheses=2)
    assert corrected.images.shape == (1, 28, 28)
    assert corrected.probabilities.shape == (10,)


@pytest.mark.parametrize(
    "control",
    [torch.zeros(2, 1, 14, 14), torch.zeros(2, 3, 28, 28), torch.zeros(28, 28), 4],
    ids=["sides", "channels", "one", "number"],
)
def test_a_control_of_another_size_is_refused(edges: ControlNet, control: Any):
    with pytest.raises(ValueError, match=r"control is \(B, 1, 28, 28\), not "):
        edges.sample(control)


def test_a_control_without_a_number_is_refused(edges: ControlNet):
    with pytest.raises(ValueError, match="not finite"):
        edges.sample(torch.full((1, 1, 28, 28), torch.nan))


def test_a_variant_belongs_to_each_item(built: Build):
    model: Any = built("model=controlnet", "control=half", tiny=False).model
    drawn = model.variants(torch.zeros(400, 1, 2, 2))
    assert set(drawn.tolist()) == {0, 1, 2, 3}
    again = [
        model.variants(torch.zeros(9, 1, 2, 2), torch.Generator().manual_seed(0)) for _ in "ab"
    ]
    assert torch.equal(*again)


@pytest.mark.parametrize("aligned", ["false", "true"])
def test_the_upright_image_is_wanted_of_the_distorted_one(built: Build, aligned: str):
    words = [*DISTORTED, f"model.aligned={aligned}"]
    parts = built(*words, tiny=False)
    model: Any = parts.model
    assert isinstance(model, Redrawer)
    parts.data.setup()
    batch = parts.data.batch("val", torch.arange(4))
    terms = model.losses(batch, None, torch.Generator().manual_seed(0))
    assert set(terms) == ({"loss", "diffusion", "alignment"} if aligned == "true" else {"loss"})
    noise = torch.Generator().manual_seed(0)
    swapped = DistortedBatch(batch.image, batch.label, batch.A, batch.upright.roll(1, 0))
    other = model.losses(swapped, None, noise)
    assert not torch.equal(terms["loss"], other["loss"])
    with pytest.raises(ValueError, match="call correct"):
        model.sample(torch.zeros(1, 1, 28, 28))
    terms["loss"].backward()
    if aligned == "true":
        assert (model.aligner.head.weight.grad != 0).any()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["base=pretrained/judge"], "base=pretrained/judge is a run of ImageClassifier"),
        (["base=nowhere"], "base=nowhere: no run there"),
        (["model.label_dropout=2"], "label_dropout is a share"),
        (["model.timestep_power=0"], "timestep_power must be positive"),
        (["model.guidance_scale=1", "model.label_dropout=1"], "needs a base that hears labels"),
        (["+encoder=pool"], "leave encoder out"),
        ([*DISTORTED, "~encoder"], "an encoder says how to turn"),
        (["control=low_resolution", "control.factor=3"], "divide the sides, 28 x 28"),
        (["control.threshold=3"], "a gradient lies between"),
        (["control=half", "control.hidden=middle"], "choose top, bottom, left, right or any"),
        (["sampler.steps=1001"], "1001"),
    ],
)
def test_what_cannot_be_is_refused(built: Build, words: list[str], said: str):
    with pytest.raises(UserError, match=said):
        built(*([] if DISTORTED[0] in words else ["model=controlnet"]), *words, tiny=False)


def test_other_images_than_the_bases_are_refused(built: Build, tmp_path: Path):
    from PIL import Image

    for name in ("circle", "square"):
        (tmp_path / name).mkdir()
        Image.new("L", (32, 32)).save(tmp_path / name / "a.png")
    words = [
        *("data=image_folder", f"data.root={tmp_path}", "data.channels=1"),
        *("classifier.run=pretrained/judge", "data.image_size=[32,32]"),
    ]
    with pytest.raises(UserError, match="samples 28 x 28 x 1 images of 0"):
        built("model=controlnet", *words, tiny=False)


def test_a_run_that_names_itself_as_its_base_is_refused(built: Build, config: Any, tmp_path: Path):
    words = ["model=controlnet", f"base={tmp_path}"]
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config(*words)))
    with pytest.raises(UserError, match="is a run of ControlNet"):
        built(*words, tiny=False)


def test_a_base_that_always_hears_a_label_is_refused(built: Build, monkeypatch: pytest.MonkeyPatch):
    base: Any = load_model("pretrained/mnist_unet")
    base.label_dropout = 0.0
    monkeypatch.setattr("diffstn.models.controlnet.load_model", lambda _: base)
    with pytest.raises(UserError, match="never went without labels"):
        built("model=controlnet", tiny=False)
