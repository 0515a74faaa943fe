"""A diffusion model with an auxiliary classifier: who learns from what, and what is kept."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from diffstn.build import Built, load_model
from diffstn.cli.of_a_run import run_command
from diffstn.cli.train import train_command
from diffstn.data.batches import Batch
from diffstn.models.classified_diffusion import ClassifiedDiffusion
from diffstn.store.run_folder import open_run
from diffstn.tasks.generate_images import GenerateImages

WORDS = [
    *("model=ddpm_ac", "network.width=8", "network.blocks=1", "network.head_features=8"),
    *("schedule.steps=20", "sampler.steps=2", "task.track=0", "task.samples=140", "epochs=1"),
    *("data.limit_train=300", "data.limit_val=20", "data.limit_test=300"),
]


def gradients(model: ClassifiedDiffusion, monkeypatch: pytest.MonkeyPatch) -> dict[str, bool]:
    """Which parts a training step has gradients for."""
    monkeypatch.setattr(model, "log", lambda *_, **__: None)
    torch.manual_seed(0)
    batch = Batch(torch.rand(8, 1, 28, 28), torch.arange(8))
    model.train().zero_grad()
    model.training_step(batch, 0).backward()
    return {
        part: any(p.grad is not None for p in getattr(model, part).parameters())
        for part in ("denoiser", "classifier")
    }


@pytest.mark.parametrize("kind", ["joint", "frozen", "fine_tuned"])
def test_a_frozen_classifier_does_not_learn_and_the_others_do(
    built: Callable[..., Built], monkeypatch: pytest.MonkeyPatch, kind: str
):
    model = built(*WORDS, f"classifier={kind}", tiny=False).model
    before = {k: v.clone() for k, v in model.classifier.state_dict().items()}
    learns = gradients(model, monkeypatch)
    assert learns == {"denoiser": True, "classifier": kind != "frozen"}
    changed = any(not torch.equal(v, before[k]) for k, v in model.classifier.state_dict().items())
    assert changed is (kind == "fine_tuned")  # its batch norms; the joint one has none


def test_a_classifier_of_data_learns_nothing_from_what_the_network_says(
    built: Callable[..., Built],
):
    image, label = torch.rand(8, 1, 28, 28), torch.arange(8)
    t = torch.full((8,), 10)
    for reads in ("data", "samples"):
        words = [*WORDS, "classifier=joint", f"model.classifier_reads={reads}"]
        model = built(*words, tiny=False).model.train()
        torch.nn.init.normal_(model.denoiser.network.last.weight, std=0.1)
        model.losses_at(t, model.codec.encode(image), label).mean().backward()
        learns = any(p.grad is not None for p in model.classifier.parameters())
        assert learns is (reads == "samples")
        assert model.classifier.training


def test_at_full_noise_the_signal_silences_the_classifier(built: Callable[..., Built]):
    """What the classifier adds is w ᾱ_t CE, or w CE."""
    image, label = torch.rand(8, 1, 28, 28), torch.arange(8)
    for t in (1, 20):
        found = {}
        for signal in ("none", "signal"):
            words = [*WORDS, f"model.classifier_signal={signal}", "model.classifier_weight=2.0"]
            model = built(*words, tiny=False).model.eval()
            x_0, at = model.codec.encode(image), torch.full((8,), t)
            generator = torch.Generator().manual_seed(0)
            found[signal] = model.losses_at(at, x_0, label, generator)
        eps = torch.randn(x_0.shape, generator=torch.Generator().manual_seed(0))
        own, read = model.classified.both(model.denoiser, x_0, at, eps, label=label)
        alpha_bar = model.denoiser.schedule.alpha_bar(at)
        torch.testing.assert_close(found["none"], own + 2 * read)
        torch.testing.assert_close(found["signal"], own + 2 * alpha_bar * read)
        none = torch.full_like(label, 10)
        assert (model.classified.both(model.denoiser, x_0, at, eps, label=none)[1] == 0).all()


def test_it_trains_keeps_its_classifier_and_is_measured_by_class(
    workplace: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(GenerateImages, "plot", lambda *_, **__: [])
    quick = ["accelerator=cpu", "trainer.precision=fp32", "report=false", "data.batch_size=64"]
    assert train_command([*WORDS, *quick, "classifier=fine_tuned", "task.cas=100", "out=run"]) == 0
    run = open_run("run")
    assert {"val/read", "train/error"} <= set(run.metrics_csv.read_text().split("\n")[0].split(","))
    numbers = run.read_json("metrics")["numbers"]
    assert {"accuracy %", "purity %", "purity among real %", "CAS %", "CAS of real %"} <= set(
        numbers
    )
    assert numbers["purity of real %"] > 80
    kept = load_model("run")
    state = torch.load(run.checkpoints / "last.ckpt", weights_only=True)["ema_state_dict"]
    for name, value in kept.classifier.state_dict().items():
        assert torch.equal(value, state[f"classifier.{name}"])
    assert run_command("evaluate", ["run=run", "accelerator=cpu", "out=again"]) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["model.classifier_weight=-1"], "classifier_weight"),
        (["model.classifier_signal=noise"], "none, signal"),
        (["model.conditional=false"], "model.conditional=true"),
        (["classifier=frozen", "classifier.run=nowhere"], "nowhere"),
        (["task.cas=500"], "task.samples=140"),
        (["task.mapped=20"], "31 to 1000"),
        (["network.norm=conditional_batch"], "hears the label already"),
    ],
)
def test_what_cannot_be_is_one_line(
    workplace: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
):
    assert train_command([*WORDS, *words, "out=no"]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert said in lines[0]
